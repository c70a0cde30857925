import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanName, isWindowsDevice, safeName } from "../../src/attachments/name.ts";
import { codeOf } from "./support.ts";

describe("cleanName", () => {
  test.each([
    ["report.pdf", "report.pdf", "as it is"],
    ["Prüfbericht 2.pdf", "Prüfbericht 2.pdf", "letters and inner spaces stay"],
    ["../../etc/passwd", "___.._etc_passwd", "B1"],
    ["a/b\\c", "a_b_c", "separators"],
    ["a\nb\rc\u001bd\te", "a_b_c_d_e", "B4"],
    ["a\u007fb\u0085c\u009bd", "a_b_c_d", "DEL and C1"],
    ["\u202egpj.exe", "_gpj.exe", "B5"],
    ["a\u200b\u200d\ufeff\u2066b", "a____b", "zero-width and bidi"],
    ["a\u2028b\u00adc\u061cd\u{e0041}e", "a_b_c_d_e", "other marks that are not seen"],
    ["❤\ufe0f.png", "❤\ufe0f.png", "variation selectors belong to emoji"],
    ['<>:"|?*', "_______", "what Windows refuses"],
    ["CON", "_CON", "B6"],
    ["aux.txt", "_aux.txt", "B6"],
    ["COM1.", "_COM1_", "B6, B7"],
    ["COM¹", "_COM¹", "B6"],
    ["lpt².log", "_lpt².log", "B6"],
    ["CONIN$", "_CONIN$", "B6"],
    ["conout$.txt", "_conout$.txt", "B6"],
    ["nul .txt", "_nul .txt", "spaces before the extension are ignored by Windows"],
    ["prn:x", "prn_x", "no device any more"],
    ["console.log", "console.log", "no device"],
    ["COM10", "COM10", "no device"],
    ["a. .", "a___", "B7"],
    ["a ", "a_", "B7"],
    [".bashrc", "_bashrc", "leading dot"],
    ["-rf", "_rf", "B11"],
    [" -.x", "___x", "leading run"],
    ["a\ud800b", "a_b", "B9"],
    ["\udc00\ud800", "__", "B9"],
    ["a\ufffdb", "a_b", "U+FFFD"],
    ["a\uffff\ufffeb", "a__b", "what XML can't carry"],
    ["e\u0301.txt", "é.txt", "B10"],
    ["a+b c%2F#?.txt", "a+b c%2F#_.txt", "B12"],
    ["=cmd()", "=cmd()", "B13"],
    ['"; rm -rf ~; "', "_; rm -rf ~; _", "B14"],
    ["...", "___", "dots only"],
    [" ", "_", "space only"],
    ["\u200b", "_", "nothing to be seen"],
  ])("%j becomes %j (%s)", (given, expected) => expect(cleanName(given)).toBe(expected));

  test.each([
    ["", "B2"],
    [".", "B2"],
    ["..", "B2"],
    ["a\0b", "B3"],
    ["\0", "B3"],
  ])("refuses %j (%s)", (given) => expect(codeOf(() => cleanName(given))).toBe("usage"));

  test.each([
    [`${"a".repeat(300)}.pdf`, `${"a".repeat(196)}.pdf`],
    ["é".repeat(128), "é".repeat(100)],
    [`${"é".repeat(200)}.txt`, `${"é".repeat(98)}.txt`],
    [`${"a".repeat(300)}.tar.gz`, `${"a".repeat(193)}.tar.gz`],
    [`x.${"y".repeat(300)}`, `x.${"y".repeat(198)}`],
    [`${"a".repeat(300)}.日本語`, `${"a".repeat(190)}.日本語`],
    [`${"😀".repeat(60)}a`, "😀".repeat(50)],
    [`${"a".repeat(199)} ${"b".repeat(100)}`, `${"a".repeat(199)}_`],
    [`${"a".repeat(300)}. `, "a".repeat(200)],
    [`CON${" ".repeat(300)}x.txt`, `_CON${" ".repeat(192)}.txt`],
    [`.${"a".repeat(300)}`, `_${"a".repeat(199)}`],
  ])("cuts to 200 bytes at a code point and keeps the extension (B8), row %#", (given, expected) => {
    expect(cleanName(given)).toBe(expected);
  });

  test("safeName never throws and never gives nothing", () => {
    expect(["", ".", "..", "\0", "a/../b"].map(safeName)).toEqual(["_", "_", "__", "_", "a_.._b"]);
  });

  const hostile = fc.string({
    unit: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          ...Array.from('. -_/\\<>:"|?*CONcom1auxnul¹²³.txt$\u0301\u0338\u200d\u202e\ud83d\ude00\n\0'),
        ),
      },
      { weight: 2, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
      fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)),
    ),
    maxLength: 260,
  });
  const padded = fc
    .tuple(hostile, fc.constantFrom("a", " ", ".", "é", "😀", "CON "), fc.nat({ max: 250 }), hostile)
    .map(([start, filler, count, end]) => start + filler.repeat(count) + end);

  test("is safe, short, NFC and its own cleaned name, whatever is given", () => {
    fc.assert(
      fc.property(fc.oneof(hostile, padded), (given) => {
        const name = safeName(given);
        expect(name).not.toMatch(/[/\\<>:"|?*\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]/u);
        expect(name).not.toMatch(/^(?:[. -]|$)|[. ]$/);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
        expect(name.normalize("NFC")).toBe(name);
        expect(isWindowsDevice(name)).toBe(false);
        expect(cleanName(name)).toBe(name);
      }),
      { numRuns: 20_000 },
    );
  });

  test("one name in NFC and NFD is one name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (given) => {
        expect(safeName(given.normalize("NFD"))).toBe(safeName(given.normalize("NFC")));
      }),
    );
  });
});
