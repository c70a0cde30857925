/**
 * The built program against a server, as a person uses it, and what another program sees of it. `npm test` runs it on
 * the double, `npm run test:ceph`, `test:moto` and `test:aws` on others.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { keyOf } from "../bin/support.ts";
import { bytesOf } from "../conformance/bodies.ts";
import { hasTool } from "../tools.ts";
import { freePorts } from "./ports.ts";
import { openScene, sha256 } from "./scene-support.ts";

const MIB = 1024 * 1024;
const NOTES = "remember the milk\n";
const HARD_NAMES = [
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

const scene = await openScene();
const { server, buckets, bucket, task, attach, done, items, refused, aws, stored, head, kept } = scene;
const file = (...parts: string[]): string => scene.sandbox().path(...parts);

describe(`attachments on ${server.name}`, () => {
  test("a file's life: attached, listed, shown, downloaded and verified", async () => {
    await writeFile(file("notes.txt"), NOTES);
    const options = ["--note", "für später", "--meta", "k=v", "--tag", "a=b c"];
    const key = keyOf(await done(["upload", task(), "notes.txt", ...options]));
    expect(key).toMatch(new RegExp(`^tasks/${task()}/[0-9a-f-]{36}_notes\\.txt$`));
    const [row = ""] = (await done(["list", task()])).stdout.split("\n");
    expect(row.split("\t")).toEqual([key, expect.any(String), "18", expect.any(String), "STANDARD", "notes.txt"]);
    expect(await items(["show", task(), "notes.txt"])).toMatchObject([
      {
        key,
        name: "notes.txt",
        size: 18,
        type: "text/plain",
        sha256: sha256(Buffer.from(NOTES)),
        uploadedBy: "ada",
        note: "für später",
        meta: { k: "v" },
        tags: { a: "b c" },
        deleted: false,
      },
    ]);
    await done(["download", task(), "notes.txt", "-o", "copy.txt"]);
    expect(await readFile(file("copy.txt"), "utf8")).toBe(NOTES);
    expect((await done(["verify", task()])).stderr).toContain("1 ok");
    expect(await head(key)).toMatchObject({
      ContentLength: 18,
      ContentType: "text/plain",
      Metadata: { name: "notes.txt", note: "f%C3%BCr%20sp%C3%A4ter" },
    });
    expect((await stored(key)).toString()).toBe(NOTES);
  });

  test("20 MiB go in parts, come back as they were, and leave no part behind", async () => {
    const bytes = bytesOf(20 * MIB);
    await writeFile(file("large.bin"), bytes);
    const key = keyOf(await done(["upload", task(), "large.bin", "--quiet"]));
    await done(["download", task(), "large.bin", "-o", "copy.bin"]);
    expect(sha256(await readFile(file("copy.bin")))).toBe(sha256(bytes));
    expect((await done(["verify", key])).stderr).toContain("1 ok");
    expect(sha256(await stored(key))).toBe(sha256(bytes));
    expect((await head(key)).ETag, "stored in parts").toMatch(/-\d+"$/);
    expect(await kept()).toEqual({ versions: 1, markers: 0, unfinished: 0 });
  });

  test.each([
    ["a few bytes", 1000],
    ["more than one request takes", 11 * MIB],
  ])("stdin: %s, of a size that nobody knew", async (_, size) => {
    const bytes = bytesOf(size);
    const key = keyOf(await done(["upload", task(), "-", "--name", "piped.log"], { stdin: bytes }));
    expect(sha256(await stored(key))).toBe(sha256(bytes));
    expect(sha256((await done(["download", task(), "piped.log", "-o", "-"])).bytes)).toBe(sha256(bytes));
    expect(await items(["show", key])).toMatchObject([{ name: "piped.log", size, sha256: sha256(bytes) }]);
  });

  test("run: a log that is longer than a request takes is attached whole, with the command's own exit code", async () => {
    const script = "yes 'line of a long log' | head -c 11000000; exit 3";
    const { status, bytes } = await attach(["run", task(), "--name", "long.log", "--", "sh", "-c", script]);
    expect({ status, size: bytes.length }).toEqual({ status: 3, size: 11_000_000 });
    expect(await items(["show", task(), "long.log"])).toMatchObject([
      { size: 11_000_000, sha256: sha256(bytes), meta: { "exit-code": "3" } },
    ]);
    expect((await done(["verify", task()])).stderr).toContain("1 ok");
  });

  test("names of any kind go there and back", async () => {
    await mkdir(file("in"));
    const bytesOfName = (name: string): string => `the bytes of ${name}`;
    for (const name of HARD_NAMES) await writeFile(file("in", name), bytesOfName(name));
    const { stdout } = await done(["upload", task(), "--", ...HARD_NAMES], { cwd: file("in") });
    const keys = stdout.trimEnd().split("\n");
    expect(keys).toHaveLength(HARD_NAMES.length);
    const listed = async (): Promise<string[]> => (await items(["list", task()])).map(({ key }) => key).sort();
    expect(await listed()).toEqual([...keys].sort());
    for (const [at, name] of HARD_NAMES.entries()) {
      expect(await items(["show", "--task", task(), "--", name])).toMatchObject([{ key: keys[at], name }]);
      expect((await stored(keys[at] ?? "")).toString()).toBe(bytesOfName(name));
    }
    await done(["download", task(), "-o", "out/"]);
    const copies = await readdir(file("out"));
    const contents = await Promise.all(copies.map((name) => readFile(file("out", name), "utf8")));
    expect(contents.sort()).toEqual(HARD_NAMES.map((name) => bytesOfName(name)).sort());
    await done(["delete", task(), "--all", "--yes"]);
    expect(await listed()).toEqual([]);
    if (scene.keepsVersions) {
      await done(["undelete", task(), "--all"]);
      expect(await listed()).toEqual([...keys].sort());
    }
  });

  if (scene.keepsVersions) {
    test("what is deleted is listed so, comes back whole, and is gone once it is purged", async () => {
      await writeFile(file("notes.txt"), NOTES);
      const key = keyOf(await done(["upload", task(), "notes.txt", "--tag", "a=b"]));
      const before = await items(["show", key]);
      const { stdout, stderr } = await done(["delete", task(), "notes.txt"]);
      expect(stdout).toBe(`${key}\n`);
      expect(stderr).toContain(`taskflow attach undelete ${task()} `);
      expect(await kept()).toMatchObject({ versions: 1, markers: 1 });
      expect(await items(["list", task()])).toEqual([]);
      expect(await items(["list", task(), "--deleted"])).toMatchObject([{ key, deleted: true, size: 18 }]);
      expect((await attach(["download", task(), "notes.txt", "-o", "-"])).status).toBe(3);
      await done(["undelete", task(), "notes.txt"]);
      expect(await kept()).toMatchObject({ versions: 1, markers: 0 });
      expect(await items(["show", key])).toEqual(before);
      expect((await done(["download", task(), "notes.txt", "-o", "-"])).stdout).toBe(NOTES);
      await done(["delete", task(), "notes.txt", "--purge", "--yes"]);
      expect(await kept()).toMatchObject({ versions: 0, markers: 0 });
      expect(await items(["list", task(), "--deleted"])).toEqual([]);
      expect((await attach(["undelete", key])).status).toBe(3);
    });
  }

  test.skipIf(!hasTool("aws"))("what another client put there is listed, downloaded and deleted", async () => {
    const bytes = bytesOf(9 * MIB);
    await writeFile(file("photo.png"), bytes);
    await aws("s3", "cp", "photo.png", `s3://${bucket}/tasks/${task()}/a photo & more+.png`);
    await aws("s3", "cp", "photo.png", `s3://${bucket}/tasks/${task()}/sub/not an attachment.png`);
    expect(await items(["list", task()])).toMatchObject([{ name: "a photo & more+.png", size: bytes.length }]);
    await done(["download", task(), "a photo & more+.png", "-o", "copy.png"]);
    expect(sha256(await readFile(file("copy.png")))).toBe(sha256(bytes));
    expect(await items(["show", task(), "a photo & more+.png"])).toMatchObject([{ type: "image/png", sha256: null }]);
    await done(["delete", task(), "a photo & more+.png", "--yes"]);
    expect(await items(["list", task()])).toEqual([]);
  });

  test.skipIf(!hasTool("aws"))("another client reads bytes, type and metadata as they were given", async () => {
    const bytes = bytesOf(10 * MIB);
    await writeFile(file("data.csv"), bytes);
    const key = keyOf(await done(["upload", task(), "data.csv", "--type", "text/csv", "--note", "Ärger"]));
    await aws("s3", "cp", `s3://${bucket}/${key}`, "copy.csv");
    expect(sha256(await readFile(file("copy.csv")))).toBe(sha256(bytes));
    expect(JSON.parse(await aws("s3api", "head-object", "--bucket", bucket, "--key", key))).toMatchObject({
      ContentType: "text/csv",
      Metadata: { name: "data.csv", sha256: sha256(bytes), size: String(bytes.length), note: "%C3%84rger" },
    });
  });

  if (server.onlyBucket === null) {
    test("a bucket without versions: a delete is asked about, is for good, and undelete says why", async () => {
      const env = { AWS_S3_BUCKET: await buckets.create("Unversioned") };
      await writeFile(file("a.txt"), "a");
      const key = keyOf(await done(["upload", task(), "a.txt"], { env }));
      await refused(["delete", key], env, 9, /can't be undone/);
      const { stderr } = await done(["delete", key, "--yes"], { env });
      expect(stderr).not.toContain("undelete");
      await refused(["undelete", key], env, 5, /keeps nothing of what is deleted[^]*put-bucket-versioning/);
      expect((await done(["list", task()], { env })).stdout).toBe("");
    });

    test("versions that were kept before they were suspended still come back", async () => {
      const own = await buckets.create("Enabled");
      const env = { AWS_S3_BUCKET: own };
      await writeFile(file("a.txt"), "a");
      const key = keyOf(await done(["upload", task(), "a.txt"], { env }));
      await buckets.setVersioning(own, "Suspended");
      await done(["delete", key, "--yes"], { env });
      const { stdout } = await done(["list", task(), "--deleted"], { env });
      if (server.forgetsOnceSuspended !== undefined) {
        expect(stdout).toBe("");
        return;
      }
      expect(stdout).toContain(key);
      await done(["undelete", key], { env });
      expect((await done(["download", key, "-o", "-"], { env })).stdout).toBe("a");
    });
  }
});

describe(`refusals of ${server.name}`, () => {
  const { stranger, endpoint } = server;

  if (stranger !== null) {
    test("who may not is told so, whatever they try: exit 4", async () => {
      await writeFile(file("a.txt"), "a");
      const key = keyOf(await done(["upload", task(), "a.txt"]));
      const env = { AWS_ACCESS_KEY_ID: stranger.accessKeyId, AWS_SECRET_ACCESS_KEY: stranger.secretAccessKey };
      for (const words of [
        ["list", task()],
        ["upload", task(), "a.txt"],
        ["show", key],
        ["download", key, "-o", "out/"],
        ["verify", key],
        ["delete", key, "--yes"],
        ["delete", key, "--purge", "--yes"],
        ["undelete", key],
      ]) {
        await refused(words, env, 4, /^error: .*Access Denied/);
      }
      expect(await kept()).toEqual({ versions: 1, markers: 0, unfinished: 0 });
    });

    test("a wrong secret, and a key that nobody has, are exit 4, with a hint that can be read", async () => {
      await refused(["list", task()], { AWS_SECRET_ACCESS_KEY: "wrong" }, 4, /^hint: check AWS_SECRET(?!.*hidden)/m);
      await refused(["list", task()], { AWS_ACCESS_KEY_ID: "AKIANOBODYHASIT00000" }, 4, /^hint: check AWS_ACCESS/m);
    });
  }

  if (server.name === "double") {
    // The others are one region, whatever it is called.
    test("another region than the bucket's is exit 5, and the hint names the right one", async () => {
      await refused(["list", task()], { AWS_REGION: "eu-central-1" }, 5, /AWS_REGION=us-east-1/);
    });
  }

  test("a bucket that isn't there is exit 5, whatever is asked of it", async () => {
    await writeFile(file("a.txt"), "a");
    const env = { AWS_S3_BUCKET: `taskflow-none-${randomBytes(8).toString("hex")}` };
    for (const words of [
      ["list", task()],
      ["upload", task(), "a.txt"],
      ["show", task(), "a.txt"],
      ["delete", `tasks/${task()}/a.txt`],
    ]) {
      await refused(words, env, 5, /there is no bucket/);
    }
  });

  if (endpoint !== null) {
    test("a server that isn't there is exit 6", async () => {
      const [port = 0] = await freePorts(1);
      await refused(["list", task()], { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` }, 6, /nothing answers/);
    });
  }
});
