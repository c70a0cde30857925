import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { clientOf, double, readAll, refusal } from "./support.ts";

const BODY = Buffer.from("the bytes of a report");
const AT = { Bucket: "b", Key: "tasks/T-1/a b+c%é#?.txt" };
const PUT: PutObjectCommandInput = { ...AT, Body: BODY };

function base64(algorithm: "md5" | "sha256", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("base64");
}

function crc(bytes: Uint8Array): string {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32(bytes));
  return four.toString("base64");
}

test("what was put is got, with everything that was said of it", async () => {
  const s3 = await double({ now: () => new Date("2026-11-23T20:14:05.678Z") });
  const client = clientOf(s3, { systemClockOffset: Date.parse("2026-11-23T20:14:05Z") - Date.now() });
  const put = await client.send(
    new PutObjectCommand({
      ...PUT,
      ContentType: "text/plain",
      ContentDisposition: "inline",
      StorageClass: "STANDARD_IA",
      Metadata: { Name: "a%20b", v: "1" },
      Tagging: "team=red&note=a%20b",
      ChecksumSHA256: base64("sha256", BODY),
    }),
  );
  expect(put).toMatchObject({
    ETag: `"${createHash("md5").update(BODY).digest("hex")}"`,
    ChecksumSHA256: base64("sha256", BODY),
  });
  const facts = {
    ContentLength: BODY.length,
    ContentType: "text/plain",
    ContentDisposition: "inline",
    StorageClass: "STANDARD_IA",
    Metadata: { name: "a%20b", v: "1" },
    VersionId: put.VersionId,
    ETag: put.ETag,
    LastModified: new Date("2026-11-23T20:14:05.000Z"),
  };
  const got = await client.send(new GetObjectCommand({ ...AT, ChecksumMode: "ENABLED" }));
  expect(got).toMatchObject({ ...facts, ChecksumSHA256: base64("sha256", BODY), ChecksumType: "FULL_OBJECT" });
  expect(await readAll(got.Body)).toEqual(BODY);
  expect(await client.send(new HeadObjectCommand(AT))).toMatchObject(facts);
  expect((await client.send(new HeadObjectCommand(AT))).ChecksumSHA256).toBeUndefined();
  const { TagSet } = await client.send(new GetObjectTaggingCommand(AT));
  expect(TagSet).toEqual([
    { Key: "team", Value: "red" },
    { Key: "note", Value: "a b" },
  ]);
  expect(s3.bytes("b", AT.Key)).toEqual(BODY);
});

test.each([
  ["bytes=0-2", "the", "bytes 0-2/21"],
  ["bytes=15-", "report", "bytes 15-20/21"],
  ["bytes=-6", "report", "bytes 15-20/21"],
  ["bytes=15-999", "report", "bytes 15-20/21"],
  ["bytes=5-2", "the bytes of a report", undefined],
])("of the range %s it sends %s", async (Range, text, contentRange) => {
  const client = clientOf(await double());
  await client.send(new PutObjectCommand(PUT));
  const got = await client.send(new GetObjectCommand({ ...AT, Range }));
  expect((await readAll(got.Body)).toString()).toBe(text);
  expect(got.ContentRange).toBe(contentRange);
});

test("a range past the end is InvalidRange", async () => {
  const client = clientOf(await double());
  await client.send(new PutObjectCommand(PUT));
  const { name, $metadata } = await refusal(client.send(new GetObjectCommand({ ...AT, Range: "bytes=21-" })));
  expect([name, $metadata.httpStatusCode]).toEqual(["InvalidRange", 416]);
});

const OTHER = Buffer.from("other bytes");

test.each<[string, string, Partial<PutObjectCommandInput>]>([
  ["another MD5", "BadDigest", { ContentMD5: base64("md5", OTHER) }],
  ["no MD5", "InvalidDigest", { ContentMD5: "abc" }],
  ["another SHA-256", "BadDigest", { ChecksumSHA256: base64("sha256", OTHER) }],
  ["another CRC32", "BadDigest", { ChecksumCRC32: crc(OTHER) }],
  ["another CRC32C", "BadDigest", { ChecksumCRC32C: "AAAAAA==" }],
  ["no CRC32", "InvalidRequest", { ChecksumCRC32: "AAAA" }],
  ["metadata over 2 KB", "MetadataTooLarge", { Metadata: { a: "x".repeat(1000), b: "y".repeat(1047) } }],
  ["a key over 1,024 bytes", "KeyTooLongError", { Key: `${"é".repeat(512)}x` }],
  ["eleven tags", "BadRequest", { Tagging: Array.from({ length: 11 }, (_, n) => `t${n}=1`).join("&") }],
  ["an unknown storage class", "InvalidStorageClass", { StorageClass: "COLD" as "STANDARD" }],
  ["an unknown bucket", "NoSuchBucket", { Bucket: "nobody" }],
  ["an ACL, which it doesn't do", "NotImplemented", { ACL: "private" }],
])("a put with %s is %s, and nothing is stored", async (_, code, more) => {
  const s3 = await double();
  expect((await refusal(clientOf(s3).send(new PutObjectCommand({ ...PUT, ...more })))).name).toBe(code);
  expect(s3.versions("b")).toEqual([]);
});

test("what is just within the limits is stored", async () => {
  const s3 = await double();
  const [Key, Metadata] = ["é".repeat(512), { a: "x".repeat(1000), b: "y".repeat(1046) }];
  await clientOf(s3).send(new PutObjectCommand({ ...PUT, Key, Metadata }));
  expect(s3.keys("b")).toEqual([Key]);
});

test("the SDK's default checksums are verified too; aws-chunked bodies are refused", async () => {
  const s3 = await double();
  const client = clientOf(s3, {
    requestChecksumCalculation: "WHEN_SUPPORTED",
    responseChecksumValidation: "WHEN_SUPPORTED",
  });
  expect((await client.send(new PutObjectCommand(PUT))).ChecksumCRC32).toBe(crc(BODY));
  expect(await readAll((await client.send(new GetObjectCommand(AT))).Body)).toEqual(BODY);
  s3.fault({ operation: "PutObject" }, { kind: "flip", at: 3, of: "request" });
  expect((await refusal(client.send(new PutObjectCommand(PUT)))).name).toBe("XAmzContentSHA256Mismatch");
  const chunked = new PutObjectCommand({ ...PUT, ContentEncoding: "aws-chunked" });
  expect((await refusal(client.send(chunked))).name).toBe("NotImplemented");
});

test("If-None-Match: * stores where nothing is live, a delete marker included", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const once = new PutObjectCommand({ ...PUT, IfNoneMatch: "*" });
  await client.send(once);
  const { name, $metadata } = await refusal(client.send(once));
  expect([name, $metadata.httpStatusCode]).toEqual(["PreconditionFailed", 412]);
  s3.delete("b", AT.Key);
  await client.send(once);
  expect(s3.versions("b").map(({ kind }) => kind)).toEqual(["object", "marker", "object"]);
});

test("If-Match reads this content only; If-None-Match reads another only", async () => {
  const client = clientOf(await double());
  const { ETag } = await client.send(new PutObjectCommand(PUT));
  await client.send(new GetObjectCommand({ ...AT, IfMatch: ETag }));
  expect((await refusal(client.send(new GetObjectCommand({ ...AT, IfMatch: '"other"' })))).name).toBe(
    "PreconditionFailed",
  );
  expect(
    (await refusal(client.send(new GetObjectCommand({ ...AT, IfNoneMatch: ETag })))).$metadata.httpStatusCode,
  ).toBe(304);
});

test("an archived object can be headed, not got nor copied", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", "cold", BODY, { storageClass: "DEEP_ARCHIVE" });
  const at = { Bucket: "b", Key: "cold" };
  expect(await client.send(new HeadObjectCommand(at))).toMatchObject({ StorageClass: "DEEP_ARCHIVE" });
  const refused = await refusal(client.send(new GetObjectCommand(at)));
  expect([refused.name, refused.$metadata.httpStatusCode]).toEqual(["InvalidObjectState", 403]);
  const copy = new CopyObjectCommand({ Bucket: "b", Key: "warm", CopySource: "b/cold" });
  expect((await refusal(client.send(copy))).name).toBe("InvalidObjectState");
});

test("DeleteObjects deletes each key, existing or not, and tells of it unless it is to be quiet", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const keys = ["a", "b & <c>", "d\u0001\r"];
  for (const key of keys) s3.plant("plain", key, key);
  const Objects = [...keys, "absent"].map((Key) => ({ Key }));
  const loud = await client.send(new DeleteObjectsCommand({ Bucket: "plain", Delete: { Objects } }));
  expect(loud.Deleted?.map(({ Key }) => Key).slice(0, 2)).toEqual(keys.slice(0, 2));
  expect(loud.Deleted).toHaveLength(4);
  expect(s3.keys("plain")).toEqual([]);
  const quiet = await client.send(new DeleteObjectsCommand({ Bucket: "plain", Delete: { Objects, Quiet: true } }));
  expect([quiet.Deleted, quiet.Errors]).toEqual([undefined, undefined]);
});

test("DeleteObjects takes 1,000 keys and no more, and needs a checksum", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const batch = (count: number): DeleteObjectsCommand =>
    new DeleteObjectsCommand({
      Bucket: "b",
      Delete: { Objects: Array.from({ length: count }, (_, n) => ({ Key: `k${n}` })) },
    });
  expect((await client.send(batch(1000))).Deleted).toHaveLength(1000);
  expect((await refusal(client.send(batch(1001)))).name).toBe("MalformedXML");
  const bare = batch(1);
  bare.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      for (const name of Object.keys(headers))
        if (name.includes("checksum") || name === "content-md5") delete headers[name];
      return next(args);
    },
    { step: "build", priority: "low" },
  );
  expect((await refusal(client.send(bare))).name).toBe("InvalidRequest");
});

test("tags can be replaced", async () => {
  const client = clientOf(await double());
  await client.send(new PutObjectCommand({ ...PUT, Tagging: "a=1" }));
  await client.send(new PutObjectTaggingCommand({ ...AT, Tagging: { TagSet: [{ Key: "b", Value: "<&>" }] } }));
  expect((await client.send(new GetObjectTaggingCommand(AT))).TagSet).toEqual([{ Key: "b", Value: "<&>" }]);
});

test("a missing key is NoSuchKey to GET, NotFound without a body to HEAD, and no error to DELETE", async () => {
  const client = clientOf(await double());
  expect((await refusal(client.send(new GetObjectCommand(AT)))).name).toBe("NoSuchKey");
  expect((await refusal(client.send(new HeadObjectCommand(AT)))).name).toBe("NotFound");
  await client.send(new DeleteObjectCommand({ ...AT, Bucket: "plain" }));
});

test("contents can be hashed and dropped", async () => {
  const s3 = await double({ discard: true });
  const client = clientOf(s3);
  await client.send(new PutObjectCommand({ ...PUT, ChecksumSHA256: base64("sha256", BODY) }));
  expect(await client.send(new HeadObjectCommand(AT))).toMatchObject({ ContentLength: BODY.length });
  expect((await refusal(client.send(new PutObjectCommand({ ...PUT, ChecksumCRC32: crc(OTHER) })))).name).toBe(
    "BadDigest",
  );
  expect((await refusal(client.send(new GetObjectCommand(AT)))).name).toBe("NotImplemented");
});
