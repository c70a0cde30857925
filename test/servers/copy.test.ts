/**
 * Attachments on their way from store to store, stopped and killed in between. `npm test` runs it on the double,
 * `npm run test:ceph`, `test:moto` and `test:aws` on others.
 */
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { bytesOf } from "../conformance/bodies.ts";
import { openScene, sha256 } from "./scene-support.ts";

const MIB = 1024 * 1024;
const SMALL_FILES = 40;

const scene = await openScene();
const { server, buckets, bucket, task, attach, done, items, refused } = scene;
const file = (...parts: string[]): string => scene.sandbox().path(...parts);

/** What a folder store has of the task, but for the store's own id. */
async function treeOf(store: string): Promise<Record<string, string>> {
  const folders = [`tasks/${task()}`, `.taskflow/meta/${task()}`, `.taskflow/class/${task()}`];
  const files = folders.map(async (folder) => {
    const names = await readdir(file(store, folder)).catch(() => []);
    return await Promise.all(
      names.map(async (name) => [path.join(folder, name), sha256(await readFile(file(store, folder, name)))]),
    );
  });
  return Object.fromEntries((await Promise.all(files)).flat()) as Record<string, string>;
}

/** A folder store with many small attachments, one that goes in parts, and names and records of any kind. */
async function filled(): Promise<void> {
  await mkdir(file("in"));
  const names = Array.from({ length: SMALL_FILES }, (_, n) => `Datei ${n} – 日本 +%2F#?.txt`);
  for (const name of names) await writeFile(file("in", name), `the bytes of ${name}`);
  await writeFile(file("in", "large.bin"), bytesOf(20 * MIB));
  await writeFile(file("in", "empty"), "");
  const options = ["--store", "./uploads/", "--note", "für später", "--meta", "k=v", "--tag", "a=b c"];
  await done(["upload", task(), ...options, "-r", "in/"]);
}

/** Runs a copy until its first key is told, and ends it there. */
async function cut(signal: NodeJS.Signals, ...words: string[]): Promise<void> {
  const running = scene.start(["copy", "--concurrency", "1", "--task", task(), ...words]);
  running.child.stdout?.once("data", () => running.child.kill(signal));
  const { status, stderr } = await running.finished;
  if (signal === "SIGKILL") return;
  expect(status).toBe(130);
  expect(stderr).toMatch(/copied \d+ attachments? .*; the same command copies the rest/);
}

describe(`copies on ${server.name}`, () => {
  test("folder to bucket to folder, each stopped twice on its way: the trees are the same", async () => {
    await filled();
    const there = ["--from", "./uploads/", "--to", `s3://${bucket}`];
    await cut("SIGINT", ...there);
    await cut("SIGKILL", ...there);
    const { stderr } = await done(["copy", ...there, "--task", task()]);
    expect(stderr).toMatch(/, \d+ were there already$/m);
    const back = ["--from", `s3://${bucket}`, "--to", "./back/"];
    await cut("SIGKILL", ...back);
    await cut("SIGINT", ...back);
    await done(["copy", ...back, "--task", task()]);
    const tree = await treeOf("uploads");
    expect(Object.keys(tree)).toHaveLength(2 * (SMALL_FILES + 2));
    expect(await treeOf("back")).toEqual(tree);
    expect((await done(["verify", task(), "--strict"])).stderr).toContain(`${SMALL_FILES + 2} ok`);
    expect((await scene.kept()).unfinished, "a kill may leave the parts of one").toBeLessThan(2);
    expect((await done(["copy", ...there, "--task", task()])).stderr).toContain("copied 0 attachments");
  });

  test("what another program put into the bucket gets a digest on its way, large or small", async () => {
    const contents = { "abc123_small.txt": bytesOf(100), "abc124_large.bin": bytesOf(11 * MIB) };
    for (const [name, Body] of Object.entries(contents)) {
      const Key = `tasks/${task()}/${name}`;
      await buckets.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    }
    const words = ["copy", "--from", `s3://${bucket}`, "--to", "./back", "--task", task()];
    expect(await items(words)).toMatchObject([
      { name: "small.txt", adopted: true, sha256: sha256(contents["abc123_small.txt"]) },
      { name: "large.bin", adopted: true, sha256: sha256(contents["abc124_large.bin"]) },
    ]);
    expect((await done(words)).stderr).toContain("2 were there already");
  });

  if (server.onlyBucket === null) {
    test("bucket to bucket, and other bytes there stay as they are", async () => {
      await filled();
      await done(["copy", "--from", "./uploads/", "--to", `s3://${bucket}`, "--task", task()]);
      const other = await buckets.create("Unversioned");
      const words = ["copy", "--from", `s3://${bucket}`, "--to", `s3://${other}`, "--task", task()];
      const [first, ...rest] = (await done(words)).stdout.trimEnd().split("\n");
      expect(rest).toHaveLength(SMALL_FILES + 1);
      const env = { AWS_S3_BUCKET: other };
      const shown = async (more: Record<string, string>): Promise<unknown> =>
        await items(["list", task(), "--details", "--sort", "key"], { env: more });
      expect(await shown(env)).toEqual(await shown({}));
      await buckets.client.send(new PutObjectCommand({ Bucket: other, Key: first, Body: "others" }));
      const { status, stderr } = await attach(words);
      expect({ status, stderr }).toMatchObject({
        status: 7,
        stderr: expect.stringContaining("other bytes") as unknown,
      });
      const { stdout } = await done(["download", first ?? "", "-o", "-"], { env });
      expect(stdout).toBe("others");
    });

    test("a bucket that isn't there is exit 5, and no folder is made for it", async () => {
      const none = `s3://taskflow-none-${task().slice(-12)}`;
      await refused(["copy", "--from", none, "--to", "./back"], {}, 5, /there is no bucket/);
    });
  }
});
