import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchItem } from "../../src/attachments/items.ts";
import { parseKey } from "../../src/attachments/key.ts";
import { isTaskflowError } from "../../src/errors.ts";
import { codeOf } from "./support.ts";

const A = "0b9c6f0e-7d7a-4d51-9b55-2f1f4f1f9a11";
const B = "0b9c1111-7d7a-4d51-9b55-2f1f4f1f9a22";
const C = "ffff6f0e-7d7a-4d51-9b55-2f1f4f1f9a33";

/** Candidates as a listing gives them, from what follows `tasks/1/`. */
function listing(...bases: string[]) {
  return bases.flatMap((base) => {
    const key = `tasks/1/${base}`;
    const parts = parseKey(key);
    return parts === null ? [] : [{ id: parts.id, name: parts.name, key, base }];
  });
}

const hits = (item: string, ...bases: string[]) => {
  const match = matchItem(item, listing(...bases));
  return match === null ? null : [match.by, ...match.matches.map((each) => each.base)];
};

describe("matchItem", () => {
  test.each([
    ["a full id", A, [`${A}_a.pdf`, `${B}_b.pdf`], ["id", `${A}_a.pdf`]],
    ["a full id in upper case", A.toUpperCase(), [`${A}_a.pdf`], ["id", `${A}_a.pdf`]],
    ["a full id before a name that reads like it", A, [`${A}_x`, `${B}_${A}`], ["id", `${A}_x`]],
    ["a short foreign id", "abc123", ["abc123_a.pdf", "abc1234_b.pdf"], ["id", "abc123_a.pdf"]],
    ["a foreign id in the other case", "ABC123", ["abc123_a.pdf"], ["id", "abc123_a.pdf"]],
    ["a name", "a.pdf", [`${A}_a.pdf`, `${B}_b.pdf`], ["name", `${A}_a.pdf`]],
    ["all of one name", "a.pdf", [`${A}_a.pdf`, `${B}_a.pdf`], ["name", `${A}_a.pdf`, `${B}_a.pdf`]],
    ["a name through the name rule", "a:b?.txt", [`${A}_a_b_.txt`], ["name", `${A}_a_b_.txt`]],
    ["a relative path of upload -r", "sub/a.txt", [`${A}_sub_a.txt`], ["name", `${A}_sub_a.txt`]],
    ["a name in NFD (B10)", "e\u0301.txt", [`${A}_é.txt`], ["name", `${A}_é.txt`]],
    ["a foreign name in NFD (B10)", "é.txt", ["e\u0301.txt"], ["name", "e\u0301.txt"]],
    ["a foreign name exactly", "a:b", ["abc123_a:b", "abc124_a_b"], ["name", "abc123_a:b"]],
    ["a name of another case: none", "A.pdf", [`${A}_a.pdf`], null],
    ["four characters of an id", "ffff", [`${A}_a`, `${C}_c`], ["prefix", `${C}_c`]],
    ["more of an id, in upper case", "FFFF6F0E-7D", [`${A}_a`, `${C}_c`], ["prefix", `${C}_c`]],
    ["three characters of an id: none", "fff", [`${C}_c`], null],
    ["a name that is a prefix of its own id", "ffff", [`${C}_ffff`, `${A}_a`], ["name", `${C}_ffff`]],
    ["no wildcards (C5)", "*.pdf", [`${A}_a.pdf`], null],
    ["no wildcards (C5), sets", "[a].pdf", [`${A}_a.pdf`], null],
    ["a file that was called so", "*.pdf", [`${A}__.pdf`], ["name", `${A}__.pdf`]],
    ["nothing", "b.pdf", [`${A}_a.pdf`], null],
    ["nothing among none", "a.pdf", [], null],
    ["a folder's name: none", "..", [`${A}_a`], null],
  ])("finds %s", (_, item, bases, expected) => expect(hits(item, ...bases)).toEqual(expected));

  test.each([
    ["one prefix of two ids (C3)", "0b9c", [`${A}_a`, `${B}_b`]],
    ["a name and a prefix of another", "ffff", [`${A}_ffff`, `${C}_c`]],
    ["one foreign id of two", "abc123", ["abc123_a.pdf", "abc123_b.pdf"]],
  ])("%s is ambiguous, and the error lists them", (_, item, bases) => {
    expect(codeOf(() => hits(item, ...bases))).toBe("ambiguous");
    for (const { id, name } of listing(...bases)) expect(() => hits(item, ...bases)).toThrow(`${id} (${name})`);
  });

  test("where ids can't tell them apart, the hint is a full key", () => {
    let hint: string | null = null;
    try {
      hits("abc123", "abc123_a.pdf", "abc123_b.pdf");
    } catch (error) {
      if (isTaskflowError(error)) ({ hint } = error);
    }
    expect(hint).toContain("tasks/1/abc123_a.pdf");
  });

  test("an empty item is usage", () => expect(codeOf(() => hits("", `${A}_a`))).toBe("usage"));

  test("a listing with true names is matched as one with the key's", () => {
    const candidates = [{ id: A, key: `tasks/1/${A}_sub_a.txt`, name: "sub/a.txt" }];
    expect(matchItem("sub_a.txt", candidates)?.by).toBe("name");
    expect(matchItem("sub/a.txt", candidates)?.by).toBe("name");
  });

  test("each attachment is found by its full id and, if its name is its own, by its name", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[g-z][g-z.]{0,9}[g-z]$/), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(names, fc.uniqueArray(fc.uuid({ version: 4 }), { minLength: 8, maxLength: 8 }), (names, ids) => {
        const bases = names.map((name, index) => `${ids[index] ?? ""}_${name}`);
        for (const [index, name] of names.entries()) {
          expect(hits(ids[index] ?? "", ...bases)).toEqual(["id", bases[index]]);
          expect(hits(name, ...bases)).toEqual(["name", bases[index]]);
        }
      }),
    );
  });

  test("never throws anything but usage and ambiguous", () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from("abcdef0123_./ é\ud800\0")), maxLength: 12 });
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 6 }), (item, bases) => {
        expect([null, "usage", "ambiguous"]).toContain(codeOf(() => hits(item, ...bases)));
      }),
      { numRuns: 2000 },
    );
  });
});
