/**
 * The built program against a server, as a person uses it, and what another program sees of it. `npm test` runs it on
 * the double, `npm run test:ceph`, `test:moto` and `test:aws` on others.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { createSandbox, keyOf } from "../bin/support.ts";
import type { Finished, Sandbox, StartOptions } from "../bin/support.ts";
import { bytesOf } from "../conformance/bodies.ts";
import { hasTool } from "../tools.ts";
import { openBuckets } from "./buckets.ts";
import type { Versioning } from "./buckets.ts";
import { freePorts } from "./ports.ts";
import { startTestServer } from "./test-server.ts";

const MIB = 1024 * 1024;

const server = await startTestServer();
const buckets = openBuckets(server);
const { onlyBucket } = server;
const keepsVersions = onlyBucket === null || (await buckets.versioningOf(onlyBucket)) === "Enabled";
const bucket = onlyBucket ?? (await buckets.create("Enabled"));

let sandbox: Sandbox;
/** Each test's own; nobody else's in a bucket that isn't ours. */
let task = "";
const tasks: string[] = [];

beforeEach(async () => {
  sandbox = await createSandbox();
  task = `taskflow-test-${randomBytes(8).toString("hex")}`;
  tasks.push(task);
});

afterAll(async () => {
  try {
    if (onlyBucket !== null) for (const each of tasks) await buckets.clear(onlyBucket, `tasks/${each}/`);
  } finally {
    buckets.close();
    await server.stop();
  }
}, 120_000);

type Env = Readonly<Record<string, string | undefined>>;

function environment(): Env {
  const { endpoint, region, owner } = server;
  const aws = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("AWS_")));
  return {
    ...aws,
    ...(endpoint === null ? {} : { AWS_ENDPOINT_URL_S3: endpoint }),
    ...(region === null ? {} : { AWS_REGION: region }),
    ...(owner === null ? {} : { AWS_ACCESS_KEY_ID: owner.accessKeyId, AWS_SECRET_ACCESS_KEY: owner.secretAccessKey }),
    USE_S3: "true",
    AWS_S3_BUCKET: bucket,
    TASKFLOW_USER: "ada",
  };
}

function attach(words: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return sandbox.run(["attach", ...words], { ...options, env: { ...environment(), ...options.env } });
}

/** As `attach`, of what must succeed. */
async function done(words: readonly string[], options: StartOptions = {}): Promise<Finished> {
  const finished = await attach(words, options);
  expect({ words, status: finished.status, stderr: finished.stderr }).toEqual({
    words,
    status: 0,
    stderr: finished.stderr,
  });
  return finished;
}

interface Item {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  readonly sha256?: string | null;
  readonly deleted: boolean;
}

async function items(words: readonly string[]): Promise<readonly Item[]> {
  const { stdout } = await done(["--json", ...words]);
  return (JSON.parse(stdout) as { items: readonly Item[] }).items;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What another client reads. */
async function stored(key: string): Promise<Buffer> {
  const { Body } = await buckets.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** How many versions and markers another client sees of the task. */
async function kept(): Promise<{ versions: number; markers: number }> {
  const { Versions = [], DeleteMarkers = [] } = await buckets.client.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `tasks/${task}/` }),
  );
  return { versions: Versions.length, markers: DeleteMarkers.length };
}

async function unfinished(): Promise<number> {
  const { Uploads = [] } = await buckets.client.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `tasks/${task}/` }),
  );
  return Uploads.length;
}

describe(`on ${server.name}`, () => {
  test("a file's life: attached, listed, shown, downloaded and verified", async () => {
    await writeFile(sandbox.path("notes.txt"), "remember the milk\n");
    const key = keyOf(
      await done(["upload", task, "notes.txt", "--note", "für später", "--meta", "k=v", "--tag", "a=b c"]),
    );
    expect(key).toMatch(new RegExp(`^tasks/${task}/[0-9a-f-]{36}_notes\\.txt$`));
    const [row = ""] = (await done(["list", task])).stdout.split("\n");
    expect(row.split("\t")).toEqual([key, expect.any(String), "18", expect.any(String), "STANDARD", "notes.txt"]);
    expect(await items(["show", task, "notes.txt"])).toMatchObject([
      {
        key,
        name: "notes.txt",
        size: 18,
        type: "text/plain",
        sha256: sha256(Buffer.from("remember the milk\n")),
        uploadedBy: "ada",
        note: "für später",
        meta: { k: "v" },
        tags: { a: "b c" },
        deleted: false,
      },
    ]);
    await done(["download", task, "notes.txt", "-o", "copy.txt"]);
    expect(await readFile(sandbox.path("copy.txt"), "utf8")).toBe("remember the milk\n");
    expect((await done(["verify", task])).stderr).toContain("1 ok");
    const head = await buckets.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    expect(head).toMatchObject({
      ContentLength: 18,
      ContentType: "text/plain",
      Metadata: { name: "notes.txt", note: "f%C3%BCr%20sp%C3%A4ter" },
    });
    expect((await stored(key)).toString()).toBe("remember the milk\n");
  });

  test("20 MiB go in parts, come back as they were, and leave no part behind", async () => {
    const bytes = bytesOf(20 * MIB);
    await writeFile(sandbox.path("large.bin"), bytes);
    const key = keyOf(await done(["upload", task, "large.bin", "--quiet"]));
    await done(["download", task, "large.bin", "-o", "copy.bin"]);
    expect(sha256(await readFile(sandbox.path("copy.bin")))).toBe(sha256(bytes));
    expect((await done(["verify", key])).stderr).toContain("1 ok");
    expect(sha256(await stored(key))).toBe(sha256(bytes));
    const { ETag = "" } = await buckets.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    expect(ETag, "stored in parts").toMatch(/-\d+"$/);
    expect(await unfinished()).toBe(0);
  });

  test.each([
    ["a few bytes", 1000],
    ["more than one request takes", 11 * MIB],
  ])("stdin: %s, of a size that nobody knew", async (_, size) => {
    const bytes = bytesOf(size);
    const key = keyOf(await done(["upload", task, "-", "--name", "piped.log"], { stdin: bytes }));
    expect(sha256(await stored(key))).toBe(sha256(bytes));
    expect(sha256((await done(["download", task, "piped.log", "-o", "-"])).bytes)).toBe(sha256(bytes));
    expect(await items(["show", key])).toMatchObject([{ name: "piped.log", size, sha256: sha256(bytes) }]);
  });

  test("names of any kind go there and back", async () => {
    const names = [
      "with spaces  and more.txt",
      "Prüfbericht – 日本語.pdf",
      "🎉 party 👩‍👩‍👧.png",
      "-rf",
      "two\nlines.txt",
      "100%25 a+b#c?&d=e;f@g:h,i.txt",
      'quote\'s "double" $(not run) `either`',
      "back\\slash.txt",
      `${"n".repeat(251)}.pdf`,
    ];
    await mkdir(sandbox.path("in"));
    for (const name of names) await writeFile(sandbox.path("in", name), `the bytes of ${name}`);
    const { stdout } = await done(["upload", task, "--", ...names], { cwd: sandbox.path("in") });
    const keys = stdout.trimEnd().split("\n");
    expect(keys).toHaveLength(names.length);
    expect((await items(["list", task])).map(({ key }) => key).sort()).toEqual([...keys].sort());
    for (const [at, name] of names.entries()) {
      expect(await items(["show", "--task", task, "--", name])).toMatchObject([{ key: keys[at], name }]);
      expect((await stored(keys[at] ?? "")).toString()).toBe(`the bytes of ${name}`);
    }
    await done(["download", task, "-o", "out/"]);
    const copies = await readdir(sandbox.path("out"));
    const contents = await Promise.all(copies.map((name) => readFile(sandbox.path("out", name), "utf8")));
    expect(contents.sort()).toEqual(names.map((name) => `the bytes of ${name}`).sort());
    await done(["delete", task, "--all"]);
    expect(await items(["list", task])).toEqual([]);
    if (keepsVersions) {
      await done(["undelete", task, "--all"]);
      expect((await items(["list", task])).map(({ key }) => key).sort()).toEqual([...keys].sort());
    }
  });

  if (keepsVersions) {
    test("what is deleted is listed so, comes back whole, and is gone once it is purged", async () => {
      await writeFile(sandbox.path("notes.txt"), "remember the milk\n");
      const key = keyOf(await done(["upload", task, "notes.txt", "--tag", "a=b"]));
      const [before] = await items(["show", key]);
      const { stdout, stderr } = await done(["delete", task, "notes.txt"]);
      expect(stdout).toBe(`${key}\n`);
      expect(stderr).toContain("undelete");
      expect(await kept()).toEqual({ versions: 1, markers: 1 });
      expect(await items(["list", task])).toEqual([]);
      expect(await items(["list", task, "--deleted"])).toMatchObject([{ key, deleted: true, size: 18 }]);
      expect((await attach(["download", task, "notes.txt", "-o", "-"])).status).toBe(3);
      await done(["undelete", task, "notes.txt"]);
      expect(await kept()).toEqual({ versions: 1, markers: 0 });
      expect(await items(["show", key])).toEqual([before]);
      expect((await done(["download", task, "notes.txt", "-o", "-"])).stdout).toBe("remember the milk\n");
      await done(["delete", task, "notes.txt", "--purge", "--yes"]);
      expect(await kept()).toEqual({ versions: 0, markers: 0 });
      expect(await items(["list", task, "--deleted"])).toEqual([]);
      expect((await attach(["undelete", key])).status).toBe(3);
    });
  }

  test.skipIf(!hasTool("aws"))("what another client put there is listed, downloaded, and deleted", async () => {
    const bytes = bytesOf(9 * MIB);
    await writeFile(sandbox.path("photo.png"), bytes);
    await aws("s3", "cp", "photo.png", `s3://${bucket}/tasks/${task}/a photo & more+.png`);
    await aws("s3", "cp", "photo.png", `s3://${bucket}/tasks/${task}/sub/not an attachment.png`);
    expect(await items(["list", task])).toMatchObject([{ name: "a photo & more+.png", size: bytes.length }]);
    await done(["download", task, "a photo & more+.png", "-o", "copy.png"]);
    expect(sha256(await readFile(sandbox.path("copy.png")))).toBe(sha256(bytes));
    expect(await items(["show", task, "a photo & more+.png"])).toMatchObject([{ type: "image/png", sha256: null }]);
    await done(["delete", task, "a photo & more+.png"]);
    expect(await items(["list", task])).toEqual([]);
  });

  test.skipIf(!hasTool("aws"))("another client reads bytes, type and metadata as they were given", async () => {
    const bytes = bytesOf(10 * MIB);
    await writeFile(sandbox.path("data.csv"), bytes);
    const key = keyOf(await done(["upload", task, "data.csv", "--type", "text/csv", "--note", "Ärger"]));
    await aws("s3", "cp", `s3://${bucket}/${key}`, "copy.csv");
    expect(sha256(await readFile(sandbox.path("copy.csv")))).toBe(sha256(bytes));
    const told = JSON.parse(await aws("s3api", "head-object", "--bucket", bucket, "--key", key)) as {
      ContentType: string;
      Metadata: Record<string, string>;
    };
    expect(told.ContentType).toBe("text/csv");
    expect(told.Metadata).toMatchObject({
      name: "data.csv",
      sha256: sha256(bytes),
      size: String(10 * MIB),
      note: "%C3%84rger",
    });
  });

  if (onlyBucket === null) {
    test("a bucket without versions: a delete says that it is for good, and nothing comes back", async () => {
      const env = { AWS_S3_BUCKET: await buckets.create("Unversioned") };
      await writeFile(sandbox.path("a.txt"), "a");
      const key = keyOf(await done(["upload", task, "a.txt"], { env }));
      expect((await attach(["delete", key], { env })).status, "it asks").toBe(9);
      const { stderr } = await done(["delete", key, "--yes"], { env });
      expect(stderr).not.toContain("undelete");
      expect((await attach(["undelete", key], { env })).status).toBe(5);
      expect((await done(["list", task], { env })).stdout).toBe("");
    });

    test("versions that were kept before they were suspended still come back", async () => {
      const own = await buckets.create("Enabled");
      const env = { AWS_S3_BUCKET: own };
      await writeFile(sandbox.path("a.txt"), "a");
      const key = keyOf(await done(["upload", task, "a.txt"], { env }));
      await buckets.setVersioning(own, "Suspended" satisfies Versioning);
      await done(["delete", key, "--yes"], { env });
      expect((await done(["list", task, "--deleted"], { env })).stdout).toContain(key);
      await done(["undelete", key], { env });
      expect((await done(["download", key, "-o", "-"], { env })).stdout).toBe("a");
    });
  }

  const { stranger, endpoint, owner } = server;
  if (stranger !== null) {
    test("who may not is told so, whatever they try: exit 4", async () => {
      await writeFile(sandbox.path("a.txt"), "a");
      const key = keyOf(await done(["upload", task, "a.txt"]));
      const env = { AWS_ACCESS_KEY_ID: stranger.accessKeyId, AWS_SECRET_ACCESS_KEY: stranger.secretAccessKey };
      for (const words of [
        ["list", task],
        ["upload", task, "a.txt"],
        ["show", key],
        ["download", key, "-o", "out/"],
        ["delete", key, "--yes"],
        ["delete", key, "--purge", "--yes"],
        ["undelete", key],
      ]) {
        const { status, stdout, stderr } = await attach(words, { env });
        expect({ words, status, stdout, stderr }).toEqual({
          words,
          status: 4,
          stdout: "",
          stderr: expect.stringContaining("Access Denied"),
        });
        expect(stderr).not.toContain(stranger.secretAccessKey);
      }
      expect(await kept()).toEqual({ versions: 1, markers: 0 });
    });

    test("a wrong secret, and a key that nobody has, are exit 4", async () => {
      for (const env of [{ AWS_SECRET_ACCESS_KEY: "wrong" }, { AWS_ACCESS_KEY_ID: "AKIANOBODYHASIT00000" }]) {
        const { status, stderr } = await attach(["list", task], { env });
        expect({ status, stderr }).toEqual({
          status: 4,
          stderr: expect.stringMatching(
            /^error: [^]*^hint: check AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)\b(?!.*hidden)/m,
          ),
        });
      }
    });
  }

  if (server.name === "double") {
    test("another region than the bucket's is exit 5, and the hint names the right one", async () => {
      const { status, stderr } = await attach(["list", task], { env: { AWS_REGION: "eu-central-1" } });
      expect({ status, stderr }).toEqual({ status: 5, stderr: expect.stringContaining("AWS_REGION=us-east-1") });
    });
  }

  test("a bucket that isn't there is exit 5, whatever is asked of it", async () => {
    await writeFile(sandbox.path("a.txt"), "a");
    const env = { AWS_S3_BUCKET: `taskflow-none-${randomBytes(8).toString("hex")}` };
    for (const words of [
      ["list", task],
      ["upload", task, "a.txt"],
      ["show", task, "a.txt"],
      ["delete", `tasks/${task}/a.txt`],
    ]) {
      const { status, stderr } = await attach(words, { env });
      expect({ words, status, stderr }).toEqual({
        words,
        status: 5,
        stderr: expect.stringContaining("there is no bucket"),
      });
    }
  });

  if (endpoint !== null && owner !== null) {
    test("a server that isn't there is exit 6", async () => {
      const [port = 0] = await freePorts(1);
      const { status, stderr } = await attach(["list", task], {
        env: { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` },
      });
      expect({ status, stderr }).toEqual({ status: 6, stderr: expect.stringContaining("nothing answers") });
    });
  }
});

/** The AWS CLI, as whoever owns the bucket; what it prints. */
async function aws(...words: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    // Other S3s don't know the checksums that it adds by itself.
    AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
    AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
    AWS_DEFAULT_REGION: server.region ?? undefined,
    ...environment(),
  };
  const { status, stdout, stderr } = await sandbox.launch(["aws", ...words], { env }).finished;
  if (status !== 0) throw new Error(`aws ${words.join(" ")}: ${stderr}`);
  return stdout;
}
