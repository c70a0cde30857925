import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTask, parseTask } from "../../src/attachments/task.ts";
import { codeOf } from "./support.ts";

describe("parseTask", () => {
  test.each(["1", "T-42", "a", "A.b_c-d", "9".repeat(64), "console", "nullable.txt", "COM10", "com", "aux-1", "tasks"])(
    "takes %j as it is",
    (text) => expect(parseTask(text)).toBe(text),
  );

  test.each([
    ["", "empty"],
    ["../x", "C1"],
    ["a/b", "C1"],
    [".", "C1"],
    ["..", "C1"],
    [".taskflow", "C1"],
    ["a".repeat(65), "C1: 65 characters"],
    ["a b", "C1: space"],
    [" a", "space"],
    ["a\n", "line end"],
    ["É", "C1"],
    ["é", "beyond ASCII"],
    ["a..b", "two dots"],
    ["a.", "trailing dot"],
    ["-a", "leading dash"],
    ["_a", "leading underscore"],
    ["CON", "device"],
    ["con", "device"],
    ["nul.txt", "device with extension"],
    ["Aux.tar.gz", "device with extensions"],
    ["COM1", "device"],
    ["lpt9.x", "device"],
    ["a\0", "NUL"],
    ["a\\b", "backslash"],
  ])("refuses %j (%s), with the grammar in the message", (text) => {
    expect(() => parseTask(text)).toThrow(/1 to 64 of A-Z a-z 0-9/);
    expect(codeOf(() => parseTask(text))).toBe("usage");
    expect(isTask(text)).toBe(false);
  });

  test("whatever is taken is one harmless path segment", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from("aZ09._-/ \\:é\n")), maxLength: 70 }), (text) => {
        if (isTask(text)) expect(text).toMatch(/^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?<!\.)$/);
      }),
    );
  });
});
