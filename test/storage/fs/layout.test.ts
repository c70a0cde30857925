import { chmod, lstat, mkdir, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  bodyOf,
  bytesOf,
  calm,
  collect,
  putOptions,
  putText,
  readText,
  sha256,
  text,
} from "../../conformance/bodies.ts";
import { rejection } from "../../conformance/expect-code.ts";
import { buildChild } from "./build-child.ts";
import { freshPaths, modesOf, openStore, plant, treeOf } from "./folders.ts";
import { OTHER_USER, need } from "./needs.ts";
import { run } from "./strace.ts";

const fresh = freshPaths("layout");

describe("the layout of a folder store", () => {
  test("is plain files at their keys, with all that is known of them beside", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    expect(await treeOf(store)).toEqual([".gitignore", ".taskflow/", ".taskflow/format", ".taskflow/tmp/"]);
    await putText(driver, "tasks/T-1/a_report.pdf", "hello", { storageClass: "GLACIER" });
    await putText(driver, "tasks/T-1/b", "world");
    await collect(driver.delete(["tasks/T-1/b"], { signal: calm }));
    expect(await treeOf(store)).toEqual(
      [
        ".gitignore",
        ".taskflow/",
        ".taskflow/class/",
        ".taskflow/class/T-1/",
        ".taskflow/class/T-1/a_report.pdf",
        ".taskflow/format",
        ".taskflow/meta/",
        ".taskflow/meta/T-1/",
        ".taskflow/meta/T-1/a_report.pdf.json",
        ".taskflow/meta/T-1/b.json",
        ".taskflow/tmp/",
        ".taskflow/trash/",
        ".taskflow/trash/T-1/",
        ".taskflow/trash/T-1/*/",
        ".taskflow/trash/T-1/*/b",
        "tasks/",
        "tasks/T-1/",
        "tasks/T-1/a_report.pdf",
      ].sort(),
    );
    expect(await readFile(path.join(store, "tasks/T-1/a_report.pdf"), "utf8")).toBe("hello");
    expect(JSON.parse(await readFile(path.join(store, ".taskflow/meta/T-1/a_report.pdf.json"), "utf8"))).toEqual({
      v: 1,
      key: "tasks/T-1/a_report.pdf",
      name: "report.pdf",
      size: 5,
      sha256: sha256(text("hello")),
      type: "application/octet-stream",
      createdAt: "2026-11-23T20:14:05.678Z",
      uploadedBy: null,
      note: null,
      meta: {},
      tags: {},
    });
    expect(await readFile(path.join(store, ".taskflow/class/T-1/a_report.pdf"), "utf8")).toBe("GLACIER\n");
  });

  test("after purge holds nothing of the key", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    await putText(driver, "tasks/T-1/a", "x", { storageClass: "GLACIER" });
    await putText(driver, "tasks/T-1/b");
    await collect(driver.delete(["tasks/T-1/b"], { signal: calm }));
    await collect(driver.versions?.purge(["tasks/T-1/a", "tasks/T-1/b"], { signal: calm }) ?? none());
    expect((await treeOf(store)).filter((name) => !name.endsWith("/"))).toEqual([".gitignore", ".taskflow/format"]);
  });

  test("deleting many of a task at once costs one entry in the trash", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    const keys = Array.from({ length: 300 }, (_, n) => `tasks/${n % 2}/${n}`);
    for (const key of keys) await plant(store, key);
    await collect(driver.delete(keys, { signal: calm }));
    expect(await readdir(path.join(store, ".taskflow/trash/0"))).toHaveLength(1);
    expect(await readdir(path.join(store, ".taskflow/trash/1"))).toHaveLength(1);
    await collect(driver.versions?.undelete(keys, { signal: calm }) ?? none());
    expect(await readdir(path.join(store, ".taskflow/trash/0")), "emptied entries are removed").toEqual([]);
  });

  test("what is told of deleted ones is never out of date, whoever moves them meanwhile", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    const other = await openStore(store);
    const keys = ["tasks/T-1/a", "tasks/T-1/b"];
    for (const key of keys) await putText(driver, key);
    await collect(driver.delete(keys, { signal: calm }));
    for (let round = 0; round < 20; round += 1) {
      const before = await driver.versions?.headDeleted("tasks/T-1/a", { signal: calm });
      await collect(other.versions?.undelete(["tasks/T-1/a"], { signal: calm }) ?? none());
      await rejection(driver.versions?.headDeleted("tasks/T-1/a", { signal: calm }) ?? Promise.resolve(), "not_found");
      const [again] = await collect(other.delete(["tasks/T-1/a"], { signal: calm }));
      const after = await driver.versions?.headDeleted("tasks/T-1/a", { signal: calm });
      expect(after).toEqual({ ...before, deletedAt: again?.deletedAt });
    }
    expect((await driver.versions?.headDeleted("tasks/T-1/b", { signal: calm }))?.key).toBe("tasks/T-1/b");
  });

  test("a failed upload leaves no directory and no part behind", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    const before = await treeOf(store);
    const body = bodyOf(bytesOf(200_000), { settle: () => Promise.reject(new Error("odd")) });
    await rejection(driver.put("tasks/T-9/x", body, putOptions()), "internal");
    expect(await treeOf(store)).toEqual(before);
  });

  test("names up to 255 bytes are kept, longer ones are `usage`", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    const keys = [250, 251, 255].map((length) => `tasks/T-1/${"n".repeat(length)}`);
    for (const key of keys) await putText(driver, key);
    for (const key of keys) {
      expect(await readText(driver, key)).toBe(`the bytes of ${key}`);
      expect((await driver.head(key, { signal: calm })).record?.size).toBe(`the bytes of ${key}`.length);
    }
    expect(await readdir(path.join(store, ".taskflow/meta/T-1"))).toContain(`${sha256(text("n".repeat(251)))}.json`);
    await rejection(putText(driver, `tasks/T-1/${"n".repeat(256)}`), "usage");
  });

  test.each([
    "x",
    "tasks/x",
    "tasks/a/b/c",
    "other/a/b",
    "tasks/.a/b",
    "tasks/a/.b",
    "tasks//b",
    "tasks/../b",
    "tasks/a/..",
  ])("the key %s is `usage` for put, and nothing is written outside of tasks/", async (key) => {
    const store = await fresh();
    const driver = await openStore(store);
    const before = await treeOf(path.dirname(store));
    await rejection(putText(driver, key), "usage");
    await rejection(driver.head(key, { signal: calm }), "not_found");
    expect(await collect(driver.delete([key], { signal: calm }))).toMatchObject([{ key, existed: false }]);
    expect(await treeOf(path.dirname(store))).toEqual(before);
  });
});

/** The operations that make something, in processes of this umask. */
function script(umask: string, child: string, store: string): string {
  const operations = ["create", "put tasks/T-1/a-label tasks/T-2/b", "delete tasks/T-1/a-label"];
  const commands = operations.map((operation) => `"${process.execPath}" "${child}" "${store}" ${operation}`);
  return [`umask ${umask}`, ...commands].join(" && ");
}

describe("modes", () => {
  test.each(["000", "022", "077", "277", "777"])("are 0700 and 0600 under umask %s", async (umask) => {
    const store = await fresh();
    const { child } = await buildChild(`${store}-bin`);
    const { status, stderr } = await run("sh", ["-c", script(umask, child, store)]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(await modesOf(store)).toEqual({ files: ["600"], directories: ["700"] });
  });

  for (const umask of ["077", "277", "777"]) {
    test(`are so for a user whom modes stop, under umask ${umask}`, async (context) => {
      need(context, "otherUser");
      const parent = await fresh();
      await mkdir(parent);
      await chmod(parent, 0o777);
      await chmod(path.dirname(parent), 0o755);
      const store = path.join(parent, "store");
      const { child } = await buildChild(path.join(parent, "bin"));
      const { status, stderr } = await run("setpriv", [...OTHER_USER, "sh", "-c", script(umask, child, store)]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(await modesOf(store)).toEqual({ files: ["600"], directories: ["700"] });
    });
  }

  test("a folder that others can write is worth a warning, and so is another owner", async () => {
    const store = await fresh();
    await openStore(store);
    await chmod(store, 0o770);
    const warnings: string[] = [];
    const { uid } = await lstat(store);
    await openStore(store, { onWarning: (warning) => warnings.push(warning), uid: uid + 1 });
    expect(warnings).toHaveLength(2);
    expect(warnings.join("\n")).toMatch(/written by others \(mode 0770\)[^]*belongs to another user/);
    warnings.length = 0;
    await chmod(store, 0o755);
    await openStore(store, { onWarning: (warning) => warnings.push(warning), uid });
    expect(warnings).toEqual([]);
  });
});

async function* none(): AsyncGenerator<never> {
  // No versions.
}
