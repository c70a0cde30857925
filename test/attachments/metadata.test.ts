import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ObjectRecord } from "../../src/storage/driver.ts";
import {
  MAX_METADATA_BYTES,
  checkMetadata,
  decodeRecord,
  encodeRecord,
  metadataBytes,
} from "../../src/storage/metadata.ts";
import { codeOf } from "./support.ts";

const SHA = "9f2c".padEnd(64, "0");
const RECORD: ObjectRecord = {
  name: "sub/Prüf 1.pdf",
  size: 1_843_220,
  sha256: SHA,
  createdAt: new Date("2026-11-23T20:14:05.000Z"),
  uploadedBy: "ada",
  note: "a\nb=c&d",
  meta: { build: "1 & 2", empty: "" },
};
const PAIRS = {
  v: "1",
  sha256: SHA,
  size: "1843220",
  name: "sub%2FPr%C3%BCf%201.pdf",
  created: "2026-11-23T20:14:05.000Z",
  by: "ada",
  note: "a%0Ab%3Dc%26d",
  meta: "build=1%20%26%202&empty=",
};
const BARE = { name: "a", createdAt: RECORD.createdAt, uploadedBy: null, note: null, meta: {} };

describe("a record as metadata", () => {
  test("is short names and percent-encoded values", () => expect(encodeRecord(RECORD)).toEqual(PAIRS));

  test("leaves out what there is none of", () => {
    expect(Object.keys(encodeRecord({ ...BARE, size: 0, sha256: SHA }))).toEqual([
      "v",
      "sha256",
      "size",
      "name",
      "created",
    ]);
  });

  const text = fc.string({ unit: "binary" });
  const record = fc.record({
    name: fc.string({ unit: "binary", minLength: 1 }),
    size: fc.maxSafeNat(),
    sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
    createdAt: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z") }),
    uploadedBy: fc.option(text),
    note: fc.option(text),
    meta: fc.dictionary(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,9}$/), text, { noNullPrototype: true }),
  });

  test("comes back as it was, whatever Unicode is in it, and is printable ASCII on the way", () => {
    fc.assert(
      fc.property(record, (record) => {
        const pairs = encodeRecord(record);
        expect(decodeRecord(pairs)).toEqual(record);
        for (const value of Object.values(pairs)) expect(value).toMatch(/^[!-~]*$/);
      }),
      { numRuns: 2000 },
    );
  });

  test("lone surrogates become U+FFFD", () => {
    const pairs = encodeRecord({ ...RECORD, name: "a\ud800b" });
    expect(decodeRecord(pairs)?.name).toBe("a\ufffdb");
  });

  test("header names come back in any case", () => {
    const upper = Object.fromEntries(Object.entries(PAIRS).map(([name, value]) => [name.toUpperCase(), value]));
    expect(decodeRecord(upper)).toEqual(RECORD);
  });

  test.each<[string, Record<string, string | undefined>]>([
    ["nothing", {}],
    ["another program's", { mtime: "1700000000", name: "x" }],
    ["a later version", { ...PAIRS, v: "2" }],
    ["no version", { ...PAIRS, v: undefined }],
    ["no digest", { ...PAIRS, sha256: undefined }],
    ["a short digest", { ...PAIRS, sha256: "9f2c" }],
    ["no size", { ...PAIRS, size: undefined }],
    ["a size that only Number() reads", { ...PAIRS, size: "1e3" }],
    ["a negative size", { ...PAIRS, size: "-1" }],
    ["a size beyond counting", { ...PAIRS, size: "9".repeat(16) }],
    ["no name", { ...PAIRS, name: "" }],
    ["no time", { ...PAIRS, created: undefined }],
    ["a time that is none", { ...PAIRS, created: "2026-13-45T00:00:00Z" }],
    ["a time that only Date reads", { ...PAIRS, created: "1" }],
  ])("%s is no record", (_, pairs) => expect(decodeRecord(pairs)).toBeNull());

  test("what is beside the record does no harm", () => {
    const odd = { ...PAIRS, by: "100%", note: undefined, meta: "a&&b=%zz&__proto__=x", other: "y" };
    const read = decodeRecord(odd);
    expect(read).toMatchObject({ uploadedBy: "100%", note: null });
    expect(Object.entries(read?.meta ?? {})).toEqual([
      ["a", ""],
      ["b", "%zz"],
      ["__proto__", "x"],
    ]);
  });

  test("decoding never throws", () => {
    const names = fc.constantFrom("v", "sha256", "size", "name", "created", "by", "note", "meta", "V");
    fc.assert(
      fc.property(fc.dictionary(names, fc.oneof(text, fc.constantFrom(...Object.values(PAIRS)))), (pairs) => {
        decodeRecord({ ...PAIRS, ...pairs });
      }),
    );
  });
});

describe("the 2,048 bytes", () => {
  test("count names with their prefix, and size and digest at their longest", () => {
    const wire = Object.entries({ ...PAIRS, size: "9".repeat(16) }).map(
      ([name, value]) => `x-amz-meta-${name}${value}`,
    );
    expect(metadataBytes(RECORD)).toBe(wire.join("").length);
  });

  test("are enough or not by one byte, and the count is in the message", () => {
    const room = MAX_METADATA_BYTES - metadataBytes({ ...BARE, note: "" });
    expect(codeOf(() => checkMetadata({ ...BARE, note: "x".repeat(room) }))).toBeNull();
    expect(() => checkMetadata({ ...BARE, note: "x".repeat(room + 1) })).toThrow(/2049 bytes/);
    expect(codeOf(() => checkMetadata({ ...BARE, note: "x".repeat(room + 1) }))).toBe("usage");
    expect(codeOf(() => checkMetadata({ ...BARE, note: "日".repeat(228) }))).toBe("usage");
  });

  test("are enough for every name that a file system takes", () => {
    expect(codeOf(() => checkMetadata({ ...BARE, name: "日".repeat(85) }))).toBeNull();
  });

  test("never count less than is sent", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string({ unit: "binary" }), (size, note) => {
        const sent = Object.entries(encodeRecord({ ...BARE, note, size, sha256: SHA }));
        const bytes = sent.reduce((sum, [name, value]) => sum + Buffer.byteLength(`x-amz-meta-${name}${value}`), 0);
        expect(metadataBytes({ ...BARE, note })).toBeGreaterThanOrEqual(bytes);
      }),
    );
  });
});
