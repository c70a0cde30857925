import { describe, expect, test } from "vitest";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { limit } from "../../src/storage/limit.ts";
import { bodyOf, calm, collect, putOptions, text } from "../conformance/bodies.ts";
import { rejection } from "../conformance/expect-code.ts";

/** A driver whose heads wait until they are let go. */
function gated(): { driver: StorageDriver; waiting: (() => void)[]; most: () => number; begun: string[] } {
  const waiting: (() => void)[] = [];
  const begun: string[] = [];
  let running = 0;
  let most = 0;
  async function head(key: string): Promise<never> {
    begun.push(key);
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
    running -= 1;
    throw new Error(`done ${key}`);
  }
  function list(): AsyncIterable<never> {
    const next = async (): Promise<IteratorResult<never, undefined>> => {
      await head("list").catch(() => undefined);
      return { done: true, value: undefined };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
  const driver: StorageDriver = {
    location: "/gated",
    supports: { ifAbsent: true, storageClass: true, tags: true, maxSize: 1000 },
    put: head,
    head,
    inspect: head,
    get: head,
    list,
    delete: list,
    close: () => Promise.resolve(),
  };
  return { driver, waiting, begun, most: () => most };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("limit", () => {
  test("never has more in flight, begins them in order, and ends them all", async () => {
    const { driver, waiting, begun, most } = gated();
    const limited = limit(driver, 3);
    const keys = Array.from({ length: 20 }, (_, n) => String(n));
    const all = Promise.allSettled(keys.map((key) => limited.head(key, { signal: calm })));
    for (let n = 0; n < keys.length; n += 1) {
      await turn();
      expect(begun).toHaveLength(Math.min(n + 3, keys.length));
      waiting.shift()?.();
    }
    expect((await all).every(({ status }) => status === "rejected")).toBe(true);
    expect(begun).toEqual(keys);
    expect(most()).toBe(3);
  });

  test("counts every kind of operation, and each step of a listing", async () => {
    const { driver, waiting, begun } = gated();
    const limited = limit(driver, 2);
    const options = { signal: calm };
    const all = Promise.allSettled([
      limited.put("put", bodyOf(text("x")), putOptions()),
      limited.get("get", options),
      collect(limited.list("", options)),
      collect(limited.delete([], options)),
      limited.head("head", options),
    ]);
    await turn();
    expect(begun).toEqual(["put", "get"]);
    for (let n = 0; n < 5; n += 1) {
      waiting.shift()?.();
      await turn();
    }
    await all;
    expect(begun).toEqual(["put", "get", "list", "list", "head"]);
  });

  test("a signal ends the waiting, and the turn goes to the next", async () => {
    const { driver, waiting, begun } = gated();
    const limited = limit(driver, 1);
    const stop = new AbortController();
    const first = limited.head("first", { signal: calm });
    const second = limited.head("second", { signal: stop.signal });
    const third = limited.head("third", { signal: calm });
    stop.abort();
    await rejection(second, "interrupted");
    waiting.shift()?.();
    await expect(first).rejects.toThrow("done first");
    await turn();
    waiting.shift()?.();
    await expect(third).rejects.toThrow("done third");
    expect(begun).toEqual(["first", "third"]);
  });

  test("a turn that comes in the moment of the abort isn't lost", async () => {
    const { driver, waiting, begun } = gated();
    const limited = limit(driver, 1);
    const stop = new AbortController();
    const first = limited.head("first", { signal: calm });
    const second = limited.head("second", { signal: stop.signal }).catch(() => "ended");
    await turn();
    waiting.shift()?.();
    await first.catch(() => stop.abort());
    await turn();
    waiting.shift()?.();
    await second;
    const third = limited.head("third", { signal: calm });
    await turn();
    waiting.shift()?.();
    await expect(third).rejects.toThrow("done third");
    expect(begun).toContain("third");
  });

  test("a listing may be left, and one that waits between its steps holds up nobody", async () => {
    const { driver } = gated();
    const limited = limit(
      {
        ...driver,
        async *list() {
          for (const key of ["a", "b", "c"]) {
            yield await Promise.resolve({ key, size: 1, modifiedAt: new Date(0), storageClass: "STANDARD" });
          }
        },
        head: (key) => Promise.reject(new Error(`done ${key}`)),
      },
      1,
    );
    for await (const { key } of limited.list("", { signal: calm })) {
      await expect(limited.head(key, { signal: calm })).rejects.toThrow(`done ${key}`);
      if (key === "b") break;
    }
    await expect(limited.head("after", { signal: calm })).rejects.toThrow("done after");
  });

  test("hundreds that wait on one signal are no leak", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => {
      warnings.push(warning.name);
    };
    process.on("warning", listen);
    const { driver, waiting } = gated();
    const limited = limit(driver, 1);
    const { signal } = new AbortController();
    const all = Promise.allSettled(Array.from({ length: 300 }, (_, n) => limited.head(String(n), { signal })));
    for (let n = 0; n < 300; n += 1) {
      await turn();
      waiting.shift()?.();
    }
    await all;
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });
});
