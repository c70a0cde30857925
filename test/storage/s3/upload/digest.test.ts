import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert, property, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { combine, crcHeader, shiftBy } from "../../../../src/storage/s3/upload/crc32.ts";
import {
  BLOCK,
  MAX_PARTS,
  createDigester,
  partDigests,
  partSizeFor,
} from "../../../../src/storage/s3/upload/digest.ts";
import { bytesOf } from "../../../conformance/bodies.ts";

const GiB = 1024 ** 3;

describe("CRC32", () => {
  test("of two pieces in a row is that of both", () => {
    assert(
      property(uint8Array({ maxLength: 300 }), uint8Array({ maxLength: 300 }), (a, b) => {
        expect(combine(crc32(a), crc32(b), shiftBy(b.length))).toBe(crc32(Buffer.concat([a, b])));
      }),
    );
  });

  test("as a header is four bytes, the highest first", () => {
    // AWS's own example: the CRC32 of "Hello world".
    expect(crcHeader(crc32(Buffer.from("Hello world")))).toBe(Buffer.from("8bd69e52", "hex").toString("base64"));
  });
});

describe("the first pass", () => {
  const bytes = bytesOf(3 * BLOCK + 1234);

  test.each([1, 65_537, 1 << 20, BLOCK, 2 * BLOCK + 1])("in chunks of %i bytes gives the same digests", (chunk) => {
    const part = chunk === 1 ? bytes.subarray(0, 1000) : bytes;
    const digester = createDigester();
    for (let at = 0; at < part.length; at += chunk) digester.update(part.subarray(at, at + chunk));
    const digests = digester.end();
    expect(digests.size).toBe(part.length);
    expect(digests.sha256).toBe(createHash("sha256").update(part).digest("hex"));
    expect(partDigests(digests, BLOCK).whole).toBe(crc32(part));
  });

  test.each([1, 2, 3, 4])("gives the CRC32 of each part of %i blocks", (perPart) => {
    const digester = createDigester();
    digester.update(bytes);
    const { parts, whole } = partDigests(digester.end(), perPart * BLOCK);
    const size = perPart * BLOCK;
    const cut = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    );
    expect(parts).toEqual(cut.map((part) => crc32(part)));
    expect(whole).toBe(crc32(bytes));
  });
});

describe("the part size", () => {
  test.each([1, BLOCK, 78 * GiB, 80 * GiB, 1024 * GiB, 48 * 1024 * GiB])("of %i bytes is enough", (size) => {
    const partSize = partSizeFor(size);
    expect(partSize % BLOCK).toBe(0);
    expect(Math.ceil(size / partSize)).toBeLessThanOrEqual(MAX_PARTS);
    expect(partSize).toBeLessThanOrEqual(5 * GiB);
  });
});
