import { describe, expect, test } from "vitest";
import { formatLocation, parseLocation } from "../../src/storage/location.ts";
import { isTaskflowError } from "../../src/errors.ts";

describe("the text of a store", () => {
  test.each(["./uploads", "/var/uploads", "uploads/", "../x", "~/x", "a/b", "./s3:", "/", "C:/x", "./a b", "./ü"])(
    "%s is a folder",
    (text) => {
      expect(parseLocation(text)).toEqual({ kind: "folder", path: text });
      expect(formatLocation(parseLocation(text))).toBe(text);
    },
  );

  test.each(["acme-attachments", "a.b.c", "Old_Bucket", "123"])("s3://%s is a bucket", (bucket) => {
    expect(parseLocation(`s3://${bucket}`)).toEqual({ kind: "s3", bucket });
    expect(formatLocation(parseLocation(`s3://${bucket}`))).toBe(`s3://${bucket}`);
  });

  test("a slash after the bucket, and capitals in s3, are forgiven", () => {
    expect(parseLocation("s3://acme/")).toEqual({ kind: "s3", bucket: "acme" });
    expect(parseLocation("S3://acme")).toEqual({ kind: "s3", bucket: "acme" });
  });

  test.each([
    ["", "name a folder"],
    ["uploads", "./uploads"],
    ["acme", "s3://acme"],
    [".", "./."],
    ["..", "./.."],
    ["s3:acme", "s3://acme"],
    ["s3:/acme", "s3://acme"],
    ["s3://", "s3://bucket"],
    ["s3:///x", "s3://bucket"],
    ["s3://acme/prefix", "s3://acme"],
    ["s3://acme/a/b", "s3://acme"],
    ["s3://a", "3 to 63"],
    ["s3://a b", "3 to 63"],
    ["s3://user:pass@host", "3 to 63"],
    ["https://acme.s3.amazonaws.com/", "s3://bucket"],
    ["file:///x", "name a folder"],
    ["./a\0b", "without it"],
  ])("%j is `usage`, and the hint says %s", (text, hint) => {
    let error: unknown;
    try {
      parseLocation(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(isTaskflowError(error) ? { code: error.code, exit: error.exit, hint: error.hint } : error).toEqual({
      code: "usage",
      exit: 2,
      hint: expect.stringContaining(hint) as string,
    });
  });
});
