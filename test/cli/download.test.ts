import { execFileSync } from "node:child_process";
import { lstat, mkdir, readFile, rm, symlink, utimes } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { names, sha256, snapshot } from "./snapshot.ts";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

const read = ({ cwd }: World, name: string): Promise<string> => readFile(path.join(cwd, name), "utf8");

describe("download", () => {
  test("writes the cleaned name into the working directory, verified, and prints its path", async () => {
    const world = await createWorld();
    await world.attach("T-1", "Prüf:bericht.txt", "hello");
    const { status, stdout, stderr } = await world.run(["attach", "download", "T-1", "Prüf:bericht.txt"]);
    expect([status, stdout, stderr]).toEqual([0, "Prüf_bericht.txt\n", "downloaded 1 file (5 B)\n"]);
    expect(await read(world, "Prüf_bericht.txt")).toBe("hello");
  });

  test("-o never takes the place of a device, a pipe or a socket, whatever --if-exists says", async () => {
    const { run, attach, cwd } = await createWorld();
    await attach("T-1", "a.txt", "hello");
    execFileSync("mkfifo", [path.join(cwd, "pipe")]);
    await symlink("pipe", path.join(cwd, "link"));
    for (const target of ["pipe", "link"]) {
      for (const ifExists of ["fail", "skip", "rename", "overwrite"]) {
        const { status, stderr } = await run(["attach", "get", "T-1", "a.txt", "-o", target, "--if-exists", ifExists]);
        expect([status, stderr]).toEqual([
          2,
          expect.stringMatching(/is not a regular file\nhint: -o - writes to stdout/),
        ]);
      }
    }
    expect((await lstat(path.join(cwd, "pipe"))).isFIFO()).toBe(true);
    expect((await lstat(path.join(cwd, "link"))).isSymbolicLink()).toBe(true);
  });

  test("a JSON item has the absolute path and how it was verified", async () => {
    const { json, attach, cwd } = await createWorld();
    const key = await attach("T-1", "a.txt", "hello");
    const { document } = await json(["attach", "get", key, "-o", "out/"]);
    expect(document).toMatchObject({
      command: "download",
      items: [{ key, path: path.join(cwd, "out/a.txt"), verified: "sha256", sha256: sha256("hello") }],
      summary: { done: 1, bytes: 5 },
    });
  });

  test("without ITEM fetches the whole task, also as --task", async () => {
    const world = await createWorld();
    for (const name of ["a", "b", "c"]) await world.attach("T-1", name);
    await world.attach("T-2", "other");
    expect((await world.run(["attach", "download", "T-1", "-o", "one/"])).lines.toSorted()).toEqual([
      "one/a",
      "one/b",
      "one/c",
    ]);
    expect((await world.run(["attach", "download", "--task", "T-1", "-o", "two/"])).lines).toHaveLength(3);
  });

  test("of a task with nothing on it is exit 3: an empty folder would not tell", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a");
    for (const more of [[], ["-o", "-"], ["-o", "file"]]) {
      const { status, stdout, stderr } = await run(["attach", "download", "T-404", ...more]);
      expect([status, stdout, stderr]).toEqual([
        3,
        "",
        expect.stringContaining("error: nothing is attached to T-404\n"),
      ]);
    }
  });

  test("two of one name in one run: the older gets -<first 8 of its id>, in whatever order they are named", async () => {
    const world = await createWorld();
    const older = await world.attach("T-1", "a.tar.gz", "older");
    const newer = await world.attach("T-1", "a.tar.gz", "newer");
    await utimes(path.join(world.store, older), 1, 1);
    const id = older.slice("tasks/T-1/".length).slice(0, 8);
    const argvs = [["T-1"], [older, newer], [newer, older]];
    for (const [at, argv] of argvs.entries()) {
      expect((await world.run(["attach", "download", ...argv, "-o", `${at}/`])).status).toBe(0);
      expect(await names(path.join(world.cwd, String(at)))).toEqual([`a.tar-${id}.gz`, "a.tar.gz"]);
      expect(await read(world, `${at}/a.tar.gz`)).toBe("newer");
    }
    const stdin = `${older}\n${newer}\n`;
    await world.run(["attach", "download", "-", "-o", "pipe/"], { stdin });
    expect(await read(world, "pipe/a.tar.gz")).toBe("newer");
  });

  test("two foreign names that are cleaned to one don't meet", async () => {
    const world = await createWorld();
    await world.write("uploads/tasks/1/a:b", "1");
    await world.write("uploads/tasks/1/a?b", "2");
    expect(await world.run(["attach", "download", "1", "-o", "out/"])).toMatchObject({ status: 0 });
    expect(await names(path.join(world.cwd, "out"))).toHaveLength(2);
  });

  test("leaves the store as it was", async () => {
    const { run, attach, store } = await createWorld();
    await attach("T-1", "a");
    const before = await snapshot(store);
    await run(["attach", "download", "T-1", "-o", "out/"]);
    expect(await snapshot(store)).toEqual(before);
  });
});

describe("-o", () => {
  test("FILE, DIR/, a folder that is there, or - for stdout", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt", "hello");
    await mkdir(path.join(world.cwd, "there"));
    const paths = async (output: string): Promise<readonly string[]> =>
      (await world.run(["attach", "download", "T-1", "a.txt", "-o", output])).lines;
    expect(await paths("b.txt")).toEqual(["b.txt"]);
    expect(await paths("made/for/it/")).toEqual(["made/for/it/a.txt"]);
    expect(await paths("there")).toEqual(["there/a.txt"]);
    expect(await paths("-")).toEqual(["hello"]);
    expect(await paths(path.join(world.home, "abs.txt"))).toEqual([path.join(world.home, "abs.txt")]);
  });

  test("- writes the bytes and nothing else, whatever they are", async () => {
    const { run, attach } = await createWorld();
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 256));
    await attach("T-1", "bin", bytes);
    const { status, stdoutBytes, stderr } = await run(["attach", "download", "T-1", "bin", "-o", "-"]);
    expect([status, stdoutBytes.equals(bytes), stderr]).toEqual([0, true, ""]);
  });

  test("- takes a single attachment, and no JSON", async () => {
    const { run, json, attach } = await createWorld();
    await attach("T-1", "a");
    await attach("T-1", "b");
    expect(await run(["attach", "download", "T-1", "-o", "-"])).toMatchObject({ status: 2, stdout: "" });
    expect((await json(["attach", "download", "T-1", "a", "-o", "-"])).document["errors"][0].exit).toBe(2);
    expect((await run(["attach", "download", "T-1", "a", "-o", "-", "--ndjson"])).status).toBe(2);
    expect((await run(["attach", "download", "T-1", "missing", "-o", "-"])).status).toBe(3);
  });

  test("FILE can hold one attachment", async () => {
    const { run, attach, cwd } = await createWorld();
    await attach("T-1", "a");
    await attach("T-1", "b");
    expect((await run(["attach", "download", "T-1", "a", "b", "-o", "out"])).status).toBe(2);
    expect((await run(["attach", "download", "T-1", "-o", "out"])).status).toBe(2);
    expect(await names(cwd)).not.toContain("out");
  });

  test("says why where it can't write", async () => {
    const { run, attach, write } = await createWorld();
    await attach("T-1", "a.txt");
    await write("file");
    for (const [output, status, message] of [
      ["no/such/file", 3, /no such folder\nhint: end -o with a \//],
      ["file/", 9, /a file in the way/],
      ["file/x", 9, /a file in the way/],
      ["", 2, /--output is empty/],
      ["a\0b", 2, /NUL/],
      ["x".repeat(300), 2, /too long/],
    ] as const) {
      const result = await run(["attach", "download", "T-1", "a.txt", `--output=${output}`]);
      expect([output, result.status, result.stderr]).toEqual([output, status, expect.stringMatching(message)]);
    }
  });
});

describe("--if-exists", () => {
  const prepare = async (): Promise<World> => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt", "new");
    await world.write("a.txt", "mine");
    return world;
  };

  test("fail is the default: exit 9, and what is there stays", async () => {
    const world = await prepare();
    for (const more of [[], ["--if-exists", "fail"]]) {
      const { status, stderr } = await world.run(["attach", "download", "T-1", "a.txt", ...more]);
      expect([status, stderr]).toEqual([9, expect.stringMatching(/a\.txt is there already\nhint: --if-exists skip/)]);
    }
    expect(await read(world, "a.txt")).toBe("mine");
    expect((await world.json(["attach", "download", "T-1"])).document["errors"][0].code).toBe("exists");
  });

  test("skip leaves it, and that is no failure", async () => {
    const world = await prepare();
    const { status, document } = await world.json(["attach", "download", "T-1", "--if-exists", "skip"]);
    expect([status, document["items"], document["summary"]]).toEqual([
      0,
      [],
      { done: 0, skipped: 1, failed: 0, bytes: 0 },
    ]);
    expect(await read(world, "a.txt")).toBe("mine");
  });

  test("rename finds a free name, overwrite takes its place", async () => {
    const world = await prepare();
    const argv = ["attach", "download", "T-1", "a.txt", "--if-exists"];
    expect((await world.run([...argv, "rename"])).lines).toEqual(["a-2.txt"]);
    expect((await world.run([...argv, "rename"])).lines).toEqual(["a-3.txt"]);
    expect((await world.run([...argv, "overwrite"])).lines).toEqual(["a.txt"]);
    expect(await Promise.all(["a.txt", "a-2.txt"].map((name) => read(world, name)))).toEqual(["new", "new"]);
    expect((await world.run([...argv, "replace"])).status).toBe(2);
  });

  test("a link in the way is replaced itself, never written through", async () => {
    const world = await prepare();
    const victim = await world.write("victim", "untouched");
    await rm(path.join(world.cwd, "a.txt"));
    await symlink(victim, path.join(world.cwd, "a.txt"));
    expect((await world.run(["attach", "download", "T-1"])).status).toBe(9);
    await world.run(["attach", "download", "T-1", "--if-exists", "overwrite"]);
    expect([await read(world, "victim"), await read(world, "a.txt")]).toEqual(["untouched", "new"]);
  });
});
