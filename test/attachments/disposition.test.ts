import { ServerResponse, IncomingMessage } from "node:http";
import { Socket } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentDisposition } from "../../src/attachments/disposition.ts";
import { safeName } from "../../src/attachments/name.ts";

describe("contentDisposition", () => {
  test.each([
    ["report.pdf", `attachment; filename="report.pdf"; filename*=UTF-8''report.pdf`],
    ["Prüf 1.pdf", `attachment; filename="Pr_f 1.pdf"; filename*=UTF-8''Pr%C3%BCf%201.pdf`],
    ["日本.txt", `attachment; filename="__.txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt`],
    ["😀", `attachment; filename="_"; filename*=UTF-8''%F0%9F%98%80`],
    ["100%25.txt", `attachment; filename="100_25.txt"; filename*=UTF-8''100%2525.txt`],
    ["100%.txt", `attachment; filename="100%.txt"; filename*=UTF-8''100%25.txt`],
    ["it's (1).txt", `attachment; filename="it's (1).txt"; filename*=UTF-8''it%27s%20%281%29.txt`],
    ['a"\r\nX: y', `attachment; filename="a___X_ y"; filename*=UTF-8''a___X_%20y`],
    ["../x", `attachment; filename="___x"; filename*=UTF-8''___x`],
    ["..", `attachment; filename="__"; filename*=UTF-8''__`],
    ["", `attachment; filename="_"; filename*=UTF-8''_`],
  ])("%j (B17)", (name, expected) => expect(contentDisposition(name, "attachment")).toBe(expected));

  test("inline", () => expect(contentDisposition("a", "inline")).toBe(`inline; filename="a"; filename*=UTF-8''a`));

  test("is a header that Node sends, with attr-chars only, and gives the cleaned name back", () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const value = contentDisposition(name, "attachment");
        response.setHeader("Content-Disposition", value);
        const match = /^attachment; filename="([^"\\]*)"; filename\*=UTF-8''((?:%[0-9A-F]{2}|[\w!#$&+.^`|~-])+)$/.exec(
          value,
        );
        expect(decodeURIComponent(match?.[2] ?? "")).toBe(safeName(name));
        expect(value).toMatch(/^[ -~]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});
