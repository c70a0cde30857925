/** An unfinished multipart upload. */
import type { Attributes } from "./bucket.ts";
import type { Algorithm, Checksum } from "./checksums.ts";

export interface Part {
  readonly number: number;
  readonly size: number;
  /** MD5 in hex. */
  readonly etag: string;
  readonly bytes: Buffer | null;
  /** Base64, of the upload's algorithm. */
  readonly checksum: string | null;
  readonly modifiedAt: Date;
}

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly startedAt: Date;
  readonly attributes: Attributes;
  readonly checksum: { readonly algorithm: Algorithm; readonly type: Checksum["type"] } | null;
  /** By number. */
  readonly parts: Map<number, Part>;
}
