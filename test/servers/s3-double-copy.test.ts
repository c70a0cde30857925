import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { digestOf } from "./s3-double/checksums.ts";
import { clientOf, double, refusal } from "./support.ts";

const AT = { Bucket: "b", Key: "big" };
const WHOLE = Buffer.from("first part;second part;end");

async function begun(client: S3Client): Promise<{ UploadId: string | undefined }> {
  const create = new CreateMultipartUploadCommand({ ...AT, ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
  return { UploadId: (await client.send(create)).UploadId };
}

test("a copy takes metadata and tags along, not the class; or what is given instead", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const given = {
    ContentType: "text/plain",
    Metadata: { v: "1" },
    Tagging: "a=1",
    StorageClass: "STANDARD_IA",
  } as const;
  await client.send(
    new PutObjectCommand({
      Bucket: "b",
      Key: "from é+",
      Body: WHOLE,
      ...given,
      ChecksumSHA256: digestOf("SHA256", WHOLE),
    }),
  );
  const old = s3.object("b", "from é+");
  s3.delete("b", "from é+");
  const CopySource = `b/${encodeURIComponent("from é+")}?versionId=${old?.versionId}`;
  const copied = await client.send(new CopyObjectCommand({ ...AT, CopySource }));
  expect(copied).toMatchObject({
    CopySourceVersionId: old?.versionId,
    CopyObjectResult: { ETag: `"${old?.etag}"`, ChecksumSHA256: old?.checksum?.value },
  });
  expect(s3.object("b", "big")).toMatchObject({
    contentType: "text/plain",
    metadata: { v: "1" },
    tags: { a: "1" },
    storageClass: "STANDARD",
    bytes: WHOLE,
  });
  await client.send(
    new CopyObjectCommand({
      ...AT,
      CopySource,
      MetadataDirective: "REPLACE",
      Metadata: { v: "2" },
      TaggingDirective: "REPLACE",
      Tagging: "b=2",
      StorageClass: "GLACIER_IR",
    }),
  );
  expect(s3.object("b", "big")).toMatchObject({
    contentType: "binary/octet-stream",
    metadata: { v: "2" },
    tags: { b: "2" },
    storageClass: "GLACIER_IR",
  });
  expect((await client.send(new GetObjectTaggingCommand(AT))).TagSet).toEqual([{ Key: "b", Value: "2" }]);
});

test("a copy is refused of what is gone, too large, itself unchanged, or where something is", async () => {
  const s3 = await double({ limits: { maxCopyBytes: 20 } });
  const client = clientOf(s3);
  s3.plant("b", "big", "x".repeat(21));
  s3.plant("b", "small", "x");
  s3.plant("b", "gone", "x");
  s3.delete("b", "gone");
  const marker = s3.versions("b", "gone")[0]?.versionId;
  const codeOf = async (CopySource: string, more: object = {}): Promise<string> =>
    (await refusal(client.send(new CopyObjectCommand({ Bucket: "b", Key: "to", CopySource, ...more })))).name;
  expect(await codeOf("b/big")).toBe("InvalidRequest");
  expect(await codeOf("b/gone")).toBe("NoSuchKey");
  expect(await codeOf(`b/gone?versionId=${marker}`)).toBe("InvalidRequest");
  expect(await codeOf("b/small", { Key: "small" })).toBe("InvalidRequest");
  expect(await codeOf("b/small", { Key: "big", IfNoneMatch: "*" })).toBe("PreconditionFailed");
  expect(await codeOf("nobody/x")).toBe("NoSuchBucket");
  expect(s3.object("b", "to")).toBeUndefined();
});

test("an object too large for one copy is copied part by part", async () => {
  const s3 = await double({ limits: { maxCopyBytes: 20, minPartBytes: 10 } });
  const client = clientOf(s3);
  const { versionId } = s3.plant("b", "from", WHOLE);
  const id = await begun(client);
  const Parts = [];
  for (const [PartNumber, range] of [
    [1, "0-19"],
    [2, "20-25"],
  ] as const) {
    const { CopyPartResult, CopySourceVersionId } = await client.send(
      new UploadPartCopyCommand({
        ...AT,
        ...id,
        PartNumber,
        CopySource: `b/from?versionId=${versionId}`,
        CopySourceRange: `bytes=${range}`,
      }),
    );
    expect(CopySourceVersionId).toBe(versionId);
    Parts.push({ PartNumber, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 });
  }
  await client.send(
    new CompleteMultipartUploadCommand({
      ...AT,
      ...id,
      MultipartUpload: { Parts },
      ChecksumCRC32: digestOf("CRC32", WHOLE),
    }),
  );
  expect(s3.bytes("b", "big")).toEqual(WHOLE);
  const outside = new UploadPartCopyCommand({
    ...AT,
    ...(await begun(client)),
    PartNumber: 1,
    CopySource: "b/from",
    CopySourceRange: "bytes=20-99",
  });
  expect((await refusal(client.send(outside))).name).toBe("InvalidArgument");
});
