import { describe, expect, test } from "vitest";
import { checkMeta, checkTags, parseMeta, parseMetas, parseTag, parseTags } from "../../src/attachments/meta.ts";
import { codeOf } from "./support.ts";

describe("--meta", () => {
  test.each([
    ["k=v", "k", "v"],
    ["Build-ID=42", "build-id", "42"],
    ["k=", "k", ""],
    ["k=a=b", "k", "a=b"],
    ["k= line\nbreak ü", "k", " line\nbreak ü"],
    ["a.b_c-1=x", "a.b_c-1", "x"],
    [`${"a".repeat(64)}=x`, "a".repeat(64), "x"],
  ])("%j", (text, key, value) => expect(parseMeta(text)).toEqual([key, value]));

  test.each(["", "k", "=v", " k=v", "k =v", "_k=v", ".k=v", "ü=v", "a/b=v", "__proto__=v", `${"a".repeat(65)}=x`])(
    "%j is usage",
    (text) => expect(codeOf(() => parseMeta(text))).toBe("usage"),
  );

  test("a key twice is usage, in either case", () => {
    expect(parseMetas(["a=1", "b=2", "constructor=3"])).toEqual({ a: "1", b: "2", constructor: "3" });
    expect(codeOf(() => parseMetas(["a=1", "A=2"]))).toBe("usage");
    expect(checkMeta({ A: "1" })).toEqual({ a: "1" });
    expect(codeOf(() => checkMeta({ A: "1", a: "2" }))).toBe("usage");
    expect(codeOf(() => checkMeta({ "a b": "1" }))).toBe("usage");
  });
});

describe("--tag", () => {
  test.each([
    ["team=core", "team", "core"],
    ["Team Name=Ä ö/+-=._:@1", "Team Name", "Ä ö/+-=._:@1"],
    ["k=", "k", ""],
    [`${"k".repeat(128)}=${"v".repeat(256)}`, "k".repeat(128), "v".repeat(256)],
  ])("row %#", (text, key, value) => expect(parseTag(text)).toEqual([key, value]));

  test.each([
    "",
    "k",
    "=v",
    "k=a&b",
    "k=<",
    "k=a\nb",
    "k=a\tb",
    "k#=v",
    "aws:k=v",
    "AWS:k=v",
    `${"k".repeat(129)}=v`,
    `k=${"v".repeat(257)}`,
    `k=${"𝒳".repeat(129)}`,
    "k=😀",
  ])("%j is usage", (text) => expect(codeOf(() => parseTag(text))).toBe("usage"));

  test("at most ten, each key once, in its case", () => {
    const ten = Array.from({ length: 10 }, (_, index) => `k${index}=v`);
    expect(Object.keys(parseTags(ten))).toHaveLength(10);
    expect(codeOf(() => parseTags([...ten, "k10=v"]))).toBe("usage");
    expect(codeOf(() => parseTags(["a=1", "a=1"]))).toBe("usage");
    expect(parseTags(["a=1", "A=2"])).toEqual({ a: "1", A: "2" });
    expect(codeOf(() => checkTags({ "": "v" }))).toBe("usage");
    expect(codeOf(() => checkTags({ "aws:x": "v" }))).toBe("usage");
    expect(checkTags({ a: "1" })).toEqual({ a: "1" });
  });
});
