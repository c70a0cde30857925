import { expect, test } from "vitest";
import { createFedSource } from "../../src/attachments/fed-source.ts";
import { bytesOf, calm, concat, text } from "../conformance/bodies.ts";

const MIB = 1024 * 1024;

/** Whether a promise is settled by now, all that could settle it having had its turn. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return settled;
}

test("what is fed comes out, in order, however it is cut", async () => {
  const source = createFedSource();
  const bytes = bytesOf(3 * MIB);
  const out = concat(source.chunks(calm));
  for (let at = 0; at < bytes.length; at += 9973) await source.write(bytes.subarray(at, at + 9973));
  source.end();
  expect(Buffer.compare(Buffer.from(await out), Buffer.from(bytes))).toBe(0);
});

test("nothing fed is an empty body", async () => {
  const source = createFedSource();
  source.end();
  expect(await concat(source.chunks(calm))).toHaveLength(0);
});

test("many small chunks come out as one", async () => {
  const source = createFedSource();
  for (const word of ["a", "b", "c"]) await source.write(text(word));
  source.end();
  const chunks = source.chunks(calm)[Symbol.asyncIterator]();
  const first = await chunks.next();
  expect(Buffer.from(first.value as Uint8Array).toString()).toBe("abc");
  expect(await chunks.next()).toMatchObject({ done: true });
});

test("who feeds waits once a mebibyte is waiting, until it is taken", async () => {
  const source = createFedSource();
  await source.write(new Uint8Array(MIB - 1));
  const full = source.write(new Uint8Array(1));
  expect(await isSettled(full)).toBe(false);
  const chunks = source.chunks(calm)[Symbol.asyncIterator]();
  expect((await chunks.next()).value).toHaveLength(MIB);
  await full;
});

test("once it is closed who feeds never waits, and what is fed is dropped", async () => {
  const source = createFedSource();
  const full = source.write(new Uint8Array(2 * MIB));
  await source.close();
  await full;
  for (let round = 0; round < 100; round += 1) await source.write(new Uint8Array(MIB));
  source.end();
  expect(await concat(source.chunks(calm))).toHaveLength(0);
});

test("it tells when the first bytes are asked for", async () => {
  const source = createFedSource();
  expect(await isSettled(source.wanted)).toBe(false);
  void source.chunks(calm)[Symbol.asyncIterator]().next();
  await source.wanted;
});

test("peeking takes nothing", async () => {
  const source = createFedSource();
  const peeked = source.peek(4);
  await source.write(text("hel"));
  await source.write(text("lo"));
  source.end();
  expect(Buffer.from(await peeked).toString()).toBe("hell");
  expect(Buffer.from(await concat(source.chunks(calm))).toString()).toBe("hello");
});
