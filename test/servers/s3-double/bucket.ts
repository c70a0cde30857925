/** What a bucket holds, and S3's rules of versions: enabled, suspended, and never turned on. */
import { randomBytes } from "node:crypto";
import type { Checksum } from "./checksums.ts";
import type { Upload } from "./upload.ts";

/** What the one who puts an object says of it. */
export interface Attributes {
  readonly contentType: string;
  /** Cache-Control and its like, by the name of the header. */
  readonly standard: Readonly<Record<string, string>>;
  /** Names in lower case, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Content {
  readonly size: number;
  /** Without its quotes. */
  readonly etag: string;
  /** `null`: hashed and dropped. */
  readonly bytes: Buffer | null;
  readonly checksum: Checksum | null;
}

export interface ObjectVersion extends Attributes, Content {
  readonly kind: "object";
  readonly key: string;
  /** `null` as text where the bucket didn't keep versions when it was put. */
  readonly versionId: string;
  readonly modifiedAt: Date;
  /** Of an archived one that was asked for: when its copy ends, `null` while there is none yet. */
  readonly restore?: { readonly days: number; readonly until: Date | null };
}

export interface DeleteMarker {
  readonly kind: "marker";
  readonly key: string;
  readonly versionId: string;
  readonly modifiedAt: Date;
}

export type Version = ObjectVersion | DeleteMarker;

export type Versioning = "Unversioned" | "Enabled" | "Suspended";

export interface BucketOptions {
  /** Absent: the endpoint's. */
  readonly region?: string;
  /** Absent: never turned on. */
  readonly versioning?: Versioning;
}

interface Entry {
  readonly key: string;
  readonly bytes: Buffer;
  /** Newest first, never empty. */
  versions: readonly Version[];
}

const NULL = "null";

export class Bucket {
  readonly name: string;
  readonly region: string;
  versioning: Versioning;
  /** Configurations as they were put: lifecycle, cors and their like. */
  readonly settings = new Map<string, string>();
  /** Below which size no lifecycle rule moves anything, in S3's words. */
  minimumSize = "all_storage_classes_128K";
  /** Unfinished multipart uploads by id. */
  readonly uploads = new Map<string, Upload>();
  readonly #byKey = new Map<string, Entry>();
  /** In the order of the keys' UTF-8 bytes. */
  readonly #sorted: Entry[] = [];

  constructor(name: string, region: string, versioning: Versioning) {
    this.name = name;
    this.region = region;
    this.versioning = versioning;
  }

  /** What a request without a version id meets. */
  current(key: string): Version | undefined {
    return this.versionsOf(key)[0];
  }

  live(key: string): ObjectVersion | undefined {
    const version = this.current(key);
    return version?.kind === "object" ? version : undefined;
  }

  find(key: string, versionId: string): Version | undefined {
    return this.versionsOf(key).find((version) => version.versionId === versionId);
  }

  /** Newest first. */
  versionsOf(key: string): readonly Version[] {
    return this.#byKey.get(key)?.versions ?? [];
  }

  /** In the order of keys, those at or after `from`; each with its versions, newest first. */
  *entries(from = ""): Generator<{ key: string; versions: readonly Version[] }> {
    for (let at = this.#place(Buffer.from(from)); at < this.#sorted.length; at += 1) {
      const entry = this.#sorted[at];
      if (entry !== undefined) yield entry;
    }
  }

  put(key: string, content: Content & Attributes, modifiedAt: Date): ObjectVersion {
    return this.#add({
      ...content,
      kind: "object",
      key,
      versionId: this.#newId(),
      modifiedAt: wholeSeconds(modifiedAt),
    });
  }

  /** The marker that was set, or `null` where the bucket sets none and the object is gone. */
  delete(key: string, modifiedAt: Date): DeleteMarker | null {
    if (this.versioning === "Unversioned") {
      this.deleteVersion(key, NULL);
      return null;
    }
    return this.#add({ kind: "marker", key, versionId: this.#newId(), modifiedAt: wholeSeconds(modifiedAt) });
  }

  deleteVersion(key: string, versionId: string): Version | undefined {
    const found = this.find(key, versionId);
    if (found !== undefined)
      this.#set(
        key,
        this.versionsOf(key).filter((version) => version !== found),
      );
    return found;
  }

  /** For what is changed in place: tags. */
  replace(old: ObjectVersion, changed: ObjectVersion): void {
    this.#set(
      old.key,
      this.versionsOf(old.key).map((version) => (version === old ? changed : version)),
    );
  }

  /** What this bucket tells of a version's id: nothing, where it never kept versions. */
  versionHeader(version: Version): Record<string, string> {
    return this.versioning === "Unversioned" ? {} : { "x-amz-version-id": version.versionId };
  }

  #newId(): string {
    return this.versioning === "Enabled" ? randomBytes(24).toString("base64url") : NULL;
  }

  /** There is one version `null` at most: a new one takes the place of an old one, wherever that was. */
  #add<T extends Version>(version: T): T {
    const others = this.versionsOf(version.key).filter(
      ({ versionId }) => versionId !== NULL || version.versionId !== NULL,
    );
    this.#set(version.key, [version, ...others]);
    return version;
  }

  #set(key: string, versions: readonly Version[]): void {
    const entry = this.#byKey.get(key);
    if (entry !== undefined && versions.length > 0) {
      entry.versions = versions;
    } else if (entry !== undefined) {
      this.#byKey.delete(key);
      this.#sorted.splice(this.#place(entry.bytes), 1);
    } else if (versions.length > 0) {
      const created = { key, bytes: Buffer.from(key), versions };
      this.#byKey.set(key, created);
      this.#sorted.splice(this.#place(created.bytes), 0, created);
    }
  }

  /** Of the first entry that is not before this key. */
  #place(key: Buffer): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#sorted[middle];
      if (entry !== undefined && Buffer.compare(entry.bytes, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** S3 keeps times in seconds. */
export function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
