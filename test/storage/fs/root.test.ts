import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import { openFolder } from "../../../src/storage/fs/driver.ts";
import { calm, collect, keysOf, putText, readText } from "../../conformance/bodies.ts";
import { rejection } from "../../conformance/expect-code.ts";
import { freshPaths, openStore, plant, treeOf } from "./folders.ts";
import { OTHER_USER, need } from "./needs.ts";
import { buildChild } from "./build-child.ts";
import { run } from "./strace.ts";

const fresh = freshPaths("root");
const open = (folder: string): Promise<StorageDriver> => openFolder(folder, { create: false });

describe("opening a folder", () => {
  test("makes a store where that is wanted, 0700, with those above it, and says so once", async () => {
    const store = path.join(await fresh(), "a/b/uploads");
    const created: string[] = [];
    const driver = await openStore(store, { onCreated: (root) => created.push(root) });
    expect(created).toEqual([store]);
    expect(driver.location).toBe(store);
    expect((await stat(store)).mode & 0o777).toBe(0o700);
    expect(await readFile(path.join(store, ".gitignore"), "utf8")).toBe("*\n");
    const format = JSON.parse(await readFile(path.join(store, ".taskflow/format"), "utf8")) as unknown;
    expect(format).toEqual({ version: 1, id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
    await openStore(store, { onCreated: (root) => created.push(root) });
    expect(created).toEqual([store]);
  });

  test.each(["nothing", "an empty folder", "a folder of others"])(
    "of %s is `no_store` otherwise, and writes nothing",
    async (what) => {
      const store = await fresh();
      if (what !== "nothing") await mkdir(store, { recursive: true });
      if (what === "a folder of others") await plant(store, "README.md");
      const before = await treeOf(path.dirname(store));
      await rejection(open(store), "no_store");
      expect(await treeOf(path.dirname(store))).toEqual(before);
    },
  );

  test("in a folder with things of others makes no .gitignore, which would hide those", async () => {
    const store = await fresh();
    await plant(store, "src/main.c");
    const driver = await openStore(store);
    await putText(driver, "tasks/T-1/a");
    expect(await treeOf(store)).not.toContain(".gitignore");
  });

  test("keeps the .gitignore that is there", async () => {
    const store = await fresh();
    await plant(store, ".gitignore", "*.log\n");
    await openStore(store);
    expect(await readFile(path.join(store, ".gitignore"), "utf8")).toBe("*.log\n");
  });

  test("of one that other programs filled reads it without writing anything; the first put makes it ours", async () => {
    const store = await fresh();
    await plant(store, "tasks/1/abc123_document.pdf", "theirs");
    const before = await treeOf(store);
    const created: string[] = [];
    const driver = await openStore(store, { create: false, onCreated: (root) => created.push(root) });
    expect(await keysOf(driver.list("", { signal: calm }))).toEqual(["tasks/1/abc123_document.pdf"]);
    expect(await readText(driver, "tasks/1/abc123_document.pdf")).toBe("theirs");
    expect(await keysOf(driver.versions?.listDeleted("", { signal: calm }) ?? none())).toEqual([]);
    expect(await collect(driver.delete(["tasks/1/none"], { signal: calm }))).toMatchObject([{ existed: false }]);
    expect(await treeOf(store)).toEqual(before);
    await putText(driver, "tasks/1/ours");
    expect(await treeOf(store)).toContain(".taskflow/format");
    expect(created, "it was there before").toEqual([]);
    expect(await keysOf((await open(store)).list("", { signal: calm }))).toHaveLength(2);
  });

  test("many first runs at once agree, and one of them made it", async () => {
    const store = await fresh();
    const { child } = await buildChild(`${store}-bin`);
    const created: string[] = [];
    const here = Array.from({ length: 8 }, () => openStore(store, { onCreated: (root) => created.push(root) }));
    const there = Array.from({ length: 4 }, () => run(process.execPath, [child, store, "create"]));
    const drivers = await Promise.all(here);
    expect((await Promise.all(there)).map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(created.length).toBeLessThanOrEqual(1);
    await Promise.all(drivers.map((driver, n) => putText(driver, `tasks/T-1/${n}`)));
    expect(await keysOf((await open(store)).list("", { signal: calm }))).toHaveLength(8);
    expect((await treeOf(store)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("follows a symlink to the folder, once", async () => {
    const store = await fresh();
    await openStore(store);
    await symlink(store, `${store}-link`);
    expect((await open(`${store}-link`)).location).toBe(store);
  });

  test.each([
    ["the root of the file system", "/"],
    ["a file", ""],
    ["below a file", "/store"],
    ["a link that leads nowhere", "-dangling"],
  ])("of %s is `bad_config`", async (what, suffix) => {
    const file = await fresh();
    await plant(path.dirname(file), path.basename(file));
    await symlink(`${file}-nothing`, `${file}-dangling`);
    const folder = what === "the root of the file system" ? suffix : file + suffix;
    await rejection(openStore(folder), "bad_config");
    await rejection(open(folder), "bad_config");
  });

  test("of a newer format is `unsupported`, and nothing is touched", async () => {
    const store = await fresh();
    const format = '{"version":2,"shape":"unknown"}';
    await plant(store, ".taskflow/format", format);
    const before = await treeOf(store);
    const error = await rejection(openStore(store), "unsupported");
    expect(error.exit).toBe(5);
    expect(await treeOf(store)).toEqual(before);
    expect(await readFile(path.join(store, ".taskflow/format"), "utf8")).toBe(format);
  });

  test.each(["", "{", "null", "[]", '{"version":0}', '{"version":1}', '{"version":"1","id":"x"}'])(
    "of the damaged format %j is `bad_config`",
    async (format) => {
      const store = await fresh();
      await plant(store, ".taskflow/format", format);
      await rejection(openStore(store), "bad_config");
    },
  );

  test("that was begun and not finished completes it", async () => {
    const store = await fresh();
    await mkdir(path.join(store, ".taskflow/tmp"), { recursive: true });
    await rejection(open(store), "no_store");
    await openStore(store);
    expect(await treeOf(store)).toEqual([".gitignore", ".taskflow/", ".taskflow/format", ".taskflow/tmp/"]);
  });

  test("goes on after somebody emptied it", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    await putText(driver, "tasks/T-1/a");
    await rm(path.join(store, "tasks"), { recursive: true });
    expect(await keysOf(driver.list("", { signal: calm }))).toEqual([]);
    await rejection(putText(driver, "tasks/T-1/b"), "io");
    await putText(driver, "tasks/T-1/b");
    expect(await readText(driver, "tasks/T-1/b")).toBe("the bytes of tasks/T-1/b");
  });
});

describe("without permission", () => {
  test("each thing is `permission`, names the path, and leaves everything as it was", async (context) => {
    need(context, "otherUser");
    const parent = await fresh();
    await mkdir(parent);
    await chmod(path.dirname(parent), 0o755);
    const store = path.join(parent, "store");
    const { child } = await buildChild(path.join(parent, "bin"));
    const driver = await openStore(store);
    await putText(driver, "tasks/T-1/a");
    await chmod(store, 0o755);
    for (const closed of ["tasks", "tasks/T-1", ".taskflow", ".taskflow/tmp", ".taskflow/meta"]) {
      await chmod(path.join(store, closed), 0o755);
    }
    await chmod(path.join(store, ".taskflow/format"), 0o644);
    const before = await treeOf(store);
    const asNobody = (...args: string[]): Promise<{ status: number; stderr: string }> =>
      run("setpriv", [...OTHER_USER, process.execPath, child, ...args]);
    for (const args of [
      ["put", "tasks/T-1/new"],
      ["delete", "tasks/T-1/a"],
      ["purge", "tasks/T-1/a"],
    ]) {
      const { status, stderr } = await asNobody(store, ...args);
      expect({ args, status, stderr }).toMatchObject({
        status: 5,
        stderr: expect.stringMatching(/^permission: cannot \w+ \S+: permission denied \(\/.*\)\n$/) as string,
      });
    }
    const made = await asNobody(path.join(parent, "other"), "create");
    expect(made.status).toBe(5);
    expect(await treeOf(store)).toEqual(before);
    await writeFile(path.join(store, "tasks/T-1/closed"), "x", { mode: 0o600 });
  });
});

async function* none(): AsyncGenerator<never> {
  // No versions.
}
