/** Puts that take more than one request keep the same promises. */
import { expect, test } from "vitest";
import { TaskflowError } from "../../src/errors.ts";
import { bodyOf, bytesOf, calm, concat, keysOf, putOptions, putText, readAll, readText, sha256 } from "./bodies.ts";
import type { BodyOptions, TestBody } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_large.bin";
const TIMEOUT = { timeout: 120_000 };

export function largePromises({ driver, reopened, plant, largeBytes, exceptions }: Suite): void {
  const bytes = bytesOf(largeBytes);

  /** As a file: it can be read again, and anywhere. */
  function fileOf(content: Uint8Array, options: BodyOptions = {}): TestBody {
    return {
      ...bodyOf(content, { chunk: 1 << 20, repeatable: true, ...options }),
      readAt: async (buffer, position, length) => {
        const part = content.subarray(position, position + length);
        buffer.set(part);
        return await Promise.resolve(part.length);
      },
    };
  }

  async function expectNothing(): Promise<void> {
    await rejection(driver().head(KEY, { signal: calm }), "not_found");
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual([]);
    await putText(driver(), KEY, "later");
    expect(await readText(driver(), KEY)).toBe("later");
  }

  test.each([
    ["from a file", fileOf(bytes), {}],
    ["from a pipe", bodyOf(bytes, { size: null, chunk: 100_003 }), {}],
    ["that can be read once, of known size", bodyOf(bytes), {}],
    ["that can be read once, of known size and SHA-256", bodyOf(bytes, { chunk: 100_003 }), { sha256: sha256(bytes) }],
  ])("bytes %s come back as they went, with all that was recorded", TIMEOUT, async (_, body, known) => {
    const record = { ...putOptions().record, name: "Übergröße 😀.bin", note: "two\nlines", meta: { k: "ü" } };
    const { supports } = driver();
    const stored = await driver().put(
      KEY,
      body,
      putOptions({
        record,
        type: "video/mp4",
        ...(supports.tags ? { tags: { a: "b c" } } : {}),
        ...(supports.storageClass ? { storageClass: "STANDARD_IA" } : {}),
        ...known,
      }),
    );
    expect(stored).toMatchObject({ size: largeBytes, record: { ...record, size: largeBytes, sha256: sha256(bytes) } });
    const other = await reopened();
    expect(await other.head(KEY, { signal: calm })).toEqual(stored);
    expect(Buffer.compare(await readAll(other, KEY), bytes)).toBe(0);
    const range = { start: 8_388_600, end: 8_388_620 };
    const { chunks } = await other.get(KEY, { range, signal: calm });
    expect(Buffer.from(await concat(chunks))).toEqual(Buffer.from(bytes.subarray(range.start, range.end + 1)));
  });

  test("a taken key is `exists`, and what is there stays as it is", TIMEOUT, async () => {
    await plant(KEY, bytesOf(10));
    const before = await driver().head(KEY, { signal: calm });
    await rejection(driver().put(KEY, fileOf(bytes), putOptions()), "exists");
    expect(await driver().head(KEY, { signal: calm })).toEqual(before);
  });

  test("of two at once one wins, with all of its own", TIMEOUT, async () => {
    const other = await reopened();
    const contents = [bytes, bytesOf(largeBytes, 2)];
    const outcomes = await Promise.allSettled(
      [driver(), other].map((each, n) => each.put(KEY, fileOf(contents[n] ?? bytes), putOptions())),
    );
    const winners = outcomes.flatMap((outcome, n) => (outcome.status === "fulfilled" ? [n] : []));
    if (exceptions.bothLargePutsMayWin === undefined) expect(winners).toHaveLength(1);
    else expect(winners.length).toBeGreaterThan(0);
    const stored = await readAll(driver(), KEY);
    expect(winners.some((n) => Buffer.compare(stored, contents[n] ?? bytes) === 0)).toBe(true);
    const { record } = await driver().head(KEY, { signal: calm });
    expect(record?.sha256).toBe(sha256(stored));
  });

  test("what was put there while parts were on their way stays as it is", TIMEOUT, async () => {
    const body = fileOf(bytes, { settle: () => plant(KEY, bytesOf(10)) });
    await rejection(driver().put(KEY, body, putOptions()), "exists");
    expect(await readAll(driver(), KEY)).toHaveLength(10);
  });

  test("a body that changed meanwhile leaves nothing", TIMEOUT, async () => {
    const error = new TaskflowError("changed", "it changed");
    const body = fileOf(bytes, { settle: () => Promise.reject(error) });
    expect(await rejection(driver().put(KEY, body, putOptions()), "changed")).toBe(error);
    await expectNothing();
  });

  test.each([
    ["of a file", fileOf(bytes)],
    ["of a stream", bodyOf(bytes)],
  ])(
    "bytes %s with another SHA-256 than was given are `checksum_mismatch`, and leave nothing",
    TIMEOUT,
    async (_, body) => {
      const options = putOptions({ sha256: sha256(bytesOf(10)) });
      await rejection(driver().put(KEY, body, options), "checksum_mismatch");
      await expectNothing();
    },
  );

  test.each([
    ["ends early", bytes.subarray(0, -1)],
    ["goes on", Buffer.concat([bytes, bytesOf(9_000_000)])],
  ])("a stream that %s is `changed`, whatever digest was given, and leaves nothing", TIMEOUT, async (_, content) => {
    const body = bodyOf(content, { size: largeBytes });
    await rejection(driver().put(KEY, body, putOptions({ sha256: sha256(bytes) })), "changed");
    await expectNothing();
  });

  test("a stream that fails leaves nothing, and its error comes through", TIMEOUT, async () => {
    const error = new TaskflowError("io", "the source failed");
    const body = bodyOf(bytes, { failAt: { byte: 9_000_000, error } });
    expect(await rejection(driver().put(KEY, body, putOptions({ sha256: sha256(bytes) })), "io")).toBe(error);
    await expectNothing();
  });

  test("a body that fails leaves nothing, and its error comes through", TIMEOUT, async () => {
    const error = new TaskflowError("io", "the source failed");
    const body: TestBody = { ...fileOf(bytes), readAt: () => Promise.reject(error) };
    expect(await rejection(driver().put(KEY, body, putOptions()), "io")).toBe(error);
    await expectNothing();
  });

  test("a signal while parts are on their way is `interrupted`, and leaves nothing", TIMEOUT, async () => {
    const stop = new AbortController();
    const file = fileOf(bytes);
    let parts = 0;
    const body: TestBody = {
      ...file,
      async readAt(buffer, position, length) {
        parts += 1;
        if (parts === 2) stop.abort();
        return (await file.readAt?.(buffer, position, length)) ?? 0;
      },
    };
    await rejection(driver().put(KEY, body, putOptions({ signal: stop.signal })), "interrupted");
    await expectNothing();
  });
}
