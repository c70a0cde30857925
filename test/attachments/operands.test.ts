import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupByTask, parseKeyOperand, parseOperands } from "../../src/attachments/operands.ts";
import type { ItemRef } from "../../src/attachments/operands.ts";
import { codeOf } from "./support.ts";

const KEY = "tasks/T-1/abc123_a.pdf";

/** An item in short: `index task item`, `index task =key`, `index task !key` where the key is of another task. */
const short = (item: ItemRef) =>
  `${item.index} ${item.task} ${item.kind === "item" ? item.item : (item.elsewhere ? "!" : "=") + item.key}`;

const parse = (operands: string[], task?: string, bucket: string | null = "acme") => {
  const result = parseOperands(operands, task, bucket);
  return [result.task, ...result.items.map(short)];
};

describe("parseOperands", () => {
  test.each<[string, string[], string | undefined, (string | null)[]]>([
    ["TASK alone", ["T-1"], undefined, ["T-1"]],
    ["TASK and items", ["T-1", "a.pdf", "0b9c"], undefined, ["T-1", "1 T-1 a.pdf", "2 T-1 0b9c"]],
    ["TASK and a full key", ["T-1", KEY], undefined, ["T-1", `1 T-1 =${KEY}`]],
    ["TASK and a key of another task (C4)", ["T-2", KEY], undefined, ["T-2", `1 T-2 !${KEY}`]],
    ["TASK and a URL", ["T-1", `s3://acme/${KEY}`], undefined, ["T-1", `1 T-1 =${KEY}`]],
    ["TASK and a path of upload -r", ["T-1", "sub/a.txt"], undefined, ["T-1", "1 T-1 sub/a.txt"]],
    ["a full key", [KEY], undefined, [null, `0 T-1 =${KEY}`]],
    ["TASK/ITEM", ["T-1/a.pdf"], undefined, [null, "0 T-1 a.pdf"]],
    ["TASK/ITEM with a path", ["T-1/sub/a.txt"], undefined, [null, "0 T-1 sub/a.txt"]],
    ["a task that is called tasks", ["tasks/a.pdf"], undefined, [null, "0 tasks a.pdf"]],
    ["a URL", [`s3://acme/${KEY}`], undefined, [null, `0 T-1 =${KEY}`]],
    ["several tasks", ["T-2/b", KEY, "T-2/a"], undefined, [null, "0 T-2 b", `1 T-1 =${KEY}`, "2 T-2 a"]],
    ["--task and items", ["a.pdf", "T-2"], "T-1", ["T-1", "0 T-1 a.pdf", "1 T-1 T-2"]],
    ["--task and a name with a slash", ["sub/a.txt"], "T-1", ["T-1", "0 T-1 sub/a.txt"]],
    ["--task and a key of another task (C4)", [KEY], "T-2", ["T-2", `0 T-2 !${KEY}`]],
    ["--task alone", [], "T-1", ["T-1"]],
    ["nothing", [], undefined, [null]],
    ["words that objects have", ["constructor", "__proto__"], undefined, ["constructor", "1 constructor __proto__"]],
  ])("%s", (_, operands, task, expected) => expect(parse(operands, task)).toEqual(expected));

  test.each<[string, string[], string | undefined, string | null]>([
    ["an empty operand", [""], undefined, "acme"],
    ["an empty operand after TASK", ["T-1", ""], undefined, "acme"],
    ["an empty operand with --task", ["a", ""], "T-1", "acme"],
    ["an empty --task", ["a"], "", "acme"],
    ["a --task with a slash (C1)", ["a"], "a/b", "acme"],
    ["a wrong TASK (C1)", [".taskflow", "a"], undefined, "acme"],
    ["a wrong TASK in TASK/ITEM (C1)", ["../x"], undefined, "acme"],
    ["no TASK before the slash", ["/a"], undefined, "acme"],
    ["no ITEM after the slash", ["T-1/"], undefined, "acme"],
    ["an item without task after one with", ["T-1/a", "b"], undefined, "acme"],
    ["a key under a wrong task", ["tasks/../a"], undefined, "acme"],
    ["a key that is no attachment's", ["tasks/T-1/.hidden"], undefined, "acme"],
    ["a key deeper down", ["tasks/T-1/a/b"], undefined, "acme"],
    ["another bucket", [`s3://other/${KEY}`], undefined, "acme"],
    ["another bucket after TASK", ["T-1", `s3://other/${KEY}`], undefined, "acme"],
    ["a bucket that only begins alike", [`s3://acme2/${KEY}`], undefined, "acme"],
    ["a bucket on a folder store", [`s3://acme/${KEY}`], undefined, null],
    ["a bucket without a key", ["s3://acme"], undefined, "acme"],
    ["a bucket with an empty key", ["s3://acme/"], undefined, "acme"],
    ["no bucket", [`s3:///${KEY}`], undefined, "acme"],
    ["a URL that is no attachment's", ["s3://acme/other/x"], undefined, "acme"],
  ])("%s is usage", (_, operands, task, bucket) => {
    expect(codeOf(() => parse(operands, task, bucket))).toBe("usage");
  });

  test("keeps order, index and text, and throws nothing but usage", () => {
    const operand = fc.oneof(fc.constantFrom("T-1", KEY, "T-1/a", "", "a/b/c", "s3://acme/x", "-"), fc.string());
    fc.assert(
      fc.property(fc.array(operand), fc.option(operand, { nil: undefined }), (operands, task) => {
        const code = codeOf(() => parseOperands(operands, task, "acme"));
        expect([null, "usage"]).toContain(code);
        if (code !== null) return;
        const { items } = parseOperands(operands, task, "acme");
        const skipped = operands.length - items.length;
        expect(items.map((item) => item.text)).toEqual(operands.slice(skipped));
        expect(items.map((item) => item.index)).toEqual(items.map((_, index) => index + skipped));
      }),
    );
  });
});

test("groupByTask keeps tasks and items in order", () => {
  const { items } = parseOperands(["b/1", "a/2", "b/3"], undefined, null);
  expect([...groupByTask(items)].map(([task, group]) => [task, ...group.map((item) => item.index)])).toEqual([
    ["b", 0, 2],
    ["a", 1],
  ]);
});

test("parseKeyOperand takes keys and URLs of the own bucket only", () => {
  expect(parseKeyOperand(KEY, null)).toEqual({ key: KEY, task: "T-1" });
  expect(parseKeyOperand(`s3://acme/${KEY}`, "acme")).toEqual({ key: KEY, task: "T-1" });
  for (const text of ["", "a.pdf", "T-1/a.pdf", "tasks/T-1/", ` ${KEY}`, `s3://b/${KEY}`]) {
    expect(codeOf(() => parseKeyOperand(text, "acme"))).toBe("usage");
  }
});
