import { expect, test } from "vitest";
import { TaskflowError } from "../../src/errors.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import {
  CREATED,
  bodyOf,
  bytesOf,
  calm,
  collect,
  concat,
  eachAtOnce,
  keysOf,
  putOptions,
  putText,
  readAll,
  readText,
  sha256,
  text,
} from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_report.pdf";

export function putPromises({ driver, reopened, plant, exceptions }: Suite): void {
  /** As if the put had never been: nothing to see, and the key is free. */
  async function expectNothing(store: StorageDriver, key = KEY): Promise<void> {
    await rejection(store.head(key, { signal: calm }), "not_found");
    expect(await keysOf(store.list("", { signal: calm }))).toEqual([]);
    await putText(store, key, "later");
    expect(await readText(store, key)).toBe("later");
  }

  test.each([0, 1, 1000, 65_535, 65_536, 65_537, 1_048_577, 5_242_883])(
    "%i bytes come back as they went",
    async (size) => {
      const bytes = bytesOf(size, size + 1);
      const stored = await driver().put(KEY, bodyOf(bytes), putOptions());
      expect(stored.size).toBe(size);
      expect(stored.record?.sha256).toBe(sha256(bytes));
      expect(Buffer.compare(await readAll(driver(), KEY), bytes)).toBe(0);
    },
  );

  test("a body of many small chunks, of unknown size, is stored whole", async () => {
    const bytes = bytesOf(10_007);
    const stored = await driver().put(KEY, bodyOf(bytes, { size: null, chunk: 7 }), putOptions());
    expect(stored).toMatchObject({ size: 10_007, record: { size: 10_007, sha256: sha256(bytes) } });
    expect(Buffer.compare(await readAll(driver(), KEY), bytes)).toBe(0);
  });

  test("what put answers is what head answers, to another process too", async () => {
    const stored = await putText(driver(), KEY, "hello", { type: "text/plain" });
    expect(stored).toMatchObject({ key: KEY, size: 5, type: "text/plain", storageClass: "STANDARD", tags: {} });
    expect(await driver().head(KEY, { signal: calm })).toEqual(stored);
    const other = await reopened();
    expect(await other.head(KEY, { signal: calm })).toEqual(stored);
    expect(await readText(other, KEY)).toBe("hello");
  });

  test("the record is kept as it was given, in any script", async () => {
    const record = {
      name: "a/b/Prüfbericht 日本 😀 \u202e\n.pdf",
      createdAt: CREATED,
      uploadedBy: "ada@example.org",
      note: 'first line\nsecond "line"',
      meta: { ticket: "T-42", übrigens: "ja; nein, 100 % = alles & mehr" },
    };
    const stored = await putText(driver(), KEY, "x", { record });
    const expected = { ...record, size: 1, sha256: sha256(text("x")) };
    expect(stored.record).toEqual(expected);
    expect((await driver().head(KEY, { signal: calm })).record).toEqual(expected);
  });

  test("what only the end of a body tells is recorded too, asked for once, after settle", async () => {
    const asked: string[] = [];
    const { record } = putOptions();
    const body = bodyOf(bytesOf(200_000), { size: null, settle: () => Promise.resolve(void asked.push("settle")) });
    const lateMeta = (): Record<string, string> => {
      asked.push("lateMeta");
      return { "exit-code": "3" };
    };
    await driver().put(KEY, body, putOptions({ record: { ...record, meta: { command: "make" } }, lateMeta }));
    expect(asked).toEqual(["settle", "lateMeta"]);
    const { record: kept } = await (await reopened()).head(KEY, { signal: calm });
    expect(kept?.meta).toEqual({ command: "make", "exit-code": "3" });
  });

  test("where the end of a body tells what can't be kept, nothing stays", async () => {
    const lateMeta = (): never => {
      throw new TaskflowError("usage", "too much");
    };
    const put = driver().put(KEY, bodyOf(bytesOf(10), { size: null }), putOptions({ lateMeta }));
    await rejection(put, "usage");
    await expectNothing(driver());
  });

  test("the store says when the content was written", async () => {
    const before = Date.now();
    const { modifiedAt } = await putText(driver(), KEY);
    // A store's clock may tick in whole seconds, and be a minute wrong.
    expect(Math.abs(modifiedAt.getTime() - before)).toBeLessThan(90_000);
  });

  test("tags are kept where the store has them", async (context) => {
    if (!driver().supports.tags) context.skip("no tags here");
    const tags = { kind: "log", "team name": "a+b" };
    expect((await putText(driver(), KEY, "x", { tags })).tags).toEqual(tags);
    expect((await driver().head(KEY, { signal: calm })).tags).toEqual(tags);
  });

  test("a storage class is kept, and told by list, where the store has them", async (context) => {
    if (!driver().supports.storageClass) context.skip("no classes here");
    expect((await putText(driver(), KEY, "x", { storageClass: "STANDARD_IA" })).storageClass).toBe("STANDARD_IA");
    expect((await driver().head(KEY, { signal: calm })).storageClass).toBe("STANDARD_IA");
    expect(await collect(driver().list("", { signal: calm }))).toMatchObject([{ storageClass: "STANDARD_IA" }]);
  });

  test("a taken key is `exists`, and what is there stays as it is", async () => {
    const first = await putText(driver(), KEY, "theirs");
    await rejection(putText(driver(), KEY, "mine"), "exists");
    expect(await driver().head(KEY, { signal: calm })).toEqual(first);
    expect(await readText(driver(), KEY)).toBe("theirs");
  });

  test("without ifAbsent a taken key gets the new content, or is `exists` on a store that writes once", async () => {
    await putText(driver(), KEY, "first");
    const second = putText(driver(), KEY, "second", { ifAbsent: false });
    if (exceptions.writtenOnce !== undefined) await rejection(second, "exists");
    else await second;
    expect(await readText(driver(), KEY)).toBe(exceptions.writtenOnce !== undefined ? "first" : "second");
  });

  test("of many puts of one key at once exactly one wins, with all of its own", async () => {
    const drivers = [driver(), await reopened()];
    const contents = Array.from({ length: 8 }, (_, n) => `content ${n} `.repeat(5000));
    const outcomes = await Promise.allSettled(
      contents.map((content, n) => putText(drivers[n % 2] ?? driver(), KEY, content, { type: `text/x-${n}` })),
    );
    const winners = outcomes.flatMap((outcome, n) => (outcome.status === "fulfilled" ? [n] : []));
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") await rejection(Promise.reject(outcome.reason as Error), "exists");
    }
    const stored = await readText(driver(), KEY);
    const winner = contents.indexOf(stored);
    expect(winners).toContain(winner);
    expect(await driver().head(KEY, { signal: calm })).toMatchObject({
      type: `text/x-${winner}`,
      record: { sha256: sha256(text(stored)) },
    });
  });

  test("many puts at once are all there", async () => {
    const keys = Array.from({ length: 100 }, (_, n) => `tasks/T-${n % 5}/${String(n).padStart(3, "0")}_file`);
    await Promise.all(keys.map((key) => putText(driver(), key)));
    await eachAtOnce(keys, 8, async (key) => expect(await readText(driver(), key)).toBe(`the bytes of ${key}`));
    expect((await keysOf(driver().list("", { signal: calm }))).sort()).toEqual(keys.sort());
  });

  test("what was put there while the body was read stays as it is", async () => {
    const body = bodyOf(text("mine"), { settle: () => plant(KEY, text("theirs")) });
    await rejection(driver().put(KEY, body, putOptions()), "exists");
    expect(await readText(driver(), KEY)).toBe("theirs");
  });

  test("settle is called once, after the last chunk, with the bytes that were read", async () => {
    const body = bodyOf(bytesOf(200_000));
    await driver().put(KEY, body, putOptions());
    expect(body.calls.settled).toEqual([200_000]);
  });

  test("a body that changed meanwhile leaves nothing", async () => {
    const error = new TaskflowError("changed", "it changed");
    const body = bodyOf(bytesOf(200_000), { settle: () => Promise.reject(error) });
    expect(await rejection(driver().put(KEY, body, putOptions()), "changed")).toBe(error);
    await expectNothing(driver());
  });

  test.each([0, 65_536, 131_072])(
    "a body that fails at byte %i leaves nothing, and its error comes through",
    async (byte) => {
      const error = new TaskflowError("io", "the source failed");
      const body = bodyOf(bytesOf(200_000), { failAt: { byte, error } });
      expect(await rejection(driver().put(KEY, body, putOptions()), "io")).toBe(error);
      expect(body.calls.settled).toEqual([]);
      await expectNothing(driver());
    },
  );

  test("a body that throws what is no TaskflowError rejects with one", async () => {
    const body = bodyOf(bytesOf(100), { failAt: { byte: 0, error: new RangeError("odd") } });
    await rejection(driver().put(KEY, body, putOptions()), "internal");
    await expectNothing(driver());
  });

  test.each([
    ["fewer", 300_000],
    ["more", 100_000],
  ])("%s bytes than announced are `changed`, and leave nothing", async (_, size) => {
    await rejection(driver().put(KEY, bodyOf(bytesOf(200_000), { size }), putOptions()), "changed");
    await expectNothing(driver());
  });

  test("a body that can be read once is read once", async () => {
    const body = bodyOf(bytesOf(200_000), { repeatable: false });
    await driver().put(KEY, body, putOptions());
    expect(body.calls.chunks).toBe(1);
  });

  test("bytes with another SHA-256 than was given are `checksum_mismatch`, and leave nothing", async () => {
    const bytes = bytesOf(200_000);
    const options = putOptions({ sha256: sha256(bytesOf(200_000, 2)) });
    await rejection(driver().put(KEY, bodyOf(bytes), options), "checksum_mismatch");
    await expectNothing(driver());
  });

  test("bytes with the SHA-256 that was given are stored", async () => {
    const bytes = bytesOf(200_000);
    await driver().put(KEY, bodyOf(bytes), putOptions({ sha256: sha256(bytes) }));
    expect(Buffer.compare(await readAll(driver(), KEY), bytes)).toBe(0);
  });

  test("a body of unknown size that turns out larger than maxSize is `too_large`, and leaves nothing", async () => {
    const body = bodyOf(bytesOf(200_001), { size: null });
    await rejection(driver().put(KEY, body, putOptions({ maxSize: 200_000 })), "too_large");
    await expectNothing(driver());
  });

  test("exactly maxSize bytes are stored", async () => {
    await driver().put(KEY, bodyOf(bytesOf(200_000), { size: null }), putOptions({ maxSize: 200_000 }));
    expect((await driver().head(KEY, { signal: calm })).size).toBe(200_000);
  });

  test("no bytes at all are `usage` with notEmpty, and leave nothing", async () => {
    await rejection(driver().put(KEY, bodyOf(text(""), { size: null }), putOptions({ notEmpty: true })), "usage");
    await expectNothing(driver());
  });

  test("onBytes counts every byte once", async () => {
    let count = 0;
    await driver().put(KEY, bodyOf(bytesOf(200_000)), putOptions({ onBytes: (more) => (count += more) }));
    expect(count).toBe(200_000);
  });

  test("a signal that was aborted before is `interrupted`, and the body is not begun", async () => {
    const body = bodyOf(bytesOf(100));
    await rejection(driver().put(KEY, body, putOptions({ signal: AbortSignal.abort() })), "interrupted");
    expect(body.calls.chunks).toBe(0);
    await expectNothing(driver());
  });

  test("a signal that is aborted while bytes flow is `interrupted`, and leaves nothing", async () => {
    const stop = new AbortController();
    const before = (byte: number): void => (byte >= 131_072 ? stop.abort() : undefined);
    await rejection(
      driver().put(KEY, bodyOf(bytesOf(400_000), { before }), putOptions({ signal: stop.signal })),
      "interrupted",
    );
    await expectNothing(driver());
  });

  test("a signal ends the wait for a body that is silent", async () => {
    const stop = new AbortController();
    const put = driver().put(KEY, bodyOf(bytesOf(400_000), { silentAt: 65_536 }), putOptions({ signal: stop.signal }));
    setTimeout(() => stop.abort(), 50);
    await rejection(put, "interrupted");
    await expectNothing(driver());
  });

  test("the TaskflowError that a signal was aborted with is the one that is thrown", async () => {
    const reason = new TaskflowError("interrupted", "SIGTERM", { exit: 143 });
    const put = putText(driver(), KEY, "x", { signal: AbortSignal.abort(reason) });
    expect(await rejection(put, "interrupted")).toBe(reason);
  });

  test("names of any kind are kept apart and come back", async () => {
    const bases = [
      "a b",
      "a+b",
      "a%2Fb",
      "a%b",
      "#?&=;",
      "ü",
      "日本",
      "😀",
      "'\"`$(x)",
      "a\\b",
      "~",
      "-rf",
      "x".repeat(200),
    ];
    const folded = exceptions.foldsNames !== undefined ? [] : ["u\u0308", "CASE", "case"];
    const keys = [...bases, ...folded].map((base) => `tasks/T-1/${base}`);
    await Promise.all(keys.map((key) => putText(driver(), key)));
    for (const key of keys) expect(await readText(driver(), key)).toBe(`the bytes of ${key}`);
    expect((await keysOf(driver().list("tasks/T-1/", { signal: calm }))).sort()).toEqual(keys.sort());
  });

  test("bytes that another program put there are an object without a record, and are not overwritten", async () => {
    await plant(KEY, text("theirs"));
    const found = await driver().head(KEY, { signal: calm });
    expect(found).toMatchObject({ key: KEY, size: 6, record: null });
    expect(found.damaged).toBeUndefined();
    const { object, chunks } = await driver().get(KEY, { signal: calm });
    expect(object).toEqual(found);
    expect(Buffer.from(await concat(chunks)).toString()).toBe("theirs");
    await rejection(putText(driver(), KEY, "mine"), "exists");
    expect(await readText(driver(), KEY)).toBe("theirs");
  });
}
