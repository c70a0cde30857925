/** What tests may see and change of the double's state without asking over HTTP. */
import { createHash } from "node:crypto";
import type { Attributes, Bucket, ObjectVersion, Version, Versioning } from "./bucket.ts";
import { digestOf } from "./checksums.ts";
import type { Algorithm } from "./checksums.ts";
import { plainAttributes } from "./objects.ts";
import { restoredUntil } from "./restore.ts";
import type { Upload } from "./upload.ts";

export interface PlantOptions extends Partial<Attributes> {
  readonly modifiedAt?: Date;
  /** A checksum to keep with it. */
  readonly algorithm?: Algorithm;
}

export interface Inspection {
  /** The live object. */
  object(bucket: string, key: string): ObjectVersion | undefined;
  /** The bytes of the live object; `undefined` where there is none. */
  bytes(bucket: string, key: string): Buffer | undefined;
  /** Of one key newest first, or of all keys in key order. */
  versions(bucket: string, key?: string): readonly Version[];
  /** Live keys in S3's order. */
  keys(bucket: string): readonly string[];
  uploads(bucket: string): readonly Upload[];
  /** Puts an object as another program does. */
  plant(bucket: string, key: string, bytes: Uint8Array | string, options?: PlantOptions): ObjectVersion;
  /** Changes the bytes at rest, and nothing that was recorded of them. */
  corrupt(bucket: string, key: string, change: (bytes: Buffer) => Uint8Array): void;
  /** Deletes as another program does: with a marker where versions are kept. */
  delete(bucket: string, key: string): void;
  /** The copy that RestoreObject asked for is there now; of a deleted object too. */
  thaw(bucket: string, key: string): void;
  setVersioning(bucket: string, versioning: Versioning): void;
}

export function createInspection(buckets: ReadonlyMap<string, Bucket>, now: () => Date): Inspection {
  function named(name: string): Bucket {
    const bucket = buckets.get(name);
    if (bucket === undefined) throw new Error(`the double has no bucket ${name}`);
    return bucket;
  }

  return {
    object: (bucket, key) => named(bucket).live(key),
    bytes: (bucket, key) => named(bucket).live(key)?.bytes ?? undefined,
    versions: (bucket, key) =>
      key === undefined
        ? [...named(bucket).entries()].flatMap(({ versions }) => [...versions])
        : named(bucket).versionsOf(key),
    keys: (bucket) =>
      [...named(bucket).entries()].filter(({ versions }) => versions[0]?.kind === "object").map(({ key }) => key),
    uploads: (bucket) => [...named(bucket).uploads.values()],
    plant(bucket, key, source, { modifiedAt, algorithm, ...attributes } = {}) {
      const bytes = Buffer.from(source);
      const content = {
        bytes,
        size: bytes.length,
        etag: createHash("md5").update(bytes).digest("hex"),
        checksum:
          algorithm === undefined
            ? null
            : { algorithm, type: "FULL_OBJECT" as const, value: digestOf(algorithm, bytes) },
      };
      return named(bucket).put(key, { ...content, ...plainAttributes(attributes) }, modifiedAt ?? now());
    },
    corrupt(bucket, key, change) {
      const version = named(bucket).live(key);
      if (version === undefined || version.bytes === null) throw new Error(`the double has no bytes of ${key}`);
      const bytes = Buffer.from(change(Buffer.from(version.bytes)));
      named(bucket).replace(version, { ...version, bytes, size: bytes.length });
    },
    delete: (bucket, key) => void named(bucket).delete(key, now()),
    thaw(bucket, key) {
      const version = named(bucket)
        .versionsOf(key)
        .find((each) => each.kind === "object");
      if (version?.restore === undefined) throw new Error(`nobody asked the double to restore ${key}`);
      const { days } = version.restore;
      named(bucket).replace(version, { ...version, restore: { days, until: restoredUntil(now(), days) } });
    },
    setVersioning(bucket, versioning) {
      named(bucket).versioning = versioning;
    },
  };
}
