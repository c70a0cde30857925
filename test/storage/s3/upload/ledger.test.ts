/** Whose an entry of the ledger is: told from its name alone, and changed by a rename alone. */
import { mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLedger } from "../../../../src/storage/s3/upload/ledger.ts";
import type { Ledger, LedgerEntry } from "../../../../src/storage/s3/upload/ledger.ts";

const ENTRY: LedgerEntry = {
  key: "tasks/T-1/a",
  uploadId: "an/upload+id",
  size: 9_000_000,
  sha256: "0".repeat(64),
  partSize: 8 * 1024 * 1024,
  createdAt: new Date("2026-11-22T21:10:00.000Z"),
  abortAt: new Date("2026-11-29T00:00:00.000Z"),
};
const HOUR_MS = 60 * 60 * 1000;

let folder: string;

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), "taskflow-ledger-")), "uploads");
});

afterEach(async () => {
  await rm(path.dirname(folder), { recursive: true });
});

function ledgerOf(pid: number, alive: readonly number[] = []): Ledger {
  const owner = { host: "here.example.org", boot: "first", pid };
  return openLedger({ folder, owner, isAlive: (other) => alive.includes(other) }, () => new Date());
}

async function onlyName(): Promise<string> {
  const names = await readdir(folder);
  expect(names).toHaveLength(1);
  return names[0] ?? "";
}

/** Leaves an entry that nobody works on. */
async function freed(): Promise<string> {
  await (await ledgerOf(1).add("x", ENTRY)).release();
  return await onlyName();
}

test("what is noted comes back as it was, and is the user's alone", async () => {
  const claimed = await ledgerOf(1).add("x", ENTRY);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(path.join(folder, await onlyName()))).mode & 0o777).toBe(0o600);
  expect(await ledgerOf(2, [1]).claim("x")).toBeNull();
  expect(await ledgerOf(2, [1]).isBusy("x")).toBe(true);
  await claimed.release();
  expect(await ledgerOf(2, [1]).isBusy("x")).toBe(false);
  expect(await ledgerOf(2).claim("y")).toBeNull();
  const again = await ledgerOf(2).claim("x");
  expect(again?.entry).toEqual(ENTRY);
  await again?.remove();
  expect(await readdir(folder)).toEqual([]);
});

test("a ledger that was never written has nothing", async () => {
  expect(await ledgerOf(1).claim("x")).toBeNull();
  expect(await ledgerOf(1).isBusy("x")).toBe(false);
});

test("of many at once one gets it", async () => {
  await freed();
  const pids = Array.from({ length: 20 }, (_, n) => n + 10);
  const claims = await Promise.all(pids.map((pid) => ledgerOf(pid, pids).claim("x")));
  expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
});

test("two of one process don't share it", async () => {
  await freed();
  const ledger = ledgerOf(1);
  expect(await ledger.claim("x")).not.toBeNull();
  expect(await ledger.claim("x")).toBeNull();
  expect(await ledgerOf(1).claim("x")).toBeNull();
});

test.each([
  ["a process of this machine that is gone", "here_example_org.first.8", 0, true],
  ["a process with our own id, which isn't us", "here_example_org.first.7", 0, true],
  ["a process that lives", "here_example_org.first.9", 2 * HOUR_MS, false],
  ["this machine before it was started again", "here_example_org.zeroth.9", 0, true],
  ["another machine", "there.first.8", 0, false],
  ["another machine that has sent nothing for an hour", "there.first.8", HOUR_MS + 60_000, true],
])("the entry of %s", async (_, owner, ageMs, mayHave) => {
  const name = await freed();
  const claimed = path.join(folder, name.replace(/json$/, owner));
  await rename(path.join(folder, name), claimed);
  const time = new Date(Date.now() - ageMs);
  await utimes(claimed, time, time);
  expect((await ledgerOf(7, [9]).claim("x")) !== null).toBe(mayHave);
});

test.each([
  "",
  "{",
  "null",
  '{"v":1}',
  JSON.stringify({ v: 2, ...ENTRY }),
  JSON.stringify({ v: 1, ...ENTRY, partSize: 1000 }),
  JSON.stringify({ v: 1, ...ENTRY, createdAt: "then" }),
])("an entry that says %j is none, and goes", async (text) => {
  await writeFile(path.join(folder, await freed()), text);
  expect(await ledgerOf(1).claim("x")).toBeNull();
  expect(await readdir(folder)).toEqual([]);
});
