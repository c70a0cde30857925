/** What all parts of the S3 driver share: one bucket, its client, and what was learnt of it on the way. */
import type { S3Client } from "@aws-sdk/client-s3";
import type { S3Settings } from "../s3-settings.ts";
import type { Ledger } from "./upload/ledger.ts";
import type { Transport } from "./client/transport.ts";

export interface S3Store {
  readonly bucket: string;
  /** `s3://bucket`. */
  readonly location: string;
  readonly settings: S3Settings;
  /** AWS itself: checksums, unsigned payloads over TLS and all conditions are understood. Others get the plainest form. */
  readonly isAws: boolean;
  /** HTTP as all requests of this store go: with its certificates and time-outs. */
  readonly transport: Transport;
  /** The client for the bucket's region. */
  client(): Promise<S3Client>;
  /** The client that links are signed with: of the base that they are to have. Sends nothing to learn the region. */
  linkClient(): Promise<S3Client>;
  /** Where requests go now; `null`: not known yet. */
  region(): string | null;
  /** Tells where the bucket is; `false`: that was known, or somebody named another region on purpose. */
  moveTo(region: string): boolean;
  readonly learnt: Learnt;
  /** `null`: uploads are not noted for later runs. */
  readonly ledger: Ledger | null;
  /** Bytes of a part, and the most that a single PUT takes. */
  readonly partSize: number;
  now(): Date;
  warn(text: string): void;
}

/** Grows with each reply; nothing is asked for its own sake. */
export interface Learnt {
  /** Some reply came from the bucket, so a missing key is just that. */
  bucketExists: boolean;
  /** The store refused `If-None-Match`: a look before must do. */
  ignoresConditions: boolean;
  /** Uploads can't be noted in the ledger, and that was said. */
  cannotNote: boolean;
  /** Whether tags may be read; `null`: nobody has asked yet. */
  tags: "told" | "hidden" | null;
  /** How far the server's clock is ahead of this machine's; 0 until a reply has told. */
  clockOffsetMs: number;
  /** What GetBucketVersioning said. */
  versioning: Promise<Versioning> | null;
}

/** `off`: never turned on. `unknown`: it may not be read. */
export type Versioning = "on" | "suspended" | "off" | "unknown";

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;
