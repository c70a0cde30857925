import { expect, test } from "vitest";
import { TaskflowError } from "../../src/errors.ts";
import { bodyOf, bytesOf, calm, collect, concat, putOptions, putText, readText } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_report.pdf";

export function readPromises({ driver, reopened }: Suite): void {
  async function putBytes(size: number): Promise<Uint8Array> {
    const bytes = bytesOf(size);
    await driver().put(KEY, bodyOf(bytes), putOptions());
    return bytes;
  }

  test.each([
    ["of an empty store", "tasks/T-1/a"],
    ["beside one that is there", "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_report.pd"],
    ["beneath one that is there", "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_report.pdf/x"],
    ["that is a task", "tasks/T-1"],
    ["that is the beginning of all", "tasks"],
    ["of another shape", "x"],
    ["with a pattern in it", "tasks/T-1/*"],
    ["that is longer than a file name", `tasks/T-1/${"x".repeat(300)}`],
  ])("a key %s is `not_found`", async (what, key) => {
    if (what !== "of an empty store") await putText(driver(), KEY);
    await rejection(driver().head(key, { signal: calm }), "not_found");
    await rejection(driver().get(key, { signal: calm }), "not_found");
  });

  test("get tells of the object what head tells", async () => {
    await putBytes(100);
    const { object, chunks } = await driver().get(KEY, { signal: calm });
    expect(object).toEqual(await driver().head(KEY, { signal: calm }));
    expect((await concat(chunks)).length).toBe(100);
  });

  test.each([
    ["the first byte", 0, 0, 0, 1],
    ["the last byte", 999, 999, 999, 1000],
    ["the middle", 100, 299, 100, 300],
    ["all of it", 0, 999, 0, 1000],
    ["to the end, when it asks for more", 900, 5000, 900, 1000],
    ["to the end, when it asks for very much more", 0, Number.MAX_SAFE_INTEGER - 1, 0, 1000],
  ])("a range gives %s", async (_, start, end, from, to) => {
    const bytes = await putBytes(1000);
    const { object, chunks } = await driver().get(KEY, { range: { start, end }, signal: calm });
    expect(object.size, "the size is that of the object").toBe(1000);
    expect(Buffer.compare(await concat(chunks), bytes.subarray(from, to))).toBe(0);
  });

  test("a range across many chunks gives exactly its bytes", async () => {
    const bytes = await putBytes(3_000_000);
    const range = { start: 65_530, end: 2_900_001 };
    const { chunks } = await driver().get(KEY, { range, signal: calm });
    expect(Buffer.compare(await concat(chunks), bytes.subarray(65_530, 2_900_002))).toBe(0);
  });

  test.each([
    ["at the end", 1000, 1000],
    ["past the end", 1000, 2000],
    ["in an empty object", 0, 0],
  ])("a range that begins %s is `usage`", async (what, size, start) => {
    await putBytes(what === "in an empty object" ? 0 : size);
    await rejection(driver().get(KEY, { range: { start, end: start + 10 }, signal: calm }), "usage");
  });

  test("an empty object gives no bytes", async () => {
    await putBytes(0);
    const { chunks } = await driver().get(KEY, { signal: calm });
    expect(await concat(chunks)).toHaveLength(0);
  });

  test("chunks are never empty, and stay as they are while others are read", async () => {
    const bytes = await putBytes(3_000_000);
    const { chunks } = await driver().get(KEY, { signal: calm });
    const all = await collect(chunks);
    expect(all.every((chunk) => chunk.length > 0)).toBe(true);
    expect(Buffer.compare(Buffer.concat(all), bytes)).toBe(0);
  });

  test("leaving the loop ends the reading", async () => {
    await putBytes(3_000_000);
    const { chunks } = await driver().get(KEY, { signal: calm });
    for await (const chunk of chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await readText(driver(), KEY)).length).toBeGreaterThan(0);
  });

  test("what is got and never read does no harm", async () => {
    await putBytes(3_000_000);
    for (let n = 0; n < 20; n += 1) await driver().get(KEY, { signal: calm });
    const { chunks } = await driver().get(KEY, { signal: calm });
    await chunks[Symbol.asyncIterator]().return?.();
    expect((await readText(driver(), KEY)).length).toBeGreaterThan(0);
  });

  test("a reader that has begun finishes with the same bytes, whatever is deleted meanwhile", async () => {
    const bytes = await putBytes(3_000_000);
    const { chunks } = await driver().get(KEY, { signal: calm });
    const iterator = chunks[Symbol.asyncIterator]();
    const first = await iterator.next();
    const deleter = await reopened();
    await collect(deleter.delete([KEY], { signal: calm }));
    await rejection(driver().head(KEY, { signal: calm }), "not_found");
    const rest = await concat({ [Symbol.asyncIterator]: () => iterator });
    expect(first.done).not.toBe(true);
    expect(Buffer.compare(Buffer.concat([first.value as Uint8Array, rest]), bytes)).toBe(0);
  });

  test("a signal that was aborted before is `interrupted`", async () => {
    await putBytes(10);
    const signal = AbortSignal.abort();
    await rejection(driver().head(KEY, { signal }), "interrupted");
    await rejection(driver().get(KEY, { signal }), "interrupted");
  });

  test("a signal that is aborted while bytes flow ends them with its reason, never early without one", async () => {
    await putBytes(3_000_000);
    const stop = new AbortController();
    const reason = new TaskflowError("interrupted", "SIGTERM", { exit: 143 });
    const { chunks } = await driver().get(KEY, { signal: stop.signal });
    const reading = (async () => {
      for await (const chunk of chunks) stop.abort(chunk.length > 0 ? reason : undefined);
    })();
    expect(await rejection(reading, "interrupted")).toBe(reason);
  });
}
