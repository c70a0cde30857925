/** What the tests of the S3 driver share: a double, the driver on it, bodies that are files. */
import { afterEach } from "vitest";
import type { Body, StorageDriver, Versions } from "../../../src/storage/driver.ts";
import { DEFAULT_S3_SETTINGS } from "../../../src/storage/s3-settings.ts";
import type { S3Settings } from "../../../src/storage/s3-settings.ts";
import { openS3 } from "../../../src/storage/s3/driver.ts";
import type { S3Options } from "../../../src/storage/s3/driver.ts";
import { bodyOf } from "../../conformance/bodies.ts";
import type { BodyOptions } from "../../conformance/bodies.ts";
import { startS3Double } from "../../servers/s3-double/server.ts";
import type { S3Double, S3DoubleOptions } from "../../servers/s3-double/server.ts";

export const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_report.pdf";
export const MiB = 1024 * 1024;

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** `b` keeps versions, `plain` never did. */
export async function double(options: Partial<S3DoubleOptions> = {}): Promise<S3Double> {
  const s3 = await startS3Double({ buckets: { b: { versioning: "Enabled" }, plain: {} }, ...options });
  open.push(() => s3.close());
  return s3;
}

export type DriverOptions = Omit<S3Options, "s3"> & {
  readonly bucket?: string;
  readonly settings?: Partial<S3Settings>;
};

/** Nothing waits for long: a retry is over in seconds, silence in a fraction of one. */
export async function driverOn(s3: S3Double, options: DriverOptions = {}): Promise<StorageDriver> {
  const { bucket = "b", settings = {}, ...more } = options;
  const driver = await openS3(bucket, {
    s3: () => ({
      ...DEFAULT_S3_SETTINGS,
      endpoint: s3.endpoint,
      region: s3.region,
      credentials: { kind: "keys", sessionToken: null, expiresAt: null, ...s3.credentials },
      ...settings,
    }),
    ...more,
  });
  open.push(() => driver.close());
  return driver;
}

/** As a file: it can be read again, and anywhere. */
export function fileOf(bytes: Uint8Array, options: BodyOptions = {}): Body {
  return {
    ...bodyOf(bytes, { chunk: MiB, repeatable: true, ...options }),
    readAt(buffer, position, length) {
      const part = bytes.subarray(position, position + length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
  };
}

/** What was asked, in order: `PutObject 200`. */
export function asked({ requests }: S3Double): string[] {
  return requests.map(({ operation, status, code }) => `${operation} ${code ?? status}`);
}

/** They are always there, whatever the bucket does. */
export function versionsOf({ versions }: StorageDriver): Versions {
  if (versions === undefined) throw new Error("an S3 driver without versions");
  return versions;
}
