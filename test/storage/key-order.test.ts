import { array, assert, constantFrom, property } from "fast-check";
import type { Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { compareKeys, sortKeys } from "../../src/storage/key-order.ts";

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Letters whose order differs between UTF-8 and UTF-16, and others. */
const text = (): Arbitrary<string> =>
  array(constantFrom("a", "b", "/", "-", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "😀"), { maxLength: 6 }).map(
    (letters) => letters.join(""),
  );

describe("the order of keys", () => {
  test("is that of their UTF-8 bytes", () => {
    assert(
      property(text(), text(), (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(byBytes(a, b));
      }),
      { numRuns: 5000 },
    );
  });

  test("is the one that sortKeys makes, with and without letters beyond U+FFFF", () => {
    assert(
      property(array(text()), (keys) => {
        expect(sortKeys([...keys])).toEqual([...keys].sort(byBytes));
        const plain = keys.map((key) => key.replaceAll(/[\ud800-\udfff]/g, ""));
        expect(sortKeys([...plain])).toEqual([...plain].sort(byBytes));
      }),
    );
  });
});
