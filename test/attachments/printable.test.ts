import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable, tsvField } from "../../src/cli/output/printable.ts";

describe("printable", () => {
  test.each([
    ["Prüfbericht 日本 😀.pdf", "Prüfbericht 日本 😀.pdf"],
    ["a\nb\rc\td", "a\\nb\\rc\\td"],
    ["\u001b[31mred\u0007", "\\x1b[31mred\\x07"],
    ["\u009b31m\u007f\0", "\\x9b31m\\x7f\\x00"],
    ["\u202egpj.exe", "\\u202egpj.exe"],
    ["a\u200b\ufeff\u2066\u2028b", "a\\u200b\\ufeff\\u2066\\u2028b"],
    ["\ud800x\udfff", "\\ud800x\\udfff"],
    ["\u{e0041}", "\\u{e0041}"],
    ["C:\\new", "C:\\new"],
    ["", ""],
  ])("%j", (given, expected) => expect(printable(given)).toBe(expected));

  const hostile = fc.string({
    unit: fc.oneof(
      fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.constantFrom(...Array.from("\u001b\n\t\\\u202e\u009b")),
    ),
  });

  test("nothing that a terminal obeys is left, of anything", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const shown of [printable(text), tsvField(text)]) {
          expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}\u200b\ufeff]/u);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("a field of a line can be read back", () => {
    expect(tsvField("C:\\new\n")).toBe("C:\\\\new\\n");
    fc.assert(
      fc.property(hostile, (text) => {
        expect(back(tsvField(text))).toBe(text);
      }),
    );
  });
});

/** What a reader of the tab-separated output does. */
function back(field: string): string {
  return field.replace(/\\(?:([nrt\\])|x(..)|u\{(\w+)\}|u(....))/g, (_, short: string | undefined, ...hex: string[]) =>
    short === undefined
      ? String.fromCodePoint(Number.parseInt(hex.slice(0, 3).find((part) => part !== undefined) ?? "", 16))
      : ({ n: "\n", r: "\r", t: "\t" }[short] ?? "\\"),
  );
}
