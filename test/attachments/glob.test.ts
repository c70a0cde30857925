import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileGlob } from "../../src/attachments/glob.ts";
import { codeOf } from "./support.ts";

describe("compileGlob", () => {
  test.each([
    ["*", "", true],
    ["*", "a.pdf", true],
    ["*", ".hidden", true],
    ["*.pdf", "a.pdf", true],
    ["*.pdf", "a.pdf.txt", false],
    ["*.pdf", "a.PDF", false],
    ["*.PDF", "a.PDF", true],
    ["a", "ab", false],
    ["a*b*c", "a1b2bc", true],
    ["a*b*c", "a1b2", false],
    ["**", "a/b", true],
    ["?", "a", true],
    ["?", "", false],
    ["?", "😀", true],
    ["??", "é", false],
    ["?", "e\u0301", true],
    ["é", "e\u0301", true],
    ["[abc]x", "bx", true],
    ["[abc]x", "dx", false],
    ["[a-c]", "b", true],
    ["[!a-c]", "b", false],
    ["[!a-c]", "d", true],
    ["[^a-c]", "d", true],
    ["[!a]", "", false],
    ["[]]", "]", true],
    ["[!]]", "]", false],
    ["[]-a]", "^", true],
    ["[a-]", "-", true],
    ["[-a]", "-", true],
    ["[\\]]", "]", true],
    ["[a\\-c]", "b", false],
    ["[*?]", "*", true],
    ["[😀-😂]", "😁", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["\\a", "a", true],
    ["]", "]", true],
    ["{a,b}", "a", false],
    ["{a,b}", "{a,b}", true],
    ["a.b", "axb", false],
    ["+(a)", "aa", false],
    ["$^(", "$^(", true],
  ])("%j on %j: %s", (glob, name, expected) => expect(compileGlob(glob)(name)).toBe(expected));

  test.each(["", "[", "[a", "[]", "[!]", "[z-a]", "a\\", "[a\\", "[a-"])("%j is usage", (glob) => {
    expect(codeOf(() => compileGlob(glob))).toBe("usage");
  });

  test("says what a plain regular expression says", () => {
    const alphabet = fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]");
    const glob = fc.array(alphabet, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(glob, fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 10 }), (glob, name) => {
        const source = glob.replaceAll("*", ".*").replaceAll("?", ".").replaceAll("[!", "[^");
        expect(compileGlob(glob)(name)).toBe(new RegExp(`^${source}$`).test(name));
      }),
      { numRuns: 5000 },
    );
  });

  test("never throws anything but usage", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from("ab*?[]!^-\\😀\ud800")) }),
        fc.string(),
        (glob, name) => {
          expect([null, "usage"]).toContain(codeOf(() => compileGlob(glob)(name)));
        },
      ),
    );
  });

  test("a glob that would backtrack for ever is done within the test's time", () => {
    const match = compileGlob(`${"*a".repeat(60)}*b`);
    expect(match("a".repeat(200))).toBe(false);
    expect(compileGlob(`${"*?".repeat(90)}b`)("a".repeat(200))).toBe(false);
  });
});
