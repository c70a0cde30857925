import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { fitMeta } from "../../src/attachments/fit-meta.ts";
import { MAX_METADATA_BYTES, metadataBytes } from "../../src/storage/metadata.ts";

const record = {
  name: "make.log",
  createdAt: new Date("2026-11-23T20:14:05.000Z"),
  uploadedBy: "ada",
  note: null,
  meta: { "exit-code": "255" },
};

function bytesWith(command: string): number {
  return metadataBytes({ ...record, meta: { ...record.meta, command } });
}

test("a text that fits stays as it is", () => {
  expect(fitMeta(record, "command", "make test")).toBe("make test");
  expect(fitMeta(record, "command", "")).toBe("");
});

test("a text that is too long is cut as late as can be, with … at its end", () => {
  for (const character of ["x", " ", "é", "日", "😀"]) {
    const text = character.repeat(5000);
    const fitted = fitMeta(record, "command", text);
    expect(fitted.endsWith("…")).toBe(true);
    expect(text.startsWith(fitted.slice(0, -1))).toBe(true);
    expect(bytesWith(fitted)).toBeLessThanOrEqual(MAX_METADATA_BYTES);
    expect(bytesWith(`${character}${fitted}`)).toBeGreaterThan(MAX_METADATA_BYTES);
  }
});

test("any text fits afterwards, and no character is cut in two", () => {
  assert(
    property(string({ unit: "binary", minLength: 0, maxLength: 3000 }), (text) => {
      const fitted = fitMeta(record, "command", text);
      expect(bytesWith(fitted)).toBeLessThanOrEqual(MAX_METADATA_BYTES);
      expect(fitted === text || text.startsWith(fitted.slice(0, -1))).toBe(true);
      expect(/\p{Surrogate}/u.test(fitted)).toBe(false);
    }),
    { numRuns: 300 },
  );
});
