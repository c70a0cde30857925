/** `doctor` and `thaw` of the built program against a server: what each of them answers, and what a browser is told. */
import { writeFile } from "node:fs/promises";
import { CreateMultipartUploadCommand, PutBucketCorsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { keyOf } from "../bin/support.ts";
import type { Finished } from "../bin/support.ts";
import { openScene } from "./scene-support.ts";

const ORIGIN = "https://app.example.com";

const scene = await openScene();
const { server, buckets, bucket, task, attach, done } = scene;

interface Finding {
  readonly id: string;
  readonly status: string;
  readonly message: string;
  readonly fix: string | null;
}

function findingsOf({ stdout }: Finished): ReadonlyMap<string, Finding> {
  const { checks } = JSON.parse(stdout) as { checks: readonly Finding[] };
  return new Map(checks.map((check) => [check.id, check]));
}

async function doctor(...words: string[]): Promise<ReadonlyMap<string, Finding> & { readonly status?: never }> {
  return findingsOf(await attach(["doctor", "--json", ...words]));
}

describe(`doctor on ${server.name}`, () => {
  test("finds no failure in a bucket that works, and --write leaves nothing of its probe", async () => {
    const finished = await attach(["doctor", "--json", "--write"]);
    const found = findingsOf(finished);
    const failed = [...found.values()].filter(({ status }) => status === "fail");
    expect([finished.status, failed]).toEqual([0, []]);
    expect(found.get("credentials")?.message).toContain("the access key of the environment");
    expect(found.get("clock")).toMatchObject({ status: "ok" });
    expect(found.get("bucket")?.message).toContain(`s3://${bucket} answers`);
    expect(found.get("versioning")).toMatchObject({ status: "ok" });
    for (const step of ["put", "read", "once", "list", "delete", "clean"]) {
      expect(found.get(`write-${step}`), step).toMatchObject({ status: "ok" });
    }
    const listed = await done(["list", "taskflow-doctor"]);
    const deleted = await done(["list", "taskflow-doctor", "--deleted"]);
    expect([listed.stdout, deleted.stdout]).toEqual(["", ""]);
  });

  test.skipIf(server.onlyBucket !== null)("a browser's preflight is allowed and refused as the rules say", async () => {
    const rule = {
      AllowedOrigins: [ORIGIN],
      AllowedMethods: ["GET", "HEAD", "PUT"],
      // moto answers with the patterns as they stand, which no browser understands: doctor says so there.
      AllowedHeaders:
        server.name === "moto" ? ["*"] : ["content-type", "if-none-match", "x-amz-checksum-*", "x-amz-meta-*"],
    };
    await buckets.client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules: [rule] } }));
    expect((await doctor("--origin", ORIGIN)).get("cors")).toMatchObject({ status: "ok" });
    const refused = (await doctor("--origin", "https://new.example.com")).get("cors");
    expect(refused).toMatchObject({
      status: "fail",
      fix: expect.stringContaining(`allowed_origins = ["${ORIGIN}", "https://new.example.com"]`) as string,
    });
  });

  test("counts unfinished uploads", async () => {
    const at = { Bucket: bucket, Key: `tasks/${task()}/unfinished.bin` };
    await buckets.client.send(new CreateMultipartUploadCommand(at));
    expect((await doctor()).get("unfinished")?.message).toMatch(/^\d+ uploads? with \d+ bytes, the oldest /);
    await buckets.clear(bucket, at.Key);
  });

  // moto knows none.
  if (server.stranger !== null) {
    const { accessKeyId, secretAccessKey } = server.stranger;
    test("a stranger's refusal is named, and nothing of the bucket is told", async () => {
      const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
      const finished = await attach(["doctor", "--json", "--write"], { env });
      const found = findingsOf(finished);
      const statuses = ["credentials", "bucket"].map((id) => found.get(id)?.status);
      expect([finished.status, ...statuses]).toEqual([4, "ok", "fail"]);
      expect(found.get("write-put")).toMatchObject({
        status: "fail",
        message: expect.stringContaining("s3:PutObject") as string,
      });
    });
  }

  test("keys that nobody knows are the credentials' fault", async () => {
    const env = { AWS_ACCESS_KEY_ID: "AKIANOBODYS000000000", AWS_SECRET_ACCESS_KEY: "nobodys" };
    const { status, stdout } = await attach(["doctor", "--json"], { env });
    // moto looks at no key.
    const wanted = server.name === "moto" ? [0, "ok"] : [4, "fail"];
    expect([status, findingsOf({ stdout } as Finished).get("credentials")?.status]).toEqual(wanted);
  });
});

// What is put into an archive of AWS is paid for 90 days.
describe.skipIf(server.onlyBucket !== null)(`thaw on ${server.name}`, () => {
  test("what isn't archived is done", async () => {
    await writeFile(scene.sandbox().path("a.txt"), "bytes");
    const key = keyOf(await done(["upload", task(), "a.txt"]));
    const { stdout, stderr } = await done(["thaw", key]);
    expect([stdout, stderr]).toEqual([`${key}\n`, expect.stringContaining("not archived, can be read as it is")]);
  });

  test("what is archived is asked for", async () => {
    const key = `tasks/${task()}/0b9c6f0e-0000-4000-8000-000000000001_cold.txt`;
    const content = { Bucket: bucket, Key: key, Body: "cold" };
    await buckets.client.send(new PutObjectCommand({ ...content, StorageClass: "GLACIER" }));
    // moto has it at once; the double when a test says so.
    const wait = server.name === "moto" ? ["--wait"] : [];
    const { status, stdout, stderr } = await attach(["thaw", "--days", "1", ...wait, key]);
    // Ceph 16 doesn't know RestoreObject: its GLACIER is a name, read like any other.
    if (server.name === "ceph")
      expect([status, stdout, stderr]).toEqual([5, "", expect.stringContaining("can't do this")]);
    else expect([status, stdout, stderr]).toEqual([0, `${key}\n`, expect.stringContaining("asked for 1 attachment")]);
    if (server.name === "moto") expect((await done(["download", key, "-o", "-"])).stdout).toBe("cold");
  });
});
