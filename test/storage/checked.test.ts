import { describe, expect, test } from "vitest";
import { MAX_KEY_BYTES, checked } from "../../src/storage/checked.ts";
import type { Range, StorageDriver, Supports } from "../../src/storage/driver.ts";
import { bodyOf, bytesOf, calm, collect, putOptions, text } from "../conformance/bodies.ts";
import { rejection } from "../conformance/expect-code.ts";

/** A driver that remembers what reaches it, and fails at it. */
function spy(supports: Partial<Supports> = {}): { driver: StorageDriver; reached: string[] } {
  const reached: string[] = [];
  const reach = (what: string): never => {
    reached.push(what);
    throw new Error(`reached ${what}`);
  };
  async function* each<T>(what: string): AsyncGenerator<T> {
    yield await Promise.resolve(reach(what));
  }
  const driver: StorageDriver = {
    location: "/spy",
    supports: { ifAbsent: true, storageClass: true, tags: true, maxSize: 1000, ...supports },
    put: async () => await Promise.resolve(reach("put")),
    head: async () => await Promise.resolve(reach("head")),
    inspect: async () => await Promise.resolve(reach("inspect")),
    get: async () => await Promise.resolve(reach("get")),
    list: () => each("list"),
    delete: () => each("delete"),
    versions: {
      listDeleted: () => each("listDeleted"),
      headDeleted: async () => await Promise.resolve(reach("headDeleted")),
      undelete: () => each("undelete"),
      purge: () => each("purge"),
    },
    close: () => Promise.resolve(),
  };
  return { driver: checked(driver), reached };
}

const BAD_KEYS = [
  "",
  "/",
  "/a",
  "tasks/../x",
  "..",
  ".",
  "a/./b",
  "a/..",
  "a\0b",
  "\ud800",
  "a\udc00b",
  "k".repeat(1025),
  "é".repeat(513),
];
const options = { signal: calm };

describe("checked", () => {
  test.each(BAD_KEYS)("the key %j is `usage` everywhere, and reaches no driver", async (key) => {
    const { driver, reached } = spy();
    const { versions } = driver;
    if (versions === undefined) throw new Error("no versions");
    const good = "tasks/T-1/a";
    for (const call of [
      driver.put(key, bodyOf(text("x")), putOptions()),
      driver.head(key, options),
      driver.inspect(key, options),
      driver.get(key, options),
      collect(driver.delete([good, key], options)),
      versions.headDeleted(key, options),
      collect(versions.undelete([good, key], options)),
      collect(versions.purge([good, key], options)),
    ]) {
      await rejection(call, "usage");
    }
    expect(reached).toEqual([]);
  });

  test.each(["a\nb", "a\u001b[31mb", "a\u007f", "a\u0085b"])(
    "the key %j, which has a control character, can't be made, but read and deleted where others made it",
    async (key) => {
      const { driver, reached } = spy();
      await rejection(driver.put(key, bodyOf(text("x")), putOptions()), "usage");
      await expect(driver.head(key, options)).rejects.toThrow("reached head");
      await expect(collect(driver.delete([key], options))).rejects.toThrow("reached delete");
      expect(reached).toEqual(["head", "delete"]);
    },
  );

  test.each(["tasks/T-1/a", "x", ".hidden", "a..b", "a/...", "a//b", "k".repeat(MAX_KEY_BYTES), "日本/😀 +%"])(
    "the key %j reaches the driver",
    async (key) => {
      const { driver } = spy();
      await expect(driver.put(key, bodyOf(text("x")), putOptions())).rejects.toThrow("reached put");
      await expect(driver.head(key, options)).rejects.toThrow("reached head");
    },
  );

  test.each([
    [{ ifAbsent: false }, {}],
    [{ storageClass: false }, { storageClass: "GLACIER" }],
    [{ tags: false }, { tags: { a: "b" } }],
  ])("what a store with %j can't honour is `unsupported` before a byte is taken", async (supports, more) => {
    const { driver, reached } = spy(supports);
    const body = bodyOf(text("x"));
    await rejection(driver.put("a", body, putOptions(more)), "unsupported");
    expect(body.calls.chunks).toBe(0);
    expect(reached).toEqual([]);
  });

  test("what isn't asked for needs no support", async () => {
    const { driver } = spy({ ifAbsent: false, storageClass: false, tags: false });
    const put = driver.put("a", bodyOf(text("x")), putOptions({ ifAbsent: false, tags: {} }));
    await expect(put).rejects.toThrow("reached put");
  });

  test.each([
    ["the store's limit", 1001, {}],
    ["maxSize", 501, { maxSize: 500 }],
  ])("a body that says it has more than %s is `too_large` before a byte is taken", async (_, size, more) => {
    const { driver, reached } = spy();
    const body = bodyOf(bytesOf(size));
    const error = await rejection(driver.put("a", body, putOptions(more)), "too_large");
    expect({ exit: error.exit, chunks: body.calls.chunks, reached }).toEqual({ exit: 9, chunks: 0, reached: [] });
  });

  test.each([
    [{}, 1000],
    [{ maxSize: 10 }, 10],
    [{ maxSize: 5000 }, 1000],
  ])("the driver of a body of unknown size hears of the smaller limit: %j, %i", async (more, expected) => {
    let heard: number | undefined;
    const { driver: bare } = spy();
    const driver = checked({
      ...bare,
      put: (_key, _body, { maxSize }) => {
        heard = maxSize;
        return Promise.reject(new Error("enough"));
      },
    });
    await expect(driver.put("a", bodyOf(text("x"), { size: null }), putOptions(more))).rejects.toThrow("enough");
    expect(heard).toBe(expected);
  });

  test.each([
    [{ sha256: "xyz" }],
    [{ sha256: "A".repeat(64) }],
    [{ storageClass: "glacier" }],
    [{ storageClass: "" }],
    [{ storageClass: "A\nB" }],
    [{ maxSize: -1 }],
    [{ maxSize: Number.NaN }],
  ])("the option %j is `usage`", async (more) => {
    const { driver, reached } = spy();
    await rejection(driver.put("a", bodyOf(text("x")), putOptions(more)), "usage");
    expect(reached).toEqual([]);
  });

  test("an empty body of known size is `usage` with notEmpty", async () => {
    const { driver, reached } = spy();
    await rejection(driver.put("a", bodyOf(text("")), putOptions({ notEmpty: true })), "usage");
    expect(reached).toEqual([]);
  });

  test.each<[Range]>([
    [{ start: -1, end: 5 }],
    [{ start: 5, end: 4 }],
    [{ start: 0.5, end: 4 }],
    [{ start: Number.NaN, end: 4 }],
    [{ start: 0, end: Infinity }],
  ])("the range %j is `usage`", async (range) => {
    const { driver, reached } = spy();
    await rejection(driver.get("a", { range, signal: calm }), "usage");
    expect(reached).toEqual([]);
  });

  test.each(["a\0b", "\ud800", "p".repeat(1025)])("the prefix, or place to begin after, %j is `usage`", async (odd) => {
    const { driver, reached } = spy();
    await rejection(collect(driver.list(odd, options)), "usage");
    await rejection(collect(driver.list("", { after: odd, signal: calm })), "usage");
    await rejection(collect(driver.versions?.listDeleted(odd, options) ?? driver.list(odd, options)), "usage");
    expect(reached).toEqual([]);
  });

  test("a driver without versions stays one", () => {
    const { versions, ...bare } = spy().driver;
    expect(versions).toBeDefined();
    expect("versions" in checked(bare)).toBe(false);
  });
});
