/** A network file system may do what was asked and lose the answer: the second try then says that it can't be done. */
import type * as FsPromises from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { calm, collect, putText, readText } from "../../conformance/bodies.ts";
import { rejection } from "../../conformance/expect-code.ts";
import { freshPaths, openStore, treeOf } from "./folders.ts";

/** What the next call answers after it was done. */
const lost = vi.hoisted(() => ({ link: [] as string[], rename: [] as string[] }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof FsPromises>();
  function losing(name: "link" | "rename"): (from: string, to: string) => Promise<void> {
    return async (from, to) => {
      await original[name](from, to);
      const code = lost[name].shift();
      if (code !== undefined) throw Object.assign(new Error(code), { code, path: from });
    };
  }
  return { ...original, link: losing("link"), rename: losing("rename") };
});

const fresh = freshPaths("lost");
const KEY = "tasks/T-1/a";

describe("a lost reply", () => {
  test.each(["EEXIST", "EIO", "ETIMEDOUT"])("to the commit of an upload (%s): it is stored", async (code) => {
    const store = await fresh();
    const driver = await openStore(store);
    lost.link.push(code);
    await putText(driver, KEY, "hello");
    expect(lost.link).toEqual([]);
    expect(await readText(driver, KEY)).toBe("hello");
    expect((await driver.head(KEY, { signal: calm })).record?.size).toBe(5);
    expect((await treeOf(store)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("to the commit by rename, where there are no links: it is stored", async () => {
    const driver = await openStore(await fresh());
    // The first is done too, so what it made is removed again by the driver's own look.
    lost.link.push("EPERM");
    await putText(driver, KEY, "hello");
    expect(await readText(driver, KEY)).toBe("hello");
  });

  test("to the rename of a delete: it was there, and is deleted", async () => {
    const driver = await openStore(await fresh());
    await putText(driver, KEY, "hello");
    lost.rename.push("ENOENT");
    expect(await collect(driver.delete([KEY], { signal: calm }))).toMatchObject([{ existed: true, undoable: true }]);
    await rejection(driver.head(KEY, { signal: calm }), "not_found");
    expect((await driver.versions?.headDeleted(KEY, { signal: calm }))?.size).toBe(5);
  });

  test("to the rename of an undelete: it says that it is live", async () => {
    const driver = await openStore(await fresh());
    await putText(driver, KEY, "hello");
    await collect(driver.delete([KEY], { signal: calm }));
    lost.rename.push("ENOENT");
    const results = driver.versions?.undelete([KEY], { signal: calm });
    expect(await collect(results ?? none())).toMatchObject([{ error: { code: "exists" } }]);
    expect(await readText(driver, KEY)).toBe("hello");
  });
});

async function* none(): AsyncGenerator<never> {
  // No versions.
}
