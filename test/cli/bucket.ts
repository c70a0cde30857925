/** The command line in this process on a bucket of the double. */
import { afterEach } from "vitest";
import { startS3Double } from "../servers/s3-double/server.ts";
import type { S3Double, S3DoubleOptions } from "../servers/s3-double/server.ts";
import { createWorld } from "./support.ts";
import type { RunOptions, World } from "./support.ts";

export const BUCKET = "acme";

export interface BucketWorld extends World {
  readonly s3: S3Double;
  /** What points at the bucket, with the first user's keys. */
  readonly env: Readonly<Record<string, string>>;
}

const open: S3Double[] = [];

afterEach(async () => {
  for (const s3 of open.splice(0)) await s3.close();
});

/** As `createWorld`, where every run has the bucket's environment. The bucket keeps versions unless told otherwise. */
export async function createBucketWorld(options: Partial<S3DoubleOptions> = {}): Promise<BucketWorld> {
  const s3 = await startS3Double({ buckets: { [BUCKET]: { versioning: "Enabled" } }, ...options });
  open.push(s3);
  const world = await createWorld();
  const { accessKeyId, secretAccessKey, sessionToken } = s3.credentials;
  const env = {
    USE_S3: "true",
    AWS_S3_BUCKET: BUCKET,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
  const there = (more: RunOptions = {}): RunOptions => ({ ...more, env: { ...env, ...more.env } });
  return {
    ...world,
    s3,
    env,
    run: (argv, more) => world.run(argv, there(more)),
    json: (argv, more) => world.json(argv, there(more)),
    ndjson: (argv, more) => world.ndjson(argv, there(more)),
  };
}
