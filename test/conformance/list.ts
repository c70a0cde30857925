import { expect, test } from "vitest";
import type { ObjectInfo } from "../../src/storage/driver.ts";
import { calm, collect, eachAtOnce, keysOf, putText, text } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

/** In S3's order: `-` and `.` come before `/`, U+E000 and beyond before what UTF-16 needs two units for. */
const KEYS = [
  "tasks/1-a/x",
  "tasks/1.b/x",
  "tasks/1/B",
  "tasks/1/a",
  "tasks/1/a b",
  "tasks/1/a.b",
  "tasks/1/ab",
  "tasks/1/z",
  "tasks/1/é",
  "tasks/1/日",
  "tasks/1/\ue000",
  "tasks/1/\uff5e",
  "tasks/1/😀",
  "tasks/10/x",
  "tasks/1_/x",
  "tasks/2/x",
];

export function listPromises({ driver, reopened, plant }: Suite): void {
  const list = (prefix: string, after?: string): Promise<string[]> =>
    keysOf(driver().list(prefix, { signal: calm, ...(after === undefined ? {} : { after }) }));

  async function fill(): Promise<void> {
    await Promise.all([...KEYS].reverse().map((key) => putText(driver(), key)));
  }

  test("an empty store has an empty list, and so has a prefix that nothing has", async () => {
    expect(await list("")).toEqual([]);
    expect(await list("tasks/T-1/")).toEqual([]);
    await putText(driver(), "tasks/T-1/a");
    expect(await list("tasks/T-2/")).toEqual([]);
    expect(await list("tasks/T-1/b")).toEqual([]);
    expect(await list("other/")).toEqual([]);
  });

  test("keys come in the order of their UTF-8 bytes", async () => {
    await fill();
    const byBytes = [...KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(byBytes).toEqual(KEYS);
    expect(await list("")).toEqual(KEYS);
  });

  test.each([
    "tasks/",
    "tasks/1",
    "tasks/1/",
    "tasks/1/a",
    "tasks/1/ab",
    "tasks/1/日",
    "tasks/1-",
    "tas",
    "tasks/1/a/",
  ])("the prefix %s selects what begins with it, and nothing else", async (prefix) => {
    await fill();
    expect(await list(prefix)).toEqual(KEYS.filter((key) => key.startsWith(prefix)));
  });

  test.each([...KEYS, "a", "tasks", "tasks/1", "tasks/1/", "tasks/1/aa", "tasks/1/\u{10ffff}", "tasks/9/x", "z"])(
    "after %s come the keys that are greater",
    async (after) => {
      await fill();
      const isAfter = (key: string): boolean => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
      expect(await list("", after)).toEqual(KEYS.filter((key) => isAfter(key)));
      expect(await list("tasks/1/", after)).toEqual(KEYS.filter((key) => key.startsWith("tasks/1/") && isAfter(key)));
    },
  );

  test("a row tells what head tells", async () => {
    await putText(driver(), "tasks/1/a", "hello");
    await plant("tasks/1/b", text("foreign"));
    const rows = await collect(driver().list("", { signal: calm }));
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(Object.keys(row).sort()).toEqual(["key", "modifiedAt", "size", "storageClass"]);
      expect(await driver().head(row.key, { signal: calm })).toMatchObject(row);
    }
  });

  test("what another process put is listed once it was acknowledged", async () => {
    const other = await reopened();
    await putText(other, "tasks/1/a");
    expect(await list("")).toEqual(["tasks/1/a"]);
  });

  test("what is there all the while is listed exactly once, whatever comes and goes beside it", async () => {
    const stay = Array.from({ length: 40 }, (_, n) => `tasks/1/stays-${String(n).padStart(2, "0")}`);
    await Promise.all(stay.map((key) => putText(driver(), key)));
    const other = await reopened();
    const writer = { busy: true };
    const coming = (async () => {
      for (let n = 0; n < 60; n += 1) {
        const key = `tasks/1/${n % 2 === 0 ? "a" : "z"}-${n}`;
        await putText(other, key);
        await collect(other.delete([key], { signal: calm }));
      }
      writer.busy = false;
    })();
    while (writer.busy) {
      const found = await list("tasks/1/");
      expect(found.filter((key) => key.includes("stays"))).toEqual(stay);
    }
    await coming;
  });

  test("no key is listed before all of it is there", async () => {
    const other = await reopened();
    const keys = Array.from({ length: 40 }, (_, n) => `tasks/1/${n}`);
    const writer = { busy: true };
    const seen: ObjectInfo[] = [];
    const watching = (async () => {
      while (writer.busy) {
        for (const row of await collect(other.list("", { signal: calm }))) {
          seen.push(row);
          const { record, size } = await other.head(row.key, { signal: calm });
          expect({ size, recorded: record?.size }).toEqual({ size: 10_000, recorded: 10_000 });
        }
      }
    })();
    await eachAtOnce(keys, 8, async (key) => {
      await putText(driver(), key, "x".repeat(10_000));
    });
    writer.busy = false;
    await watching;
    expect(seen.every(({ size }) => size === 10_000)).toBe(true);
  });

  test("the loop may be left at any row", async () => {
    await fill();
    for await (const row of driver().list("", { signal: calm })) {
      expect(row.key).toBe(KEYS[0]);
      break;
    }
    expect(await list("")).toEqual(KEYS);
  });

  test("a signal that was aborted before is `interrupted`", async () => {
    await rejection(collect(driver().list("", { signal: AbortSignal.abort() })), "interrupted");
  });
}
