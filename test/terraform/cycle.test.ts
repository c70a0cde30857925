/** One whole cycle on an emulator: apply, use, drift, destroy; the steps build on each other. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import {
  CreateMultipartUploadCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  ListBucketsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { NoncurrentVersionTransition } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIFECYCLE } from "../../src/storage/lifecycle/rules.ts";
import { createSandbox, keyOf } from "../bin/support.ts";
import type { Finished, Sandbox } from "../bin/support.ts";
import { startMoto } from "../servers/moto.ts";
import type { Moto } from "../servers/moto.ts";
import { hasTool, missing } from "../tools.ts";
import { openTerraform } from "./terraform.ts";

/** The emulator looks at neither. */
const KEYS = { AWS_ACCESS_KEY_ID: "AKIAMOTO000000000001", AWS_SECRET_ACCESS_KEY: "moto-looks-at-no-secret" };
const BUCKET = "taskflow-dev-attachments-123456789012";

const moto = await startEmulator();
const terraform = await openTerraform(moto === null ? {} : { ...KEYS, AWS_ENDPOINT_URL: moto.endpoint });

afterAll(() => moto?.stop());

describe.skipIf(moto === null || terraform.missing !== null)("the bucket by Terraform, on moto", () => {
  const endpoint = moto?.endpoint ?? "";
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: KEYS.AWS_ACCESS_KEY_ID, secretAccessKey: KEYS.AWS_SECRET_ACCESS_KEY },
  });
  afterAll(() => client.destroy());

  /** A project whose `.env` is what Terraform wrote, and nothing else names the bucket. */
  async function project(): Promise<Sandbox> {
    const sandbox = await createSandbox();
    const dotenv = await terraform.done(["output", "-raw", "dotenv"]);
    await writeFile(sandbox.path(".env"), dotenv);
    return sandbox;
  }

  async function attach(sandbox: Sandbox, ...argv: string[]): Promise<Finished> {
    const finished = await sandbox.run(["attach", ...argv], { env: { ...KEYS, AWS_ENDPOINT_URL_S3: endpoint } });
    expect(finished, argv.join(" ")).toMatchObject({ status: 0 });
    return finished;
  }

  async function examine(sandbox: Sandbox, ...options: string[]): Promise<readonly CheckJson[]> {
    const words = ["attach", "doctor", "--json", ...options];
    const { stdout } = await sandbox.run(words, { env: { ...KEYS, AWS_ENDPOINT_URL_S3: endpoint } });
    return (JSON.parse(stdout) as { checks: readonly CheckJson[] }).checks;
  }

  const plan = (): ReturnType<typeof terraform.run> =>
    terraform.run(["plan", "-detailed-exitcode", "-input=false", "-no-color"]);

  beforeAll(async () => {
    expect(await terraform.done(["apply", "-auto-approve", "-input=false", "-no-color"])).toContain(
      "Apply complete! Resources: 8 added, 0 changed, 0 destroyed.",
    );
  });

  test("the name in the output is the bucket's", async () => {
    expect(await terraform.done(["output", "-raw", "bucket_name"])).toBe(BUCKET);
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets).toMatchObject([{ Name: BUCKET }]);
  });

  test("its lifecycle is that of a folder store", async () => {
    const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: BUCKET }));
    // moto tells transitions in no order.
    const sorted = Rules.map(({ NoncurrentVersionTransitions: moves, ...rule }) => ({
      ...rule,
      ...(moves === undefined ? {} : { NoncurrentVersionTransitions: moves.toSorted(byDays) }),
    }));
    expect(sorted).toMatchObject(DEFAULT_LIFECYCLE.Rules);
  });

  test("with the .env that it writes, files are attached, listed, linked, deleted and brought back", async () => {
    const sandbox = await project();
    await writeFile(sandbox.path("report.pdf"), "%PDF-1.7\n");
    const key = keyOf(await attach(sandbox, "upload", "T-1", "report.pdf"));
    expect((await attach(sandbox, "list", "T-1")).stdout).toContain(key);
    const link = (await attach(sandbox, "presign", "T-1", "report.pdf")).stdout.trim();
    expect(await (await fetch(link)).text()).toBe("%PDF-1.7\n");
    expect((await attach(sandbox, "delete", "T-1", "report.pdf")).stderr).toContain("taskflow attach undelete T-1");
    expect((await attach(sandbox, "list", "T-1")).stdout).toBe("");
    await attach(sandbox, "undelete", "T-1", "report.pdf");
    expect((await attach(sandbox, "download", "T-1", "report.pdf", "-o", "-")).stdout).toBe("%PDF-1.7\n");
  });

  test("lifecycle status tells the rules that were applied", async () => {
    const { stdout } = await attach(await project(), "lifecycle", "status", "--json");
    const { rules } = JSON.parse(stdout) as { rules: unknown };
    expect(rules).toMatchObject(DEFAULT_LIFECYCLE.Rules.map(({ ID }) => ({ id: ID })));
  });

  test("doctor finds nothing wrong, and may write", async () => {
    const checks = await examine(await project(), "--write");
    expect(checks.filter(({ status }) => status === "fail")).toEqual([]);
    expect(checks.filter(({ status }) => status === "ok").map(({ id }) => id)).toEqual(
      expect.arrayContaining(["public-access", "encryption", "ownership", "versioning", "lifecycle", "write-delete"]),
    );
  });

  test("only pages of the named origins are let in", async () => {
    // moto's own preflight lets everybody in: what it was told is what S3 would act on.
    const { CORSRules } = await client.send(new GetBucketCorsCommand({ Bucket: BUCKET }));
    expect(CORSRules).toHaveLength(1);
    const [{ AllowedOrigins = [], AllowedHeaders = [], ExposeHeaders = [] } = {}] = CORSRules ?? [];
    expect(AllowedOrigins.toSorted()).toEqual(["http://localhost:3000", "http://localhost:5173"]);
    expect(AllowedHeaders.toSorted()).toEqual(["content-type", "if-none-match", "x-amz-checksum-*", "x-amz-meta-*"]);
    expect(ExposeHeaders.toSorted()).toEqual(["ETag", "x-amz-version-id"]);
  });

  test("a second plan finds no changes", async () => {
    expect(await plan()).toMatchObject({ status: 0, stdout: expect.stringContaining("No changes.") as string });
  });

  test("versioning that somebody suspended is found by plan and by doctor", async () => {
    const VersioningConfiguration = { Status: "Suspended" } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
    const { status, stdout } = await plan();
    expect(status).toBe(2);
    expect(stdout).toContain("aws_s3_bucket_versioning.attachments will be updated in-place");
    expect(stdout).toMatch(/status\s+= "Suspended" -> "Enabled"/);
    expect(stdout).toContain("Plan: 0 to add, 1 to change, 0 to destroy.");
    const checks = await examine(await project());
    expect(checks.find(({ id }) => id === "versioning")).toMatchObject({
      status: "warn",
      message: expect.stringContaining("suspended") as string,
    });
  });

  test("destroy leaves nothing, with versions, markers and an unfinished upload in the bucket", async () => {
    const sandbox = await project();
    await writeFile(path.join(sandbox.cwd, "notes.txt"), "remember the milk\n");
    await attach(sandbox, "upload", "T-2", "notes.txt");
    await attach(sandbox, "delete", "T-2", "notes.txt", "--yes");
    await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: "tasks/T-2/unfinished" }));
    expect(await terraform.done(["destroy", "-auto-approve", "-input=false", "-no-color"])).toContain(
      "Destroy complete! Resources: 8 destroyed.",
    );
    expect((await client.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    expect(await terraform.done(["state", "list"])).toBe("");
  });
});

interface CheckJson {
  readonly id: string;
  readonly status: string;
  readonly message: string;
}

function byDays(one: NoncurrentVersionTransition, other: NoncurrentVersionTransition): number {
  return (one.NoncurrentDays ?? 0) - (other.NoncurrentDays ?? 0);
}

/** `null`: there is none on this machine. */
async function startEmulator(): Promise<Moto | null> {
  if (hasTool("moto_server")) return await startMoto();
  process.stderr.write(`skipped: ${missing("moto_server")}\n`);
  return null;
}
