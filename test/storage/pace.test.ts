/** `--limit-rate`: no more bytes than that in each second, whatever moves them. Only too quick is wrong here. */
import { expect, test } from "vitest";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { openDriver } from "../../src/storage/open.ts";
import { createPace } from "../../src/storage/pace.ts";
import { bodyOf, bytesOf, calm, putOptions, readAll } from "../conformance/bodies.ts";
import { rejection } from "../conformance/expect-code.ts";
import { freshPaths } from "./fs/folders.ts";
import { KEY, double, driverOn } from "./s3/support.ts";

const RATE = 1_000_000;
const BYTES = bytesOf(400_000);
/** The first piece, at most 64 KiB or a quarter of a second, needn't wait. */
const LEAST_MS = 150;

const fresh = freshPaths("pace");

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function openPaced(): Promise<StorageDriver> {
  return await openDriver({ kind: "folder", path: await fresh() }, { create: true, pace: createPace(RATE) });
}

test("each waits for the bytes before it, and those that nobody waited for are not saved up", () => {
  const pace = createPace(1000);
  expect(pace.reserve(500)).toBe(0);
  expect(pace.reserve(100)).toBeGreaterThan(400);
  expect(pace.reserve(1)).toBeGreaterThan(500);
});

test("a folder's puts and reads are held back", async () => {
  const driver = await openPaced();
  expect(await millisecondsOf(() => driver.put(KEY, bodyOf(BYTES), putOptions()))).toBeGreaterThan(LEAST_MS);
  await readAll(driver, KEY);
  // Its one chunk has to be paid for by who reads next.
  expect(await millisecondsOf(() => readAll(driver, KEY))).toBeGreaterThan(LEAST_MS);
});

test("a bucket's puts are held back, on the wire", async () => {
  const driver = await driverOn(await double(), { pace: createPace(RATE) });
  expect(await millisecondsOf(() => driver.put(KEY, bodyOf(BYTES), putOptions()))).toBeGreaterThan(LEAST_MS);
});

test("a signal ends the wait", async () => {
  const driver = await openDriver({ kind: "folder", path: await fresh() }, { create: true, pace: createPace(1) });
  const stop = new AbortController();
  const body = bodyOf(BYTES, { before: (byte) => void (byte > 0 && setImmediate(() => stop.abort())) });
  await rejection(driver.put(KEY, body, putOptions({ signal: stop.signal })), "interrupted");
  await rejection(driver.head(KEY, { signal: calm }), "not_found");
});
