import { expect, test } from "vitest";
import { bodyOf, bytesOf, calm, collect, keysOf, putOptions, putText, readText, text } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/a";

export function deletePromises({ driver, reopened, plant, exceptions }: Suite): void {
  test("a deleted object is gone for head, get and list, for other processes too", async () => {
    await putText(driver(), KEY);
    await putText(driver(), "tasks/T-1/b");
    const [result] = await collect(driver().delete([KEY], { signal: calm }));
    expect(result).toMatchObject({
      key: KEY,
      undoable: driver().versions !== undefined && exceptions.keepsNothing === undefined,
    });
    expect(result?.error).toBeUndefined();
    expect(result?.existed).not.toBe(false);
    expect(Math.abs((result?.deletedAt.getTime() ?? 0) - Date.now())).toBeLessThan(90_000);
    for (const each of [driver(), await reopened()]) {
      await rejection(each.head(KEY, { signal: calm }), "not_found");
      await rejection(each.get(KEY, { signal: calm }), "not_found");
      expect(await keysOf(each.list("", { signal: calm }))).toEqual(["tasks/T-1/b"]);
      expect(await readText(each, "tasks/T-1/b")).toBe("the bytes of tasks/T-1/b");
    }
  });

  test("each key has one result, in the order given; an absent key is no error", async () => {
    const there = ["tasks/2/b", "tasks/1/c", "tasks/1/a"];
    await Promise.all(there.map((key) => putText(driver(), key)));
    const keys = ["tasks/2/b", "tasks/1/none", "tasks/1/c", "tasks/9/x", "tasks/1/a", "tasks/1/a"];
    const results = await collect(driver().delete(keys, { signal: calm }));
    expect(results.map(({ key }) => key)).toEqual(keys);
    expect(results.every(({ error }) => error === undefined)).toBe(true);
    const existed = results.map((result) => result.existed);
    // A store that can't tell says `null` of each.
    expect(existed.map((told, at) => told ?? [true, false, true, false, true, false][at])).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual([]);
  });

  test("of no keys there are no results; keys may come from a generator", async () => {
    await putText(driver(), KEY);
    expect(await collect(driver().delete([], { signal: calm }))).toEqual([]);
    function* keys(): Generator<string> {
      yield KEY;
    }
    expect(await keysOf(driver().delete(keys(), { signal: calm }))).toEqual([KEY]);
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual([]);
  });

  test("only the very key is deleted, not what matches or begins with it", async () => {
    const keys = ["tasks/1/[ab]", "tasks/1/a", "tasks/1/a*", "tasks/1/ab"];
    await Promise.all(keys.map((key) => putText(driver(), key)));
    await collect(driver().delete(["tasks/1/a*", "tasks/1/[ab]", "tasks/1", "tasks/1/"], { signal: calm }));
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual(["tasks/1/a", "tasks/1/ab"]);
  });

  test("what another program put there can be deleted", async () => {
    await plant(KEY, text("foreign"));
    const [result] = await collect(driver().delete([KEY], { signal: calm }));
    expect(result?.error).toBeUndefined();
    await rejection(driver().head(KEY, { signal: calm }), "not_found");
  });

  test("two deletes of one key at once: none fails, and one of them was it", async () => {
    const other = await reopened();
    for (let round = 0; round < 20; round += 1) {
      const key = `tasks/T-1/round-${round}`;
      await putText(driver(), key);
      const results = await Promise.all([
        collect(driver().delete([key], { signal: calm })),
        collect(other.delete([key], { signal: calm })),
      ]);
      expect(results.flat().map(({ error }) => error)).toEqual([undefined, undefined]);
      const winners = results.flat().filter(({ existed }) => existed === true).length;
      if (exceptions.bothDeletesMayWin === undefined) expect(winners).toBe(1);
    }
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual([]);
  });

  test("after a delete the key is free again, or taken for good on a store that writes once", async () => {
    await putText(driver(), KEY, "first");
    await collect(driver().delete([KEY], { signal: calm }));
    const again = putText(driver(), KEY, "second");
    if (exceptions.writtenOnce !== undefined) {
      await rejection(again, "exists");
      await rejection(driver().head(KEY, { signal: calm }), "not_found");
    } else {
      await again;
      expect(await readText(driver(), KEY)).toBe("second");
    }
  });

  test("a signal that was aborted before is `interrupted`, and nothing is deleted", async () => {
    await driver().put(KEY, bodyOf(bytesOf(10)), putOptions());
    await rejection(collect(driver().delete([KEY], { signal: AbortSignal.abort() })), "interrupted");
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual([KEY]);
  });

  test("a signal that is aborted in between is `interrupted`; what was told is deleted", async () => {
    const keys = Array.from({ length: 300 }, (_, n) => `tasks/1/${String(n).padStart(3, "0")}`);
    await Promise.all(keys.map((key) => plant(key, text("x"))));
    const stop = new AbortController();
    const told: string[] = [];
    const deleting = (async () => {
      for await (const { key } of driver().delete(keys, { signal: stop.signal })) {
        told.push(key);
        stop.abort();
      }
    })();
    await rejection(deleting, "interrupted");
    const left = await keysOf(driver().list("", { signal: calm }));
    expect(told.filter((key) => left.includes(key))).toEqual([]);
    expect([...told, ...left].sort()).toEqual(keys);
  });
}
