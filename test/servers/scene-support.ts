/** The built program and other clients on one bucket of a test server. */
import { createHash, randomBytes } from "node:crypto";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { afterAll, beforeEach, expect } from "vitest";
import { createSandbox } from "../bin/support.ts";
import type { Finished, Running, Sandbox, StartOptions } from "../bin/support.ts";
import { openBuckets } from "./buckets.ts";
import type { Buckets } from "./buckets.ts";
import { startTestServer } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

export interface Item {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  readonly deleted: boolean;
}

export interface Scene {
  readonly server: TestServer;
  readonly buckets: Buckets;
  readonly bucket: string;
  readonly keepsVersions: boolean;
  /** This test's own task: nobody else's in a bucket that isn't ours alone. */
  task(): string;
  sandbox(): Sandbox;
  /** Starts `taskflow attach` on the bucket, as its owner. */
  start(words: readonly string[], options?: StartOptions): Running;
  /** As `start`, to its end. */
  attach(words: readonly string[], options?: StartOptions): Promise<Finished>;
  /** As `attach`, of what must succeed. */
  done(words: readonly string[], options?: StartOptions): Promise<Finished>;
  /** As `done`: the items of the JSON document. */
  items(words: readonly string[], options?: StartOptions): Promise<readonly Item[]>;
  /** As `attach`, of what must end with this status and say this. */
  refused(words: readonly string[], env: StartOptions["env"], status: number, said: RegExp): Promise<void>;
  /** Runs the AWS CLI as the bucket's owner; what it prints. */
  aws(...words: string[]): Promise<string>;
  /** What the SDK reads under a key. */
  stored(key: string): Promise<Buffer>;
  head(key: string): Promise<HeadObjectCommandOutput>;
  /** What the SDK sees of the task. */
  kept(): Promise<{ versions: number; markers: number; unfinished: number }>;
}

/** For the tests of one file, which calls it once. */
export async function openScene(): Promise<Scene> {
  const server = await startTestServer();
  const buckets = openBuckets(server);
  const { onlyBucket } = server;
  const bucket = onlyBucket ?? (await buckets.create("Enabled"));
  const keepsVersions = (await buckets.versioningOf(bucket)) === "Enabled";
  const tasks: string[] = [];
  let sandbox: Sandbox | null = null;

  beforeEach(async () => {
    sandbox = await createSandbox();
    tasks.push(`taskflow-test-${randomBytes(8).toString("hex")}`);
  });

  afterAll(async () => {
    try {
      if (onlyBucket !== null) for (const each of tasks) await buckets.clear(onlyBucket, `tasks/${each}/`);
    } finally {
      buckets.close();
      await server.stop();
    }
  }, 120_000);

  const task = (): string => tasks.at(-1) ?? "";
  const prefix = (): string => `tasks/${task()}/`;
  const env = environmentOf(server, bucket);

  function here(): Sandbox {
    if (sandbox === null) throw new Error("only within a test");
    return sandbox;
  }

  const start: Scene["start"] = (words, options = {}) =>
    here().start(["attach", ...words], { ...options, env: { ...env, ...options.env } });
  const attach: Scene["attach"] = (words, options) => start(words, options).finished;

  async function done(words: readonly string[], options?: StartOptions): Promise<Finished> {
    const finished = await attach(words, options);
    const { status, stderr } = finished;
    expect({ words, status, stderr }).toEqual({ words, status: 0, stderr });
    return finished;
  }

  return {
    server,
    buckets,
    bucket,
    keepsVersions,
    task,
    sandbox: here,
    start,
    attach,
    done,
    async items(words, options) {
      const { stdout } = await done(["--json", ...words], options);
      return (JSON.parse(stdout) as { items: readonly Item[] }).items;
    },
    async refused(words, more, wanted, said) {
      const { status, stdout, stderr } = await attach(words, more === undefined ? {} : { env: more });
      expect({ words, status, stdout, stderr }).toEqual({ words, status: wanted, stdout: "", stderr });
      expect(stderr).toMatch(said);
    },
    async aws(...words) {
      const { status, stdout, stderr } = await here().launch(["aws", ...words], { env: { ...AWS_CLI, ...env } })
        .finished;
      if (status !== 0) throw new Error(`aws ${words.join(" ")}: ${stderr}`);
      return stdout;
    },
    async stored(key) {
      const { Body } = await buckets.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    head: (key) => buckets.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })),
    async kept() {
      const where = { Bucket: bucket, Prefix: prefix() };
      const { Versions = [], DeleteMarkers = [] } = await buckets.client.send(new ListObjectVersionsCommand(where));
      const { Uploads = [] } = await buckets.client.send(new ListMultipartUploadsCommand(where));
      return { versions: Versions.length, markers: DeleteMarkers.length, unfinished: Uploads.length };
    },
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Other S3s don't know the checksums that it adds by itself. */
const AWS_CLI = {
  PATH: process.env.PATH,
  AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
};

function environmentOf({ endpoint, region, owner }: TestServer, bucket: string): Record<string, string | undefined> {
  const here = owner === null ? Object.entries(process.env).filter(([name]) => name.startsWith("AWS_")) : [];
  return {
    ...Object.fromEntries(here),
    ...(endpoint === null ? {} : { AWS_ENDPOINT_URL_S3: endpoint }),
    ...(region === null ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region }),
    ...(owner === null ? {} : { AWS_ACCESS_KEY_ID: owner.accessKeyId, AWS_SECRET_ACCESS_KEY: owner.secretAccessKey }),
    USE_S3: "true",
    AWS_S3_BUCKET: bucket,
    TASKFLOW_USER: "ada",
  };
}
