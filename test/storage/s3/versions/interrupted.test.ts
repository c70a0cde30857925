/** Delete, undelete and purge that a signal comes upon: what was begun is told, and nothing more is begun. */
import { expect, test } from "vitest";
import type { KeyResult, StorageDriver } from "../../../../src/storage/driver.ts";
import { silent, stallBody } from "../../../servers/s3-double/faults.ts";
import type { FaultMatch } from "../../../servers/s3-double/faults.ts";
import type { S3Double } from "../../../servers/s3-double/server.ts";
import { rejection } from "../../../conformance/expect-code.ts";
import { double, driverOn, versionsOf } from "../support.ts";

const KEYS = Array.from({ length: 200 }, (_, n) => `tasks/1/${String(n).padStart(3, "0")}`);

async function deleted(keys: readonly string[]): Promise<{ s3: S3Double; driver: StorageDriver }> {
  const s3 = await double();
  for (const key of keys) {
    s3.plant("b", key, "x");
    s3.delete("b", key);
  }
  return { s3, driver: await driverOn(s3) };
}

/** What was told, where the signal comes as a request that matches does. */
async function interruptedAt(
  s3: S3Double,
  match: FaultMatch,
  begin: (options: { signal: AbortSignal }) => AsyncIterable<KeyResult>,
): Promise<KeyResult[]> {
  const stop = new AbortController();
  const told: KeyResult[] = [];
  const arrived = s3.arrival(match).then(() => stop.abort());
  const working = (async () => {
    for await (const result of begin({ signal: stop.signal })) told.push(result);
  })();
  await rejection(working, "interrupted");
  await arrived;
  return told;
}

test("a delete whose reply doesn't come in time is told as what may be done", async () => {
  const keys = KEYS.slice(0, 3);
  const s3 = await double();
  for (const key of keys) s3.plant("b", key, "x");
  const driver = await driverOn(s3);
  s3.fault({ operation: "DeleteObjects" }, stallBody(0));
  const told = await interruptedAt(s3, { operation: "DeleteObjects" }, (options) => driver.delete(keys, options));
  expect(told.map(({ key, error }) => [key, error?.code, error?.message])).toEqual(
    keys.map((key) => [key, "interrupted", `interrupted: ${key} may be deleted`]),
  );
  expect(s3.keys("b")).toEqual([]);
});

test("a delete that is cut at a key which goes alone tells what went before", async () => {
  const plain = KEYS.slice(0, 2);
  const odd = ["tasks/1/a\u0001", "tasks/1/b\u0001"];
  const s3 = await double();
  for (const key of [...plain, ...odd]) s3.plant("b", key, "x");
  const driver = await driverOn(s3);
  s3.fault({ operation: "DeleteObject" }, silent());
  const told = await interruptedAt(s3, { operation: "DeleteObject" }, (options) =>
    driver.delete([...odd, ...plain], options),
  );
  expect(told.map(({ key, error }) => [key, error?.message])).toEqual([
    [odd[0], `interrupted: ${odd[0]} may be deleted`],
    [odd[1], "interrupted"],
    ...plain.map((key) => [key, undefined]),
  ]);
  expect(s3.keys("b")).toEqual(odd);
});

test("an undelete is stopped between batches: of the one that was begun all is told", async () => {
  const { s3, driver } = await deleted(KEYS);
  const told = await interruptedAt(s3, { operation: "DeleteObjects" }, (options) =>
    versionsOf(driver).undelete(KEYS, options),
  );
  expect(told).toEqual(KEYS.slice(0, 128).map((key) => ({ key })));
  expect(s3.keys("b")).toEqual(KEYS.slice(0, 128));
});

test("an undelete that has no time to look believes the reply", async () => {
  const keys = KEYS.slice(0, 3);
  const { s3, driver } = await deleted(keys);
  s3.fault({ operation: "HeadObject" }, silent());
  const told = await interruptedAt(s3, { operation: "HeadObject" }, (options) =>
    versionsOf(driver).undelete(keys, options),
  );
  expect(told).toEqual(keys.map((key) => ({ key })));
});

test("an undelete whose reply doesn't come in time is told as interrupted", async () => {
  const keys = KEYS.slice(0, 3);
  const { s3, driver } = await deleted(keys);
  s3.fault({ operation: "DeleteObjects" }, silent());
  const told = await interruptedAt(s3, { operation: "DeleteObjects" }, (options) =>
    versionsOf(driver).undelete([...keys, "tasks/1/never"], options),
  );
  expect(told.map(({ key, error }) => [key, error?.code])).toEqual([
    ...keys.map((key) => [key, "interrupted"]),
    ["tasks/1/never", "not_found"],
  ]);
});

test("a purge is stopped between batches: the one that was begun is finished and told", async () => {
  const { s3, driver } = await deleted(KEYS);
  const told = await interruptedAt(s3, { operation: "DeleteObjects" }, (options) =>
    versionsOf(driver).purge(KEYS, options),
  );
  expect(told).toEqual(KEYS.slice(0, 128).map((key) => ({ key })));
  expect(s3.versions("b").length).toBe(2 * 72);
});

test("a purge that is cut tells each key of its batch", async () => {
  const keys = KEYS.slice(0, 3);
  const { s3, driver } = await deleted(keys);
  s3.fault({ operation: "DeleteObjects" }, silent());
  const told = await interruptedAt(s3, { operation: "DeleteObjects" }, (options) =>
    versionsOf(driver).purge([...keys, "tasks/1/never"], options),
  );
  expect(told.map(({ key, error }) => [key, error?.code])).toEqual([
    ...keys.map((key) => [key, "interrupted"]),
    ["tasks/1/never", "not_found"],
  ]);
  expect(told[0]?.error?.message).toContain("it is deleted, but 1 version may remain");
});
