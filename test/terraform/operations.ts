/** What each command asks of S3, recorded on the double while it decides by the rendered policies. */
import { randomUUID } from "node:crypto";
import { PutBucketLifecycleConfigurationCommand } from "@aws-sdk/client-s3";
import type { BucketLifecycleConfiguration } from "@aws-sdk/client-s3";
import { DEFAULT_LIFECYCLE } from "../../src/storage/lifecycle/rules.ts";
import { createS3World } from "../cli/s3-support.ts";
import type { S3World } from "../cli/s3-support.ts";
import type { RunResult, World } from "../cli/support.ts";
import { reply } from "../servers/s3-double/faults.ts";
import type { S3Double } from "../servers/s3-double/server.ts";
import { clientOf } from "../servers/support.ts";
import { isAllowed } from "./iam.ts";
import type { Outputs } from "./plans.ts";
import { ACCOUNT } from "./policy-cases.ts";

const MIB = 1024 * 1024;

/** May do everything: it prepares what a command is then run on. */
const OWNER = { accessKeyId: "AKIAOWNER00000000001", secretAccessKey: "the-owner-of-the-account" };
const CLIENT = { accessKeyId: "AKIACLIENT0000000001", secretAccessKey: "a-role-with-client-policy" };
const ROLE = `arn:aws:iam::${ACCOUNT}:role/taskflow-prod-ecs-task-role`;

/** Fails an upload in parts for good: what it left is removed. */
const COMPLETE = { operation: "CompleteMultipartUpload" };
const TOO_SMALL = reply({ status: 400, code: "EntityTooSmall" });

export interface Stage {
  readonly s3: S3Double;
  readonly bucket: string;
  readonly world: World;
  /** As the owner; what it does is not recorded. */
  prepare(...argv: string[]): Promise<RunResult>;
  /** As a role that has client_policy_json; it must succeed, or end with this status. */
  run(argv: readonly string[], status?: number): Promise<RunResult>;
  /** An attachment of this name on T-1; its key. */
  attach(name: string, ...options: string[]): Promise<string>;
}

export interface Asked {
  /** Without `s3:`. */
  readonly granted: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
}

/** Everything that a command does with S3, in all its ways. */
export const COMMANDS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  async upload({ s3, world, run, attach }) {
    await attach("a.txt");
    await world.write("a.txt");
    await world.write("large.bin", Buffer.alloc(9 * MIB));
    await run(["upload", "T-1", "a.txt", "--replace", "--tag", "a=b"]);
    await run(["upload", "T-1", "large.bin", "--tag", "a=b", "--link"]);
    const cut = s3.fault({ operation: "UploadPart", nth: 2 }, reply({ status: 403, code: "AccessDenied" }));
    await run(["upload", "T-1", "large.bin"], 4);
    cut.remove();
    await run(["upload", "T-1", "large.bin"]);
    const broken = s3.fault(COMPLETE, TOO_SMALL);
    await run(["upload", "T-1", "large.bin", "--no-resume"], 5);
    broken.remove();
  },
  async list({ run, attach, prepare }) {
    await prepare("delete", await attach("a.txt"));
    await attach("b.txt");
    await run(["list"]);
    await run(["list", "T-1", "--details"]);
    await run(["list", "T-1", "--deleted"]);
  },
  async download({ run, attach }) {
    await attach("a.txt");
    await run(["download", "T-1", "-o", "copies/"]);
  },
  async show({ run, attach }) {
    await run(["show", await attach("a.txt", "--tag", "a=b")]);
  },
  async presign({ run, attach }) {
    const { stdout } = await run(["presign", await attach("a.txt")]);
    await expectOk(fetch(stdout.trim()));
  },
  async "presign --put"({ run }) {
    const { stdout } = await run(["presign", "--put", "T-1", "a.txt", "--size", "1"]);
    await expectOk(fetch(stdout.trim(), { method: "PUT", body: "a", headers: { "If-None-Match": "*" } }));
  },
  async "presign --post"({ run }) {
    const { stdout } = await run(["presign", "--post", "T-1", "a.txt", "--json"]);
    const { url, fields } = (JSON.parse(stdout) as { items: [{ url: string; fields: Record<string, string> }] })
      .items[0];
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob(["a"]));
    await expectOk(fetch(url, { method: "POST", body: form }), 204);
  },
  async delete({ run, attach }) {
    await attach("a.txt");
    await run(["delete", "T-1", "a.txt"]);
  },
  async undelete({ run, attach, prepare }) {
    await prepare("delete", await attach("a.txt", "--tag", "a=b"));
    await run(["undelete", "T-1", "a.txt"]);
  },
  async thaw({ s3, bucket, run, prepare }) {
    s3.plant(bucket, `tasks/T-1/${randomUUID()}_a.txt`, "a", { storageClass: "GLACIER" });
    await run(["thaw", "T-1", "a.txt"]);
    await prepare("delete", "T-1", "a.txt");
    await run(["thaw", "T-1", "a.txt", "--days", "9"]);
  },
  async "lifecycle status"({ s3, bucket: Bucket, run, attach, prepare }) {
    const LifecycleConfiguration = rulesForTheSdk();
    await clientOf(s3).send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    await prepare("delete", await attach("a.txt"));
    await attach("b.txt", "--tag", "a=b");
    await run(["lifecycle", "status"]);
    await run(["lifecycle", "status", "T-1"]);
  },
  async copy({ s3, bucket, world, run, attach }) {
    await attach("a.txt", "--tag", "a=b");
    await run(["copy", "--from", `s3://${bucket}`, "--to", "./copies"]);
    await world.write("large.bin", Buffer.alloc(9 * MIB));
    await run(["upload", "T-2", "large.bin", "--store", "./originals", "--tag", "a=b"]);
    const broken = s3.fault(COMPLETE, TOO_SMALL);
    await run(["copy", "--from", "./originals", "--to", `s3://${bucket}`], 5);
    broken.remove();
    await run(["copy", "--from", "./originals", "--to", `s3://${bucket}`]);
    await run(["copy", "--from", "./originals", "--to", `s3://${bucket}`]);
  },
  async doctor({ run }) {
    await run(["doctor"]);
  },
  async "doctor --write"({ run }) {
    await run(["doctor", "--write"]);
  },
  async verify({ s3, bucket, run, attach }) {
    await attach("a.txt");
    await run(["verify", "T-1"]);
    s3.plant(bucket, await attach("b.txt"), "written over");
    await run(["verify", "T-1"], 8);
  },
  async run({ s3, run }) {
    await run(["run", "T-1", "--", "true"]);
    const broken = s3.fault(COMPLETE, TOO_SMALL);
    await run(["run", "T-1", "--", "head", "-c", String(9 * MIB), "/dev/zero"], 5);
    broken.remove();
  },
};

/** Runs one command in all its ways. */
export async function askedBy(command: string, { bucket_name: bucket, ...policies }: Outputs): Promise<Asked> {
  const granted = new Set<string>();
  const refused = new Set<string>();
  const decides = (action: string, _: string, key: string | null): boolean => {
    const ofBucket = key === null || action.startsWith("s3:ListBucket");
    const resource = ofBucket ? policies.bucket_arn : `${policies.bucket_arn}/${key}`;
    const caller = { arn: ROLE, policy: policies.client_policy };
    return isAllowed({ caller, action, resource }, policies.bucket_policy, ACCOUNT);
  };
  const demanded = (action: string, allowed: boolean): void => {
    (allowed ? granted : refused).add(action.replace("s3:", ""));
  };
  const world = await createS3World({
    buckets: { [bucket]: { versioning: "Enabled" } },
    users: [OWNER, { ...CLIENT, arn: ROLE, decides, demanded }],
  });
  await COMMANDS[command]?.(stageOn(world, bucket));
  return { granted, refused };
}

function stageOn(world: S3World, bucket: string): Stage {
  const ended = async (argv: readonly string[], who: typeof OWNER, status: number): Promise<RunResult> => {
    const keys = { AWS_ACCESS_KEY_ID: who.accessKeyId, AWS_SECRET_ACCESS_KEY: who.secretAccessKey };
    const result = await world.run(["attach", ...argv], { env: { ...keys, AWS_S3_BUCKET: bucket } });
    if (result.status === status) return result;
    throw new Error(`${argv.join(" ")}: exit code ${result.status}, not ${status}\n${result.stderr}`);
  };
  const prepare: Stage["prepare"] = (...argv) => ended(argv, OWNER, 0);
  return {
    s3: world.s3,
    bucket,
    world,
    prepare,
    run: (argv, status = 0) => ended(argv, CLIENT, status),
    async attach(name, ...options) {
      const file = await world.write(`${randomUUID()}/${name}`, name);
      return (await prepare("upload", "--task", "T-1", ...options, file)).stdout.trim();
    },
  };
}

/** The SDK's types take no constants. */
function rulesForTheSdk(): BucketLifecycleConfiguration {
  return structuredClone(DEFAULT_LIFECYCLE) as unknown as BucketLifecycleConfiguration;
}

async function expectOk(replying: Promise<Response>, expected = 200): Promise<void> {
  const { status } = await replying;
  if (status !== expected) throw new Error(`the link answers ${status}`);
}
