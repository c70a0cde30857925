/** What the tests of the double share: a double for each test, and the SDK before it. */
import { S3Client } from "@aws-sdk/client-s3";
import type { S3ClientConfig, S3ServiceException } from "@aws-sdk/client-s3";
import { afterEach } from "vitest";
import { startS3Double } from "./s3-double/server.ts";
import type { S3Double, S3DoubleOptions } from "./s3-double/server.ts";

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

/** One attempt, and no checksum that wasn't asked for. */
export function clientOf(s3: S3Double, more: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    credentials: s3.credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...more,
  });
  open.push(() => client.destroy());
  return client;
}

/** The error that it rejects with; S3's code is its name. */
export async function refusal(promise: Promise<unknown>): Promise<S3ServiceException> {
  return await promise.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: S3ServiceException) => error,
  );
}

export async function readAll(body: { transformToByteArray(): Promise<Uint8Array> } | undefined): Promise<Buffer> {
  return Buffer.from((await body?.transformToByteArray()) ?? []);
}
