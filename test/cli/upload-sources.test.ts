/** Where bytes come from: reliability table A, and stdin. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { sha256, snapshot } from "./snapshot.ts";
import { createWorld, matching } from "./support.ts";
import type { World } from "./support.ts";

/** Runs `change` once the file is open and its size known, before its bytes are read. */
function whileOpen(change: () => void): { uuid: () => string } {
  return {
    uuid: () => {
      change();
      return randomUUID();
    },
  };
}

async function expectClean({ json, store }: World, before: Record<string, string>): Promise<void> {
  expect((await json(["attach", "list", "T-1"])).document["items"]).toEqual([]);
  const now = Object.keys(await snapshot(store)).filter((name) => !(name in before));
  expect(now.filter((name) => !name.endsWith("/"))).toEqual([]);
}

describe("a file that is no good source leaves nothing, not even a store", () => {
  const cases: [string, (world: World) => string | Promise<string>, number, RegExp][] = [
    ["A1 missing", () => "missing.txt", 3, /no such file: .*missing\.txt/],
    ["A1 below a file", async ({ write }) => `${await write("file")}/x`, 3, /no such file/],
    ["A2 a directory", async ({ write }) => path.dirname(await write("dir/x")), 2, /is a directory\nhint: add --rec/],
    ["A9 a FIFO, at once", ({ cwd }) => fifo(path.join(cwd, "fifo")), 2, /not a regular file\nhint: .*upload TASK -/],
    ["A10 a device", () => "/dev/zero", 2, /not a regular file/],
    ["A10 a socket", ({ cwd }) => socket(path.join(cwd, "socket")), 2, /not a regular file/],
    ["A12 a link to itself", ({ cwd }) => link("loop", path.join(cwd, "loop")), 2, /leads back to itself/],
    ["A12 a link to nothing", ({ cwd }) => link("gone", path.join(cwd, "dangling")), 3, /link that leads nowhere/],
    ["B3 a NUL in the path", () => "a\0b", 2, /NUL byte/],
    ["B15 no UTF-8 in the path", () => "bad\uFFFD.txt", 3, /not UTF-8.*\nhint: pipe it in/],
    ["a path that is too long", () => "x".repeat(300), 2, /too long/],
  ];
  test.each(cases)("%s", async (_name, make, status, message) => {
    const world = await createWorld();
    const file = await make(world);
    expect(await world.run(["attach", "upload", "T-1", file])).toMatchObject({
      status,
      stdout: "",
      stderr: matching(message),
    });
    expect(await snapshot(world.store)).toEqual({});
    const { document } = await world.json(["attach", "upload", "T-1", file]);
    expect(document).toMatchObject({ items: [], errors: [{ exit: status, index: 0, item: file }] });
  });
});

describe("a file that changes while it is read is exit 6, and nothing of it stays", () => {
  const OLD = new Date("2026-01-01T00:00:00Z");
  const changes: [string, (file: string) => void][] = [
    ["A5 it grows", (file) => appendFileSync(file, "more")],
    ["A6 it shrinks", (file) => truncateSync(file, 2)],
    ["A6 it is emptied", (file) => truncateSync(file, 0)],
    ["A7 it is rewritten at the same size", (file) => writeFileSync(file, "HELLO")],
    [
      "A7 and its mtime is set back",
      (file) => (nextTick(file), writeFileSync(file, "HELLO"), utimesSync(file, OLD, OLD)),
    ],
  ];
  test.each(changes)("%s", async (_name, change) => {
    const world = await createWorld();
    await world.attach("T-0", "makes the store");
    const before = await snapshot(world.store);
    const file = await world.write("a.txt", "hello");
    utimesSync(file, OLD, OLD);
    const argv = ["attach", "upload", "T-1", file];
    const { status, stdout, stderr } = await world.run(
      argv,
      whileOpen(() => change(file)),
    );
    expect([status, stdout]).toEqual([6, ""]);
    expect(stderr).toMatch(/changed while it was read.*\nhint: run the same command again when nothing writes to it/);
    await expectClean(world, before);
  });

  test("A5 it is large and grows as it is read", async () => {
    const world = await createWorld();
    const file = await world.write("big", Buffer.alloc(3 << 20));
    const options = whileOpen(() => appendFileSync(file, Buffer.alloc(2 << 20)));
    expect((await world.run(["attach", "upload", "T-1", file], options)).status).toBe(6);
    await expectClean(world, { ".gitignore": "", ".taskflow/format": "" });
  });

  test("A8 replaced by a rename: what was opened is stored", async () => {
    const { json, write } = await createWorld();
    const file = await write("a.txt", "opened");
    const other = await write("b.txt", "the other");
    const { status, document } = await json(
      ["attach", "upload", "T-1", file],
      whileOpen(() => renameSync(other, file)),
    );
    expect(status).toBe(0);
    expect(document["items"][0]).toMatchObject({ sha256: sha256("opened"), size: 6 });
  });

  test("A11 a file of /proc, whose size is 0 and which has bytes, points to stdin", async () => {
    const { run } = await createWorld();
    const { status, stderr } = await run(["attach", "upload", "T-1", "/proc/self/status"]);
    expect([status, stderr]).toEqual([6, expect.stringMatching(/has bytes although its size is 0\nhint: pipe it in/)]);
  });
});

async function descriptorOf(file: string): Promise<{ fd: number; close: () => Promise<void> }> {
  const handle = await open(file);
  return { fd: handle.fd, close: () => handle.close() };
}

describe("sources that are fine", () => {
  test("A4 an empty file is stored with the digest of nothing", async () => {
    const { json, write } = await createWorld();
    await write("empty", "");
    const { document } = await json(["attach", "upload", "T-1", "empty"]);
    expect(document["items"][0]).toMatchObject({ size: 0, sha256: sha256("") });
    expect((await json(["attach", "download", "T-1", "-o", "out/"])).document["items"][0].verified).toBe("sha256");
  });

  test("A13 a link to a file is followed, under the link's name", async () => {
    const { json, write, cwd } = await createWorld();
    await write("target.txt", "hello");
    link("target.txt", path.join(cwd, "alias.txt"));
    const { document } = await json(["attach", "upload", "T-1", "alias.txt"]);
    expect(document["items"][0]).toMatchObject({ name: "alias.txt", size: 5 });
  });

  test("a file that has no name any more is stored from its descriptor", async () => {
    const { json, write } = await createWorld();
    const bytes = Buffer.alloc(6 << 20, "large enough to be gone on with");
    const file = await write("unlinked", bytes);
    const { fd, close } = await descriptorOf(file);
    unlinkSync(file);
    const { status, document } = await json(["attach", "upload", "T-1", `/proc/self/fd/${fd}`, "--name", "a.bin"]);
    await close();
    expect(status).toBe(0);
    expect(document["items"][0]).toMatchObject({ name: "a.bin", sha256: sha256(bytes) });
  });

  test("bytes of any length around the size of a chunk come back as they were", async () => {
    const { json, run, write } = await createWorld();
    for (const size of [1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 * (1 << 20) + 7]) {
      const bytes = Buffer.alloc(size, `${size}-`);
      await write("f", bytes);
      const { document } = await json(["attach", "upload", "T-1", "f"]);
      expect(document["items"][0]).toMatchObject({ size, sha256: sha256(bytes) });
      const { stdoutBytes } = await run(["attach", "download", document["items"][0].key, "-o", "-"]);
      expect(stdoutBytes.equals(bytes)).toBe(true);
    }
  });
});

describe("stdin", () => {
  test("is attached as `-`, named by --name, else stdin", async () => {
    const { json } = await createWorld();
    const { document } = await json(["attach", "upload", "T-1", "-", "--name", "test.log"], { stdin: "line\n" });
    expect(document["items"][0]).toMatchObject({ name: "test.log", size: 5, source: "-", sha256: sha256("line\n") });
    expect((await json(["attach", "upload", "T-1", "-"], { stdin: "x" })).document["items"][0].name).toBe("stdin");
  });

  test("A17 a terminal is refused, with the way to pipe", async () => {
    const { run } = await createWorld();
    const { status, stderr } = await run(["attach", "upload", "T-1", "-"], { terminal: true });
    expect([status, stderr]).toEqual([2, expect.stringMatching(/which is a terminal\nhint: pipe something in/)]);
  });

  test("A18 an empty pipe needs --allow-empty, in a dry run too", async () => {
    const world = await createWorld();
    for (const more of [[], ["-n"], ["--type", "text/plain"], ["-n", "--type", "text/plain"]]) {
      const { status, stderr } = await world.run(["attach", "upload", "T-1", "-", ...more], { stdin: "" });
      expect([status, stderr]).toEqual([2, expect.stringContaining("--allow-empty takes it")]);
    }
    expect((await world.run(["attach", "upload", "T-1", "-", "--allow-empty"], { stdin: "" })).status).toBe(0);
  });

  test("A19 a producer that dies midway can't be told from one that ends: its bytes are attached", async () => {
    const { json } = await createWorld();
    async function* dying(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from("half"));
    }
    expect((await json(["attach", "upload", "T-1", "-"], { stdin: dying() })).document["items"][0].size).toBe(4);
  });

  test("a pipe that can't be read is exit 6, and nothing of it stays", async () => {
    const world = await createWorld();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.alloc(1 << 20));
      throw new Error("EISDIR: illegal operation on a directory, read");
    }
    const { status, stderr } = await world.run(["attach", "upload", "T-1", "-"], { stdin: failing() });
    expect([status, stderr]).toEqual([6, expect.stringMatching(/^(created.*\n)?error: cannot read stdin: EISDIR/)]);
    expect((await world.json(["attach", "list"])).document["items"]).toEqual([]);
  });

  test("a silent pipe doesn't keep an interrupted upload", async () => {
    const { run } = await createWorld();
    const controller = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      controller.abort();
      await new Promise(() => undefined);
      yield Buffer.from("never");
    }
    const { status } = await run(["attach", "upload", "T-1", "-"], { stdin: silent(), signal: controller.signal });
    expect(status).toBe(130);
  });

  test("`-` can be read once only", async () => {
    const { run } = await createWorld();
    expect((await run(["attach", "upload", "T-1", "-", "-"], { stdin: "x" })).status).toBe(2);
  });
});

function fifo(file: string): string {
  execFileSync("mkfifo", [file]);
  return file;
}

async function socket(file: string): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(file, resolve));
  onTestFinished(() => {
    server.close();
  });
  return file;
}

function link(target: string, file: string): string {
  symlinkSync(target, file);
  return file;
}

/** Until the file system's clock has moved, some milliseconds at most: else a change can't be seen in any time. */
function nextTick(file: string): void {
  const probe = `${file}.probe`;
  const { ctimeNs } = statSync(file, { bigint: true });
  do writeFileSync(probe, "");
  while (statSync(probe, { bigint: true }).ctimeNs === ctimeNs);
}
