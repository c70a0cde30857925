/** Copying from store to store: what arrives, what is skipped, what is refused. */
import { appendFile, mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { reply } from "../servers/s3-double/faults.ts";
import { BUCKET, createS3World } from "./s3-support.ts";
import { createWorld, itemsOf } from "./support.ts";
import type { World } from "./support.ts";

const COPY = ["attach", "copy", "--from", "./uploads", "--to", "./copy"];

async function contentsOf(world: World, ...parts: string[]): Promise<Record<string, string>> {
  const folder = path.join(world.cwd, ...parts);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const read = files.sort().map(async (file) => [path.relative(folder, file), await readFile(file, "utf8")]);
  return Object.fromEntries(await Promise.all(read)) as Record<string, string>;
}

async function expectSame(world: World, what: "tasks" | ".taskflow/meta" | ".taskflow/class"): Promise<void> {
  expect(await contentsOf(world, "copy", what)).toEqual(await contentsOf(world, "uploads", what));
}

async function filled(): Promise<World & { readonly keys: readonly string[] }> {
  const world = await createWorld();
  const keys = [
    await world.attach("T-1", "Prüfbericht.pdf", "one", "--note", "für später", "--meta", "k=v", "--tag", "a=b c"),
    await world.attach("T-1", "-rf two\nlines.txt", "two", "--type", "text/x-own"),
    await world.attach("T-10", "empty", ""),
    await world.attach("T-2", "cold.bin", "four", "--storage-class", "GLACIER"),
  ];
  return { ...world, keys: keys.sort() };
}

test("bytes, keys, times and all that is recorded arrive as they were", async () => {
  const world = await filled();
  const { status, lines, stderr } = await world.run(COPY);
  expect({ status, lines }).toEqual({ status: 0, lines: world.keys });
  expect(stderr).toContain(`created store ${world.cwd}/copy\n`);
  expect(stderr).toContain(`copied 4 attachments (10 B) to ${world.cwd}/copy\n`);
  for (const what of ["tasks", ".taskflow/meta", ".taskflow/class"] as const) await expectSame(world, what);
});

test("run again it copies what is new, and skips what is there", async () => {
  const world = await filled();
  await world.run([...COPY, "--task", "T-1"]);
  const key = await world.attach("T-1", "new.txt");
  const { document } = await world.json(COPY);
  expect(document.summary).toMatchObject({ done: 3, skipped: 2, failed: 0 });
  expect(itemsOf(document).map((item) => item.key)).toContain(key);
  expect(document).toMatchObject({ from: `${world.cwd}/uploads`, store: `${world.cwd}/copy` });
  await expectSame(world, "tasks");
  expect((await world.run(COPY)).stderr).toContain("copied 0 attachments (0 B)");
});

test("other bytes under a key stay, and are an error of their own", async () => {
  const world = await filled();
  const [first = ""] = world.keys;
  const there = path.join(world.cwd, "copy", first);
  await mkdir(path.dirname(there), { recursive: true });
  await writeFile(there, "others");
  const { status, document } = await world.json(COPY);
  expect(status).toBe(7);
  expect(document.errors).toMatchObject([{ code: "exists", exit: 9, item: first }]);
  expect(await readFile(there, "utf8")).toBe("others");
  expect(document.summary).toMatchObject({ done: 3, failed: 1 });
});

test("what another program put there gets a digest, and is skipped afterwards by its bytes", async () => {
  const world = await createWorld();
  await world.write("uploads/tasks/1/abc123_report.pdf", "foreign");
  const { document } = await world.json(COPY);
  expect(itemsOf(document)).toMatchObject([
    { key: "tasks/1/abc123_report.pdf", name: "report.pdf", type: "application/pdf", adopted: true },
  ]);
  expect((await world.run(["attach", "verify", "--store", "./copy"])).stderr).toContain("1 ok");
  expect((await world.json(COPY)).document.summary).toMatchObject({ done: 0, skipped: 1 });
  await appendFile(path.join(world.cwd, "uploads/tasks/1/abc123_report.pdf"), "!");
  expect((await world.json(COPY)).document.errors).toMatchObject([{ code: "exists" }]);
});

test("stores are compared in the order of their keys' bytes, which isn't that of JavaScript's texts", async () => {
  const world = await createWorld();
  // U+FF46 comes after U+1F600 in UTF-16, before it in UTF-8.
  for (const name of ["\u{ff46}", "\u{1f600}", "a", "\u{e000}"]) await world.write(`uploads/tasks/1/${name}`, name);
  await world.write("uploads/tasks/1-a/b");
  await world.write("copy/tasks/0/only there");
  expect((await world.json(COPY)).document.summary).toMatchObject({ done: 5, skipped: 0 });
  expect((await world.json(COPY)).document.summary).toMatchObject({ done: 0, skipped: 5, failed: 0 });
});

test("bytes that are not what was attached are not copied: exit 8", async () => {
  const world = await filled();
  const [first = ""] = world.keys;
  await writeFile(path.join(world.cwd, "uploads", first), "rotten");
  const { status, document } = await world.json(COPY);
  expect(status).toBe(8);
  expect(document.errors).toMatchObject([{ code: "checksum_mismatch", item: first }]);
  expect(Object.keys(await contentsOf(world, "copy", "tasks"))).toHaveLength(3);
});

test("deleted attachments stay where they are, and one that was deleted there does not come back", async () => {
  const world = await filled();
  const [first = ""] = world.keys;
  await world.run(["attach", "delete", world.keys[1] ?? ""]);
  expect((await world.json(COPY)).document.summary).toMatchObject({ done: 3 });
  await world.run(["attach", "delete", "--store", "./copy", first]);
  const { status, document } = await world.json(COPY);
  expect(status).toBe(7);
  expect(document.errors).toMatchObject([{ code: "exists", item: first }]);
});

test("a key with a control character, which others may make, is not made: the hint says how its bytes come over", async () => {
  const world = await createWorld();
  await world.write("uploads/tasks/T-1/abc123_a\u001bb\n.txt", "one");
  const { status, stdout, stderr } = await world.run(COPY);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("\nhint: such keys are read and deleted, never made: download it, and attach it again\n");
  const name = (await world.run(["attach", "download", "T-1", "abc123", "-o", "down/"])).stdout.trimEnd();
  expect((await world.run(["attach", "upload", "T-1", name, "--store", "./copy"])).status).toBe(0);
  expect(Object.values(await contentsOf(world, "copy", "tasks"))).toEqual(["one"]);
});

test("a --from that isn't there is not made, and no hint says so", async () => {
  const { run } = await createWorld();
  const { status, stderr } = await run(["attach", "copy", "--from", "./nodir/", "--to", "./copy"]);
  expect([status, stderr]).toEqual([
    5,
    expect.stringMatching(
      /^error: no store at \S+\/nodir \(--from\)\nhint: a store that is read must be there already\n$/,
    ),
  ]);
});

test("a dry run tells the same keys, and makes nothing", async () => {
  const world = await filled();
  const { status, lines, stderr } = await world.run([...COPY, "--dry-run"]);
  expect({ status, lines }).toEqual({ status: 0, lines: world.keys });
  expect(stderr).toContain("would copy 4 attachments");
  expect(await readdir(world.cwd)).not.toContain("copy");
});

test("stopped by a signal it says how far it is, and the same command copies the rest", async () => {
  const world = await filled();
  const stop = new AbortController();
  stop.abort();
  const { status, stderr } = await world.run(COPY, { signal: stop.signal });
  expect(status).toBe(130);
  expect(stderr).not.toContain("copied 4");
  expect((await world.run(COPY)).status).toBe(0);
  await expectSame(world, "tasks");
});

test.each([
  [[], 2, "--from is missing"],
  [["--from", "./uploads"], 2, "--to is missing"],
  [["--from", "./uploads", "--to", "./uploads/"], 2, "are one store"],
  [["--from", "./uploads", "--to", "./link"], 2, "are one store"],
  [["--from", "uploads", "--to", "./copy"], 2, "may be a folder or a bucket"],
  [["--from", "./uploads", "--to", ""], 2, "--to is empty"],
  [["--from", "./uploads", "--to", "./copy", "T-1"], 2, "no operands"],
  [["--store", "./uploads", "--to", "./copy"], 2, "not --store"],
  [["--from", "./uploads", "--to", "./copy", "--task", "../x"], 2, "task"],
  [["--from", "./none", "--to", "./copy"], 5, "no store at"],
  [["--from", "./uploads", "--to", "./copy", "--task", "T-404"], 3, "nothing is attached to T-404"],
  [["--from", "./uploads", "--to", "./copy", "--limit-rate", "fast"], 2, "not a size"],
] as const)("%j is %i", async (options, status, said) => {
  const world = await createWorld();
  await world.attach("T-1", "a.txt");
  await symlink("uploads", path.join(world.cwd, "link"));
  const result = await world.run(["attach", "copy", ...options]);
  expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout: "" });
  expect(result.stderr).toContain(said);
});

describe("tags of a bucket", () => {
  const OWNER = { accessKeyId: "AKIAOWNER", secretAccessKey: "the-owner-of-it" };
  const READER = {
    accessKeyId: "AKIAREADER",
    secretAccessKey: "one-who-reads-no-tags",
    deny: [{ actions: ["s3:GetObjectTagging"] }],
  };
  const COPY_DOWN = ["attach", "copy", "--from", `s3://${BUCKET}`, "--to", "./copy"];

  async function tagged() {
    const world = await createS3World({ users: [OWNER, READER] });
    const keys = [await world.attach("T-1", "a.txt"), await world.attach("T-1", "b.txt", "b", "--tag", "kind=photo")];
    return { ...world, keys };
  }

  test("come along", async () => {
    const world = await tagged();
    const { status, stderr } = await world.run(COPY_DOWN);
    expect(status).toBe(0);
    expect(stderr).not.toContain("warning");
    const { document } = await world.json(["attach", "show", ...world.keys, "--store", "./copy"]);
    expect(itemsOf(document)).toMatchObject([{ tags: {} }, { tags: { kind: "photo" } }]);
  });

  test.each(["NoSuchTagSet", "NoSuchTagSetError", "NoSuchKey"])(
    "that are answered %s are none, and asked for no more where none are told of",
    async (code) => {
      const world = await createS3World();
      const keys = [await world.attach("T-1", "a.txt"), await world.attach("T-1", "b.txt")];
      const asked = world.s3.fault({ operation: "GetObjectTagging" }, reply({ status: 404, code }));
      const { status, stdout } = await world.run([...COPY_DOWN, "--concurrency", "1"]);
      expect({ status, lines: stdout.trim().split("\n").toSorted() }).toEqual({ status: 0, lines: keys.toSorted() });
      expect(asked.hits).toBe(1);
    },
  );

  test("that may not be read look like none, which is said once", async () => {
    const world = await tagged();
    const env = { AWS_ACCESS_KEY_ID: READER.accessKeyId, AWS_SECRET_ACCESS_KEY: READER.secretAccessKey };
    const { status, document, stderr } = await world.json(COPY_DOWN, { env });
    expect(status).toBe(0);
    expect(document["warnings"]).toEqual([
      expect.stringContaining("tags may not be read in s3://acme (s3:GetObjectTagging)"),
    ]);
    expect(stderr.match(/^warning/gm)).toHaveLength(1);
  });
});
