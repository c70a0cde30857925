import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isUuid, makeKey, parseKey, taskPrefix } from "../../src/attachments/key.ts";
import { safeName } from "../../src/attachments/name.ts";
import { isTask } from "../../src/attachments/task.ts";
import { codeOf } from "./support.ts";

const UUID = "0b9c6f0e-7d7a-4d51-9b55-2f1f4f1f9a11";
const sha8 = (key: string) => createHash("sha256").update(key).digest("hex").slice(0, 8);

describe("makeKey", () => {
  test("writes strictly", () => {
    expect(makeKey("T-42", UUID, "Prüfbericht.pdf")).toBe(`tasks/T-42/${UUID}_Prüfbericht.pdf`);
    expect(makeKey("1", UUID.toUpperCase(), "../x")).toBe(`tasks/1/${UUID}____x`);
  });

  test.each([
    ["../x", UUID, "a", "usage"],
    ["1", UUID, "..", "usage"],
    ["1", "abc", "a", "internal"],
  ])("refuses %j %j %j", (task, uuid, name, code) => expect(codeOf(() => makeKey(task, uuid, name))).toBe(code));

  test("parseKey reads what makeKey writes", () => {
    const task = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/).filter(isTask);
    fc.assert(
      fc.property(task, fc.uuid(), fc.string({ unit: "binary", minLength: 1 }), (task, uuid, name) => {
        fc.pre(codeOf(() => makeKey(task, uuid, name)) === null);
        const key = makeKey(task, uuid, name);
        expect(key.startsWith(taskPrefix(task))).toBe(true);
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
        const clean = safeName(name);
        expect(parseKey(key)).toEqual({ task, id: uuid, name: clean, base: `${uuid}_${clean}` });
      }),
      { numRuns: 2000 },
    );
  });
});

describe("parseKey", () => {
  test.each([
    [`tasks/T-1/${UUID}_a_b.pdf`, "T-1", UUID, "a_b.pdf"],
    [`tasks/T-1/${UUID.toUpperCase()}_a`, "T-1", UUID.toUpperCase(), "a"],
    ["tasks/1/abc123_document.pdf", "1", "abc123", "document.pdf"],
    ["tasks/1/ABCDEF01_x", "1", "ABCDEF01", "x"],
    ["tasks/1/abc123__x", "1", "abc123", "_x"],
    ["tasks/1/abc123_", "1", "abc123", "abc123_"],
    ["tasks/1/abc123_..", "1", "abc123", ".."],
  ])("%s has the id that it spells", (key, task, id, name) => {
    expect(parseKey(key)).toEqual({ task, id, name, base: key.slice(`tasks/${task}/`.length) });
  });

  test.each([
    "tasks/1/file1.pdf",
    "tasks/1/abc12_five-digits.pdf",
    "tasks/1/abcdeg_not-hex.pdf",
    "tasks/1/my_file.pdf",
    "tasks/1/_x",
    "tasks/1/abc123",
    "tasks/1/abc1234",
    `tasks/1/${UUID}`,
    `tasks/1/${UUID}-_x`,
    "tasks/1/a\nb.pdf",
    "tasks/1/a:b?.pdf",
  ])("%j has an id made from the key", (key) => {
    const base = key.slice("tasks/1/".length);
    expect(parseKey(key)).toEqual({ task: "1", id: sha8(key), name: base, base });
  });

  test.each([
    "",
    "tasks",
    "tasks/",
    "tasks/1",
    "tasks/1/",
    "tasks//a",
    "tasks/1/.hidden",
    "tasks/1/a/b",
    "tasks/1/a/",
    "/tasks/1/a",
    "Tasks/1/a",
    "task/1/a",
    "tasks/../a",
    "tasks/.taskflow/a",
    "tasks/a b/x",
    "tasks/CON/x",
    "other",
  ])("%j is no attachment's key", (key) => expect(parseKey(key)).toBeNull());

  test("never throws, and what it reads lies directly under its task", () => {
    const part = fc.oneof(fc.constantFrom("tasks", "1", "T-1", "..", ".", "", "abc123_x", "tasks/1"), fc.string());
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join("/")),
        (key) => {
          const parts = parseKey(key);
          if (parts !== null) {
            expect(taskPrefix(parts.task) + parts.base).toBe(key);
            expect(parts.name).not.toBe("");
            expect(parts.base).not.toContain("/");
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test("isUuid takes both cases and nothing around it", () => {
  expect([UUID, UUID.toUpperCase(), `${UUID} `, UUID.slice(1), ""].map(isUuid)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
