/** A copy that was killed between its claim of a key and its commit: the next run of it must not wait for an hour. */
import type * as FsPromises from "node:fs/promises";
import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import { calm, collect, putText, readText } from "../../conformance/bodies.ts";
import { rejection } from "../../conformance/expect-code.ts";
import { freshPaths, openStore, treeOf } from "./folders.ts";

/** What another process does just before the next commit. */
const meanwhile = vi.hoisted(() => ({ atLink: null as ((target: string) => Promise<void>) | null }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof FsPromises>();
  return {
    ...original,
    async link(from: string, to: string) {
      await meanwhile.atLink?.(to);
      meanwhile.atLink = null;
      await original.link(from, to);
    },
  };
});

const fresh = freshPaths("cut-off");
const KEY = "tasks/T-1/a";

/** A store with the claim of a put of "hello" that went no further, so many seconds ago. */
async function cutOff(secondsAgo: number): Promise<{ store: string; driver: StorageDriver; sidecar: string }> {
  const store = await fresh();
  const driver = await openStore(store);
  await putText(driver, KEY, "hello");
  await rm(path.join(store, KEY));
  const sidecar = path.join(store, ".taskflow/meta/T-1/a.json");
  await age(sidecar, secondsAgo);
  return { store, driver, sidecar };
}

async function age(file: string, secondsAgo: number): Promise<void> {
  const then = new Date(Date.now() - secondsAgo * 1000);
  await utimes(file, then, then);
}

async function expectStored(driver: StorageDriver): Promise<void> {
  expect(await readText(driver, KEY)).toBe("hello");
  expect((await driver.head(KEY, { signal: calm })).record).toMatchObject({ size: 5 });
}

describe("a claim that says the same", () => {
  test("gives way after seconds, and nothing is destroyed", async () => {
    const { store, driver } = await cutOff(11);
    await putText(driver, KEY, "hello");
    await expectStored(driver);
    expect((await treeOf(store)).filter((name) => /quarantine\/./.test(name))).toHaveLength(1);
  });

  test("is waited for until then", async () => {
    const { driver } = await cutOff(9.5);
    await putText(driver, KEY, "hello");
    await expectStored(driver);
  });

  test("gives way though it was not written to its end", async () => {
    const { driver, sidecar } = await cutOff(0);
    const whole = await readFile(sidecar, "utf8");
    await writeFile(sidecar, whole.slice(0, whole.length / 2));
    await age(sidecar, 11);
    await putText(driver, KEY, "hello");
    await expectStored(driver);
  });

  test("keeps the key where its object was deleted", async () => {
    const store = await fresh();
    const driver = await openStore(store);
    await putText(driver, KEY, "hello");
    await collect(driver.delete([KEY], { signal: calm }));
    await rejection(putText(driver, KEY, "hello"), "exists");
  });

  test("a signal ends the wait", async () => {
    const { driver } = await cutOff(0);
    const stop = new AbortController();
    const putting = putText(driver, KEY, "hello", { signal: stop.signal });
    setImmediate(() => stop.abort());
    await rejection(putting, "interrupted");
  });
});

test("a claim that says something else keeps its key for an hour", async () => {
  const { driver } = await cutOff(11);
  await rejection(putText(driver, KEY, "other"), "exists");
});

describe("who was given up lives after all", () => {
  test("and commits first: the object keeps its record, and the other is told `exists`", async () => {
    const { driver } = await cutOff(11);
    meanwhile.atLink = (target) => writeFile(target, "hello");
    await rejection(putText(driver, KEY, "hello"), "exists");
    await expectStored(driver);
  });

  test("and gives up itself, taking its sidecar away: the record is written again", async () => {
    const { driver, sidecar } = await cutOff(11);
    meanwhile.atLink = () => rm(sidecar);
    await putText(driver, KEY, "hello");
    await expectStored(driver);
  });

  test("another program's bytes get no record", async () => {
    const { driver } = await cutOff(11);
    meanwhile.atLink = (target) => writeFile(target, "other");
    await rejection(putText(driver, KEY, "hello"), "exists");
    expect(await driver.head(KEY, { signal: calm })).toMatchObject({ size: 5, record: null });
  });
});
