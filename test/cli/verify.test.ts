import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { names, sha256, snapshot } from "./snapshot.ts";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

/** Changes one bit of what is stored. */
async function flip({ store }: World, key: string): Promise<string> {
  const file = path.join(store, key);
  const bytes = await readFile(file);
  bytes[0] = (bytes[0] ?? 0) ^ 0x10;
  await writeFile(file, bytes);
  return sha256(bytes);
}

function sidecarOf({ store }: World, key: string): string {
  return path.join(store, ".taskflow", "meta", `${key.replace(/^tasks\//, "")}.json`);
}

async function plant({ store }: World, key: string, content: string): Promise<void> {
  const file = path.join(store, key);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

describe("verify", () => {
  test("says first how much it will read, then how it went; stdout is empty where all is well", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a.txt", "hello");
    await attach("T-1", "b.txt", "x".repeat(2048));
    await attach("T-2", "c.txt", "elsewhere");
    expect(await run(["attach", "verify", "T-1"])).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "verifying 2 attachments, up to 2.0 KiB to read\n2 ok\n",
    });
  });

  test("without TASK it reads the whole store, of names in any order", async () => {
    const { run, attach } = await createWorld();
    for (const task of ["T-2", "a", "T-10"]) await attach(task, "a.txt", task);
    const { status, stderr } = await run(["attach", "verify"]);
    expect(status).toBe(0);
    expect(stderr).toContain("verifying 3 attachments");
    expect(stderr).toContain("\n3 ok\n");
  });

  test("finds a flipped bit, names key and both digests, exits 8, and changes nothing", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    await world.attach("T-1", "b.txt", "well");
    const found = await flip(world, key);
    const before = await snapshot(world.store);
    const { status, stdout, stderr } = await world.run(["attach", "verify", "T-1"]);
    expect(status).toBe(8);
    expect(stdout).toBe(`mismatch\t${key}\n`);
    expect(stderr).toContain(`error: ${key} is not what was attached\n`);
    expect(stderr).toContain(`SHA-256 recorded ${sha256("hello")}, found ${found}`);
    expect(stderr).toMatch(/\n1 ok, 1 differs\n$/);
    expect(await snapshot(world.store)).toEqual(before);
  });

  test("download refuses what verify found, with the same exit code, and leaves no file", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    await flip(world, key);
    const { status, stdout } = await world.run(["attach", "download", "T-1", "-o", "copies/"]);
    expect([status, stdout]).toEqual([8, ""]);
    expect(await names(path.join(world.cwd, "copies"))).toEqual([]);
  });

  test("lists every lie, not the first alone", async () => {
    const world = await createWorld();
    const keys: string[] = [];
    for (let n = 0; n < 40; n += 1) keys.push(await world.attach(`T-${n % 4}`, `${n}.txt`, `content ${n}`));
    const lies = keys.filter((_, n) => n % 3 === 0).sort();
    for (const key of lies) await flip(world, key);
    const { status, lines, stderr } = await world.run(["attach", "verify", "--concurrency", "3"]);
    expect(status).toBe(8);
    expect(lines).toEqual(lies.map((key) => `mismatch\t${key}`));
    expect(stderr).toMatch(/\n26 ok, 14 differ\n$/);
  });

  test("what was cut short, by a power cut for example, differs", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    await truncate(path.join(world.store, key), 0);
    const { status, stderr } = await world.run(["attach", "verify", "T-1"]);
    expect(status).toBe(8);
    expect(stderr).toContain(`${key} is not what was attached: it has 0 bytes, 5 were recorded`);
  });

  test("a damaged record differs, whatever the bytes; download takes them with --no-verify only", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    const whole = await readFile(sidecarOf(world, key), "utf8");
    for (const damaged of [whole.slice(0, 40), "{}", "null", whole.replace(/"sha256":"[^"]*"/, '"sha256":"no"')]) {
      await writeFile(sidecarOf(world, key), damaged);
      const { status, lines, stderr } = await world.run(["attach", "verify", "T-1"]);
      expect([damaged, status, lines]).toEqual([damaged, 8, [`mismatch\t${key}`]]);
      expect(stderr).toContain(`the record of ${key} is damaged: `);
    }
    expect((await world.run(["attach", "download", "T-1", "-o", "x/"])).status).toBe(8);
    expect((await world.run(["attach", "download", "T-1", "-o", "x/", "--no-verify"])).status).toBe(0);
  });

  test("what was never recorded is counted apart, never as ok: exit 0, with --strict 8", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt", "hello");
    await plant(world, "tasks/T-1/abc123_document.pdf", "from another program");
    const lost = await world.attach("T-1", "lost.txt", "its record is gone");
    await rm(sidecarOf(world, lost));
    const unrecorded = ["tasks/T-1/abc123_document.pdf", lost].sort().map((key) => `unrecorded\t${key}`);
    const relaxed = await world.run(["attach", "verify", "T-1"]);
    expect(relaxed.status).toBe(0);
    expect([...relaxed.lines].sort()).toEqual(unrecorded);
    expect(relaxed.stderr).toMatch(/\n1 ok, 2 unrecorded\n$/);
    const strict = await world.run(["attach", "verify", "T-1", "--strict"]);
    expect(strict.status).toBe(8);
    expect(strict.stderr).toContain("error: 2 attachments have no recorded checksum\n");
    expect([...strict.lines].sort()).toEqual(unrecorded);
  });

  test("what was deleted is not read", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    await flip(world, key);
    await world.attach("T-1", "b.txt", "well");
    await world.run(["attach", "delete", "T-1", "a.txt"]);
    const { status, stderr } = await world.run(["attach", "verify"]);
    expect(status).toBe(0);
    expect(stderr).toContain("verifying 1 attachment, up to 4 B to read\n1 ok\n");
  });

  test("takes items by name, id and key, and keys from stdin", async () => {
    const world = await createWorld();
    const a = await world.attach("T-1", "a.txt", "hello");
    const b = await world.attach("T-1", "b.txt", "world");
    await flip(world, b);
    expect((await world.run(["attach", "verify", "T-1", "a.txt"])).status).toBe(0);
    expect((await world.run(["attach", "verify", "T-1", "b.txt"])).status).toBe(8);
    expect((await world.run(["attach", "verify", a])).status).toBe(0);
    const both = await world.run(["attach", "verify", "-"], { stdin: `${a}\n${b}\n` });
    expect(both.status).toBe(8);
    expect(both.lines).toEqual([`mismatch\t${b}`]);
  });

  test("an item that isn't there is exit 3, beside others 7, beside a lie 8", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt", "hello");
    const b = await world.attach("T-1", "b.txt", "world");
    expect((await world.run(["attach", "verify", "T-1", "none"])).status).toBe(3);
    expect((await world.run(["attach", "verify", "T-1", "a.txt", "none"])).status).toBe(7);
    await flip(world, b);
    expect((await world.run(["attach", "verify", "T-1", "none", "b.txt", "a.txt"])).status).toBe(8);
  });

  test("a task without attachments is nothing to verify, and no failure", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt");
    expect(await world.run(["attach", "verify", "T-9"])).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "nothing to verify\n",
    });
  });

  test("without a store it is exit 5, and none is made", async () => {
    const { run, cwd } = await createWorld();
    expect((await run(["attach", "verify"])).status).toBe(5);
    expect(await names(cwd)).toEqual([]);
  });

  test("refuses an empty operand and a concurrency out of range", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a.txt");
    for (const more of [[""], ["--task", ""], ["--concurrency", "0"], ["--concurrency", "257"]]) {
      expect([more, (await run(["attach", "verify", ...more])).status]).toEqual([more, 2]);
    }
  });

  test("control characters of a stranger's key reach neither stream", async () => {
    const world = await createWorld();
    await plant(world, "tasks/T-1/abc123_\u001b[31mred\n.txt", "x");
    const { stdout, stderr } = await world.run(["attach", "verify"]);
    expect(stdout).toBe("unrecorded\ttasks/T-1/abc123_\\x1b[31mred\\n.txt\n");
    expect(stderr).not.toContain("\u001b");
  });

  test("on a terminal a lie is told once, as an error", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    await flip(world, key);
    await plant(world, "tasks/T-1/abc123_b.txt", "x");
    const { stdout, stderr } = await world.run(["attach", "verify", "T-1"], { terminal: true });
    expect(stdout).toBe("unrecorded\ttasks/T-1/abc123_b.txt\n");
    expect(stderr).toContain(`${key} is not what was attached`);
  });

  test("--quiet leaves the lies", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    expect(await world.run(["attach", "verify", "-q"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    await flip(world, key);
    const { stdout, stderr } = await world.run(["attach", "verify", "-q"]);
    expect(stdout).toBe(`mismatch\t${key}\n`);
    expect(stderr).toMatch(/^error: .*\nhint: .*\n$/);
  });
});

describe("verify --json", () => {
  test("has an item for each, what is wrong too, and the counts in the summary", async () => {
    const world = await createWorld();
    const good = await world.attach("T-1", "good.txt", "hello");
    const bad = await world.attach("T-1", "bad.txt", "world");
    const found = await flip(world, bad);
    await plant(world, "tasks/T-1/abc123_foreign.pdf", "x");
    const { status, document } = await world.json(["attach", "verify", "T-1"]);
    expect(status).toBe(8);
    const items = Object.fromEntries((document.items as { key: string }[]).map((item) => [item.key, item]));
    expect(items[good]).toMatchObject({ name: "good.txt", sha256: sha256("hello"), verified: "sha256" });
    expect(items[bad]).toMatchObject({ verified: "mismatch", sha256: sha256("world"), foundSha256: found });
    expect(items["tasks/T-1/abc123_foreign.pdf"]).toMatchObject({ verified: "unrecorded", sha256: null });
    expect(document.errors).toMatchObject([{ code: "checksum_mismatch", exit: 8, index: null, item: bad }]);
    expect(document.summary).toEqual({
      done: 2,
      skipped: 0,
      failed: 1,
      bytes: 6,
      verified: 1,
      unrecorded: 1,
      mismatched: 1,
      unreadable: 0,
    });
    expect(document.ok).toBe(false);
  });

  test("with --strict one error counts the unrecorded ones, however many", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt", "hello");
    for (const n of [1, 2, 3]) await plant(world, `tasks/T-1/abc12${n}_f.txt`, "x");
    const { status, document } = await world.json(["attach", "verify", "--strict"]);
    expect(status).toBe(8);
    expect(document.errors).toMatchObject([{ code: "checksum_mismatch", item: null }]);
    expect(document.summary).toMatchObject({ verified: 1, unrecorded: 3, mismatched: 0, failed: 1 });
  });

  test("a named item's error has its index and its text", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt", "hello");
    await flip(world, await world.attach("T-1", "b.txt", "world"));
    const { document } = await world.json(["attach", "verify", "T-1", "a.txt", "b.txt"]);
    expect(document.errors).toMatchObject([{ index: 1, item: "b.txt" }]);
  });

  test("as events each item comes by itself, the summary last", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt", "hello");
    await flip(world, await world.attach("T-1", "b.txt", "world"));
    const { status, events } = await world.ndjson(["attach", "verify"]);
    expect(status).toBe(8);
    expect(events.map(({ event }) => event as string).sort()).toEqual(["error", "item", "item", "summary"]);
    expect(events.at(-1)).toMatchObject({ event: "summary", ok: false, summary: { verified: 1, mismatched: 1 } });
  });
});
