import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type {
  CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { combine, digestOf } from "./s3-double/checksums.ts";
import { clientOf, double, refusal } from "./support.ts";

const AT = { Bucket: "b", Key: "big" };
const PIECES = ["first part;", "second part;", "end"].map((text) => Buffer.from(text));
const WHOLE = Buffer.concat(PIECES);
const SMALL = { limits: { minPartBytes: 10 } };
const crc = (bytes: Uint8Array): string => digestOf("CRC32", bytes);

type Complete = Partial<CompleteMultipartUploadCommandInput>;

async function begun(
  client: S3Client,
  more: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<{ UploadId: string | undefined }> {
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...AT, ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT", ...more }),
  );
  return { UploadId };
}

async function sent(
  client: S3Client,
  id: { UploadId: string | undefined },
): Promise<{ PartNumber: number; ETag: string | undefined }[]> {
  const parts = [];
  for (const [at, Body] of PIECES.entries()) {
    const PartNumber = at + 1;
    const { ETag } = await client.send(
      new UploadPartCommand({ ...AT, ...id, PartNumber, Body, ChecksumCRC32: crc(Body) }),
    );
    parts.push({ PartNumber, ETag });
  }
  return parts;
}

test("parts become one object, proven by the CRC32 and the size of the whole", async () => {
  const s3 = await double(SMALL);
  const client = clientOf(s3);
  const id = await begun(client, {
    ContentType: "text/plain",
    Metadata: { v: "1" },
    StorageClass: "GLACIER_IR",
    Tagging: "a=1",
  });
  expect((await client.send(new ListMultipartUploadsCommand({ Bucket: "b" }))).Uploads).toMatchObject([
    { Key: "big", UploadId: id.UploadId },
  ]);
  const Parts = await sent(client, id);
  const listed = await client.send(new ListPartsCommand({ ...AT, ...id, MaxParts: 2 }));
  expect(listed).toMatchObject({ IsTruncated: true, NextPartNumberMarker: "2", ChecksumType: "FULL_OBJECT" });
  expect(listed.Parts).toMatchObject([
    { PartNumber: 1, Size: 11, ChecksumCRC32: crc(Buffer.from("first part;")), ETag: Parts[0]?.ETag },
    { PartNumber: 2, Size: 12 },
  ]);
  const done = await client.send(
    new CompleteMultipartUploadCommand({
      ...AT,
      ...id,
      MultipartUpload: { Parts },
      ChecksumCRC32: crc(WHOLE),
      ChecksumType: "FULL_OBJECT",
      MpuObjectSize: WHOLE.length,
    }),
  );
  const md5s = Buffer.concat(PIECES.map((piece) => createHash("md5").update(piece).digest()));
  const ETag = `"${createHash("md5").update(md5s).digest("hex")}-3"`;
  expect(done).toMatchObject({
    ETag,
    ChecksumCRC32: crc(WHOLE),
    ChecksumType: "FULL_OBJECT",
    VersionId: s3.object("b", "big")?.versionId,
  });
  expect(s3.bytes("b", "big")).toEqual(WHOLE);
  expect(await client.send(new HeadObjectCommand({ ...AT, ChecksumMode: "ENABLED" }))).toMatchObject({
    ETag,
    ChecksumCRC32: crc(WHOLE),
    StorageClass: "GLACIER_IR",
    Metadata: { v: "1" },
  });
  expect(s3.uploads("b")).toEqual([]);
  const again = new CompleteMultipartUploadCommand({ ...AT, ...id, MultipartUpload: { Parts } });
  expect((await refusal(client.send(again))).name).toBe("NoSuchUpload");
});

test.each<[string, string, (parts: { PartNumber: number; ETag: string | undefined }[]) => Complete]>([
  ["another CRC32", "BadDigest", () => ({ ChecksumCRC32: crc(Buffer.from("x")) })],
  ["another size", "InvalidRequest", () => ({ MpuObjectSize: 1 })],
  ["another kind of checksum", "InvalidRequest", () => ({ ChecksumType: "COMPOSITE" })],
  ["another algorithm", "InvalidRequest", () => ({ ChecksumSHA256: digestOf("SHA256", WHOLE) })],
  ["parts out of order", "InvalidPartOrder", (parts) => ({ MultipartUpload: { Parts: [...parts].reverse() } })],
  ["an unknown part", "InvalidPart", () => ({ MultipartUpload: { Parts: [{ PartNumber: 9, ETag: '"x"' }] } })],
  ["another ETag", "InvalidPart", () => ({ MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"x"' }] } })],
  ["no parts", "MalformedXML", () => ({ MultipartUpload: { Parts: [] } })],
  [
    "a small part before the last",
    "EntityTooSmall",
    (parts) => ({ MultipartUpload: { Parts: [...parts.slice(2), { PartNumber: 4, ETag: parts[2]?.ETag }] } }),
  ],
  ["a live object and If-None-Match: *", "PreconditionFailed", () => ({ IfNoneMatch: "*", Key: "big" })],
])("a completion with %s is %s, and the upload stays", async (name, code, make) => {
  const s3 = await double(SMALL);
  const client = clientOf(s3);
  const id = await begun(client);
  const parts = await sent(client, id);
  await client.send(new UploadPartCommand({ ...AT, ...id, PartNumber: 4, Body: "end" }));
  if (name.startsWith("a live")) s3.plant("b", "big", "there");
  const command = new CompleteMultipartUploadCommand({
    ...AT,
    ...id,
    MultipartUpload: { Parts: parts },
    ...make(parts),
  });
  expect((await refusal(client.send(command))).name).toBe(code);
  expect(s3.uploads("b")).toHaveLength(1);
  expect(s3.versions("b")).toHaveLength(name.startsWith("a live") ? 1 : 0);
});

test("a part with a wrong checksum is BadDigest, of another algorithm InvalidRequest, of number 0 InvalidArgument", async () => {
  const client = clientOf(await double());
  const part = { ...AT, ...(await begun(client)), PartNumber: 1, Body: WHOLE };
  const codeOf = async (more: object): Promise<string> =>
    (await refusal(client.send(new UploadPartCommand({ ...part, ...more })))).name;
  expect(await codeOf({ ChecksumCRC32: "AAAAAA==" })).toBe("BadDigest");
  expect(await codeOf({ ChecksumSHA256: digestOf("SHA256", WHOLE) })).toBe("InvalidRequest");
  expect(await codeOf({ PartNumber: 0 })).toBe("InvalidArgument");
  expect(await codeOf({ UploadId: "unknown" })).toBe("NoSuchUpload");
  expect(await codeOf({ Key: "another" })).toBe("NoSuchUpload");
});

test("composite checksums are made of the parts', each of which must be named", async () => {
  const s3 = await double(SMALL);
  const client = clientOf(s3);
  const id = await begun(client, { ChecksumType: undefined });
  const bare = await sent(client, id);
  const complete = (Parts: typeof bare): Promise<{ ChecksumCRC32?: string | undefined }> =>
    client.send(new CompleteMultipartUploadCommand({ ...AT, ...id, MultipartUpload: { Parts } }));
  expect((await refusal(complete(bare))).message).toContain("It was missing for part 1");
  const sums = PIECES.map((piece) => crc(piece));
  const done = await complete(bare.map((part, at) => ({ ...part, ChecksumCRC32: sums[at] })));
  const all = Buffer.concat(sums.map((sum) => Buffer.from(sum, "base64")));
  expect(done.ChecksumCRC32).toBe(`${crc(all)}-3`);
});

test("an aborted upload is gone with its parts", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const id = await begun(client);
  await sent(client, id);
  await client.send(new AbortMultipartUploadCommand({ ...AT, ...id }));
  expect((await refusal(client.send(new ListPartsCommand({ ...AT, ...id })))).name).toBe("NoSuchUpload");
  expect((await refusal(client.send(new AbortMultipartUploadCommand({ ...AT, ...id })))).name).toBe("NoSuchUpload");
  expect(s3.uploads("b")).toEqual([]);
});

test.each(["CRC32", "CRC32C"] as const)("property: the %s of two pieces together is that of the whole", (algorithm) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
      const together = combine(algorithm, digestOf(algorithm, a), digestOf(algorithm, b), b.length);
      expect(together).toBe(digestOf(algorithm, Buffer.concat([a, b])));
    }),
  );
  // The check value of CRC-32C's catalogue entry.
  expect(digestOf("CRC32C", Buffer.from("123456789"))).toBe(Buffer.from("e3069283", "hex").toString("base64"));
});

test("parts can be hashed and dropped, and the whole is proven all the same", async () => {
  const s3 = await double({ ...SMALL, discard: true });
  const client = clientOf(s3);
  const id = await begun(client);
  const Parts = await sent(client, id);
  const complete = (ChecksumCRC32: string): Promise<unknown> =>
    client.send(new CompleteMultipartUploadCommand({ ...AT, ...id, MultipartUpload: { Parts }, ChecksumCRC32 }));
  expect((await refusal(complete("AAAAAA=="))).name).toBe("BadDigest");
  await complete(crc(WHOLE));
  expect(s3.object("b", "big")).toMatchObject({ size: WHOLE.length, bytes: null });
});
