/** A world whose store is a bucket of the double. */
import { afterEach } from "vitest";
import { startS3Double } from "../servers/s3-double/server.ts";
import type { S3Double, S3DoubleOptions } from "../servers/s3-double/server.ts";
import { createWorld } from "./support.ts";
import type { RunOptions, World } from "./support.ts";

export const BUCKET = "acme";

export interface S3World extends World {
  readonly s3: S3Double;
  /** What points at the bucket, with the first user's keys: the environment of every run. */
  readonly env: Readonly<Record<string, string>>;
}

const open: S3Double[] = [];

afterEach(async () => {
  for (const s3 of open.splice(0)) await s3.close();
});

/** As `createWorld`; the environment names the bucket, which keeps versions. */
export async function createS3World(options: Partial<S3DoubleOptions> = {}): Promise<S3World> {
  const s3 = await startS3Double({ buckets: { [BUCKET]: { versioning: "Enabled" } }, ...options });
  open.push(s3);
  const { accessKeyId, secretAccessKey, sessionToken } = s3.credentials;
  const env = {
    USE_S3: "true",
    AWS_S3_BUCKET: BUCKET,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
  return { s3, env, ...(await createWorld(env)) };
}

/** What was asked of the double, in order. */
export function askedOf({ s3 }: S3World): string[] {
  return s3.requests.map(({ operation }) => operation);
}

/** The environment without the keys. */
export const NO_KEYS: NonNullable<RunOptions["env"]> = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
};
