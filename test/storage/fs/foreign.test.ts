import { link, mkdir, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import {
  bytesOf,
  bodyOf,
  calm,
  collect,
  concat,
  keysOf,
  putOptions,
  putText,
  readText,
} from "../../conformance/bodies.ts";
import { rejection } from "../../conformance/expect-code.ts";
import { freshPaths, openStore, plant, treeOf } from "./folders.ts";
import { run } from "./strace.ts";

const fresh = freshPaths("foreign");
const KEY = "tasks/T-1/a";

async function newStore(): Promise<{ store: string; driver: StorageDriver }> {
  const store = await fresh();
  const driver = await openStore(store);
  await putText(driver, KEY, "hello");
  return { store, driver };
}

describe("what others put into a store", () => {
  test("only regular files directly under tasks/<task>/ are objects, and no dot names", async () => {
    const { store, driver } = await newStore();
    await plant(store, "tasks/T-1/b");
    await plant(store, "tasks/T-1/.hidden");
    await plant(store, "tasks/T-1/deeper/c");
    await plant(store, "tasks/.hidden/d");
    await plant(store, "tasks/file");
    await plant(store, "other/e");
    await symlink(path.join(store, "tasks/T-1/b"), path.join(store, "tasks/T-1/link"));
    await run("mkfifo", [path.join(store, "tasks/T-1/fifo")]);
    expect(await keysOf(driver.list("", { signal: calm }))).toEqual([KEY, "tasks/T-1/b"]);
    for (const base of ["T-1/.hidden", "T-1/deeper", "T-1/deeper/c", ".hidden/d", "file", "T-1/link", "T-1/fifo"]) {
      const key = `tasks/${base}`;
      await rejection(driver.head(key, { signal: calm }), "not_found");
      await rejection(driver.get(key, { signal: calm }), "not_found");
      const before = await treeOf(store);
      expect(await collect(driver.delete([key], { signal: calm }))).toMatchObject([{ existed: false }]);
      expect(await collect(driver.versions?.purge([key], { signal: calm }) ?? none())).toMatchObject([
        { error: { code: "not_found" } },
      ]);
      expect(await treeOf(store)).toEqual(before);
    }
  });

  test("a name that another thing has is `exists`, never replaced", async () => {
    const { store, driver } = await newStore();
    await plant(store, "tasks/T-1/folder/x");
    await symlink("/nowhere", path.join(store, "tasks/T-1/link"));
    for (const base of ["folder", "link"]) await rejection(putText(driver, `tasks/T-1/${base}`), "exists");
    expect((await treeOf(store)).filter((name) => name.endsWith(".part") || name.includes("meta/T-1/f"))).toEqual([]);
  });

  test("undelete replaces nothing, whatever it is", async () => {
    const { store, driver } = await newStore();
    await collect(driver.delete([KEY], { signal: calm }));
    await symlink("/nowhere", path.join(store, KEY));
    expect(await collect(driver.versions?.undelete([KEY], { signal: calm }) ?? none())).toMatchObject([
      { error: { code: "exists" } },
    ]);
    await rm(path.join(store, KEY));
    expect(await collect(driver.versions?.undelete([KEY], { signal: calm }) ?? none())).toEqual([{ key: KEY }]);
  });

  test.each(["tasks", "tasks/T-1", ".taskflow", ".taskflow/meta", ".taskflow/meta/T-1", ".taskflow/tmp"])(
    "a symlink at %s is `bad_config`, and what lies behind it is neither read nor changed",
    async (level) => {
      const { store, driver } = await newStore();
      const outside = `${store}-outside`;
      await run("cp", ["-r", path.join(store, level), outside]);
      await rm(path.join(store, level), { recursive: true });
      await symlink(outside, path.join(store, level));
      const before = await treeOf(outside);
      for (const each of [driver, await openStore(store).catch(() => driver)]) {
        const error = await rejection(putText(each, "tasks/T-1/new"), "bad_config");
        expect(error.exit).toBe(5);
        expect(error.message).toContain(path.join(store, level));
      }
      if (level.startsWith("tasks")) {
        await rejection(driver.get(KEY, { signal: calm }), "bad_config");
        await rejection(collect(driver.list("", { signal: calm })), "bad_config");
        await rejection(collect(driver.list("tasks/T-1/", { signal: calm })), "bad_config");
        expect(await collect(driver.delete([KEY], { signal: calm }))).toMatchObject([
          { error: { code: "bad_config" } },
        ]);
      }
      await rejection(driver.head(KEY, { signal: calm }), "bad_config").catch((error: unknown) => {
        // Nothing of an object is in the staging folder.
        if (level !== ".taskflow/tmp") throw error;
      });
      expect(await treeOf(outside)).toEqual(before);
    },
  );

  test.each([".taskflow/trash", ".taskflow/trash/T-1"])(
    "a symlink at %s is `bad_config` for what is deleted",
    async (level) => {
      const { store, driver } = await newStore();
      const outside = `${store}-outside`;
      await mkdir(outside);
      await mkdir(path.dirname(path.join(store, level)), { recursive: true });
      await symlink(outside, path.join(store, level));
      const { versions } = driver;
      expect(await collect(driver.delete([KEY], { signal: calm }))).toMatchObject([{ error: { code: "bad_config" } }]);
      await rejection(versions?.headDeleted("tasks/T-1/x", { signal: calm }) ?? Promise.resolve(), "bad_config");
      await rejection(collect(versions?.listDeleted("tasks/T-1/", { signal: calm }) ?? none()), "bad_config");
      expect(await treeOf(outside)).toEqual([]);
      expect(await readText(driver, KEY)).toBe("hello");
    },
  );

  test("a sidecar or label that is a symlink is not followed", async () => {
    const { store, driver } = await newStore();
    const sidecar = path.join(store, ".taskflow/meta/T-1/a.json");
    const content = await readFile(sidecar);
    await writeFile(`${store}-outside`, content);
    await rm(sidecar);
    await symlink(`${store}-outside`, sidecar);
    await mkdir(path.join(store, ".taskflow/class/T-1"), { recursive: true });
    await symlink("/etc/hostname", path.join(store, ".taskflow/class/T-1/a"));
    expect(await driver.head(KEY, { signal: calm })).toMatchObject({
      record: null,
      damaged: "its record is a symbolic link",
      storageClass: "STANDARD",
    });
  });

  test("names in a listing that vanish before they are looked at are left out", async () => {
    const { store, driver } = await newStore();
    for (let n = 0; n < 600; n += 1) await plant(store, `tasks/T-1/many-${n}`);
    const seen: string[] = [];
    for await (const { key } of driver.list("", { signal: calm })) {
      if (seen.length === 0) await run("sh", ["-c", `rm ${store}/tasks/T-1/many-*`]);
      seen.push(key);
    }
    expect(seen).toEqual([KEY]);
  });

  test("a file that gets shorter while it is read is `io`, never an early end", async () => {
    const { store, driver } = await newStore();
    await driver.put("tasks/T-1/big", bodyOf(bytesOf(5_000_000)), putOptions());
    const { chunks } = await driver.get("tasks/T-1/big", { signal: calm });
    const reading = (async () => {
      for await (const chunk of chunks) {
        if (chunk.length > 0) await truncate(path.join(store, "tasks/T-1/big"), 1_200_000);
      }
    })();
    const error = await rejection(reading, "io");
    expect(error.message).toContain("it ends at byte 1200000, before byte 5000000");
  });

  test("a file that grows while it is read gives the bytes that it had", async () => {
    const { store, driver } = await newStore();
    const { chunks } = await driver.get(KEY, { signal: calm });
    await writeFile(path.join(store, KEY), "more than before");
    expect((await concat(chunks)).length).toBe(5);
  });

  test("a copy of a file under two names is two objects", async () => {
    const { store, driver } = await newStore();
    await link(path.join(store, KEY), path.join(store, "tasks/T-1/twin"));
    await collect(driver.delete([KEY], { signal: calm }));
    expect(await readText(driver, "tasks/T-1/twin")).toBe("hello");
    expect(await collect(driver.versions?.undelete([KEY], { signal: calm }) ?? none())).toEqual([{ key: KEY }]);
    expect(await keysOf(driver.list("", { signal: calm }))).toEqual([KEY, "tasks/T-1/twin"]);
  });

  test("odd things in the trash are none of ours", async () => {
    const { store, driver } = await newStore();
    await collect(driver.delete([KEY], { signal: calm }));
    for (const name of [
      "x",
      "T-1/y",
      "T-1/1-zz/a",
      "T-1/notes/a",
      "T-1/1795476979108-2bd528dacd917e77/sub/a",
      ".x/y",
    ]) {
      await plant(store, `.taskflow/trash/${name}`);
    }
    const { versions } = driver;
    expect(await keysOf(versions?.listDeleted("", { signal: calm }) ?? none())).toEqual([KEY]);
    expect(await collect(versions?.undelete([KEY], { signal: calm }) ?? none())).toEqual([{ key: KEY }]);
  });
});

describe("sidecars", () => {
  const sidecarOf = (store: string): string => path.join(store, ".taskflow/meta/T-1/a.json");

  test.each([
    ["nothing", ""],
    ["half of it", null],
    ["no JSON", "hello"],
    ["no object", "[1]"],
    ["no key", '{"v":1}'],
    ["a later version", `{"v":2,"key":"${KEY}"}`],
    ["no digest", `{"v":1,"key":"${KEY}","name":"a","size":5}`],
    ["a bad digest", `{"v":1,"key":"${KEY}","name":"a","size":5,"sha256":"xyz"}`],
    ["a bad size", `{"v":1,"key":"${KEY}","name":"a","size":-5,"sha256":"xyz"}`],
  ])("with %s in it: the object is there, `damaged`, without a record", async (_, content) => {
    const { store, driver } = await newStore();
    const whole = await readFile(sidecarOf(store), "utf8");
    await writeFile(sidecarOf(store), content ?? whole.slice(0, whole.length / 2));
    const object = await driver.head(KEY, { signal: calm });
    expect(object).toMatchObject({ key: KEY, size: 5, record: null, type: null, tags: {} });
    expect(object.damaged).toMatch(/^its record /);
    const got = await driver.get(KEY, { signal: calm });
    expect(got.object).toEqual(object);
    expect((await concat(got.chunks)).length).toBe(5);
    await rejection(putText(driver, KEY), "exists");
  });

  test("missing: the object is unrecorded, not damaged", async () => {
    const { store, driver } = await newStore();
    await rm(sidecarOf(store));
    const object = await driver.head(KEY, { signal: calm });
    expect(object).toMatchObject({ size: 5, record: null });
    expect(object.damaged).toBeUndefined();
  });

  test("of another key don't count", async () => {
    const { store, driver } = await newStore();
    const whole = await readFile(sidecarOf(store), "utf8");
    await writeFile(sidecarOf(store), whole.replace(KEY, "tasks/T-2/a"));
    const object = await driver.head(KEY, { signal: calm });
    expect(object.record).toBeNull();
    expect(object.damaged).toBeUndefined();
  });

  test("without an object are invisible, keep their key for an hour, then give way", async () => {
    const { store, driver } = await newStore();
    await rm(path.join(store, KEY));
    expect(await keysOf(driver.list("", { signal: calm }))).toEqual([]);
    await rejection(driver.head(KEY, { signal: calm }), "not_found");
    await rejection(putText(driver, KEY, "again"), "exists");
    const almost = new Date(Date.now() - 59 * 60 * 1000);
    await utimes(sidecarOf(store), almost, almost);
    await rejection(putText(driver, KEY, "again"), "exists");
    const past = new Date(Date.now() - 61 * 60 * 1000);
    await utimes(sidecarOf(store), past, past);
    await putText(driver, KEY, "again");
    expect(await readText(driver, KEY)).toBe("again");
    expect(
      (await treeOf(store)).filter((name) => /quarantine\/./.test(name)),
      "nothing is destroyed",
    ).toHaveLength(1);
  });

  test("of what is deleted are no abandoned claims, however old", async () => {
    const { store, driver } = await newStore();
    await collect(driver.delete([KEY], { signal: calm }));
    const past = new Date(0);
    await utimes(sidecarOf(store), past, past);
    await rejection(putText(driver, KEY), "exists");
    expect(await collect(driver.versions?.undelete([KEY], { signal: calm }) ?? none())).toEqual([{ key: KEY }]);
    expect((await driver.head(KEY, { signal: calm })).record).not.toBeNull();
  });
});

async function* none(): AsyncGenerator<never> {
  // No versions.
}
