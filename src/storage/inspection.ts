/** What a store can tell of one object for whoever looks at just that one: more than `head`, for more requests. */
import type { StoredObject } from "./driver.ts";

export interface Inspection {
  readonly object: StoredObject;
  /** How the store encrypts it at rest; `null`: it doesn't say, or doesn't. */
  readonly encryption: Encryption | null;
  /** What the store itself keeps to compare its bytes with; `null`: nothing. */
  readonly checksum: StoreChecksum | null;
  /** `null`: they may not be listed. */
  readonly versions: KeyVersions | null;
}

export interface Encryption {
  /** S3's name: `AES256`, `aws:kms`. */
  readonly algorithm: string;
  /** Of a key service. */
  readonly key: string | null;
}

export interface StoreChecksum {
  /** S3's name: `CRC32`, `SHA256`. */
  readonly algorithm: string;
  /** Base64; of a composite one with `-` and the number of parts. */
  readonly value: string;
  /** `composite`: of the parts' checksums, not of the bytes. `null`: the store doesn't say. */
  readonly covers: "bytes" | "composite" | null;
}

/** All that is kept under one key. */
export interface KeyVersions {
  /** The newest first; at most `MOST_VERSIONS`. */
  readonly entries: readonly KeyVersion[];
  /** Older ones are kept that are not among them. */
  readonly hasMore: boolean;
}

export interface KeyVersion {
  readonly kind: "version" | "delete-marker";
  /** The store's own name for it; `null`: it has none. */
  readonly id: string | null;
  /** What the key shows now. */
  readonly isLatest: boolean;
  /** When it was written, or deleted. */
  readonly modifiedAt: Date;
  /** Bytes; 0 of a delete marker. */
  readonly size: number;
  /** `null` of a delete marker. */
  readonly storageClass: string | null;
}

/** As many as S3 lists in one request. */
export const MOST_VERSIONS = 1000;
