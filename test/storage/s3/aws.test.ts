/** What only AWS is asked for, and what no test server has: the commands themselves, before they become requests. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
  DeleteObjectsCommand,
} from "@aws-sdk/client-s3";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { mockClient } from "aws-sdk-client-mock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crc32 } from "node:zlib";
import { openS3 } from "../../../src/storage/s3/driver.ts";
import type { Body, StorageDriver } from "../../../src/storage/driver.ts";
import type { Resume } from "../../../src/storage/resume.ts";
import type { PartBody } from "../../../src/storage/s3/client/part-body.ts";
import type { S3Settings } from "../../../src/storage/s3-settings.ts";
import { DEFAULT_S3_SETTINGS } from "../../../src/storage/s3-settings.ts";
import { bytesOf, calm, collect, keysOf, putOptions, putText, sha256, text } from "../../conformance/bodies.ts";
import { KEY, MiB, fileOf, versionsOf } from "./support.ts";

const s3 = mockClient(S3Client);
let driver: StorageDriver;

const SETTINGS: S3Settings = {
  ...DEFAULT_S3_SETTINGS,
  region: "eu-central-1",
  credentials: { kind: "keys", accessKeyId: "AKIA", secretAccessKey: "s", sessionToken: null, expiresAt: null },
};

beforeEach(async () => {
  s3.reset();
  driver = await openS3("acme", { s3: () => SETTINGS });
});

afterEach(async () => {
  await driver.close();
});

function commands(): string[] {
  return s3.calls().map(({ args }) => args[0].constructor.name);
}

async function readAll({ length, read }: PartBody): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < length; at += pieces.at(-1)?.length ?? length) pieces.push(Buffer.from(await read(at, MiB)));
  return Buffer.concat(pieces);
}

function crcHeader(bytes: Uint8Array): string {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(crc32(bytes));
  return header.toString("base64");
}

test("a small file brings its SHA-256 as checksum too", async () => {
  s3.on(PutObjectCommand).resolves({ ETag: "e" });
  await putText(driver, KEY, "hello", { storageClass: "STANDARD_IA", tags: { "a b": "c&d" } });
  expect(commands()).toEqual(["PutObjectCommand"]);
  expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
    Bucket: "acme",
    Key: KEY,
    ContentLength: 5,
    IfNoneMatch: "*",
    StorageClass: "STANDARD_IA",
    Tagging: "a%20b=c%26d",
    ChecksumSHA256: Buffer.from(sha256(text("hello")), "hex").toString("base64"),
  });
});

test("parts bring their CRC32, the whole its CRC32 and size: S3 proves that what arrived is what was hashed", async () => {
  const bytes = bytesOf(20 * MiB + 7);
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: "u" });
  s3.on(UploadPartCommand).callsFake(({ PartNumber }: { PartNumber: number }) =>
    Promise.resolve({ ETag: `"${PartNumber}"` }),
  );
  s3.on(CompleteMultipartUploadCommand).resolves({});
  await driver.put(KEY, fileOf(bytes), putOptions());
  expect(s3.commandCalls(CreateMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
    ChecksumAlgorithm: "CRC32",
    ChecksumType: "FULL_OBJECT",
    Metadata: { sha256: sha256(bytes) },
  });
  const parts = s3.commandCalls(UploadPartCommand).map(({ args }) => args[0].input);
  const cut = [0, 1, 2].map((n) => bytes.subarray(n * 8 * MiB, (n + 1) * 8 * MiB));
  const byNumber = parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
  expect(byNumber.map(({ ChecksumCRC32 }) => ChecksumCRC32)).toEqual(cut.map(crcHeader));
  expect(s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
    ChecksumCRC32: crcHeader(bytes),
    ChecksumType: "FULL_OBJECT",
    MpuObjectSize: bytes.length,
    IfNoneMatch: "*",
    MultipartUpload: { Parts: [{ PartNumber: 1 }, { PartNumber: 2 }, { PartNumber: 3 }] },
  });
  // No look before: AWS compares at the end.
  expect(s3.commandCalls(HeadObjectCommand)).toHaveLength(0);
});

test("a source that changed between the passes is told by S3, which compares each part, and is `changed`", async () => {
  const bytes = bytesOf(17 * MiB);
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: "u" });
  s3.on(UploadPartCommand).callsFake(async ({ Body, ChecksumCRC32 }: { Body: PartBody; ChecksumCRC32: string }) => {
    if (crcHeader(await readAll(Body)) === ChecksumCRC32) return { ETag: "e" };
    const $metadata = { httpStatusCode: 400, attempts: 2 };
    throw Object.assign(new Error("no match"), { name: "BadDigest", $metadata });
  });
  const file = fileOf(bytes);
  const changing = {
    ...file,
    readAt: async (buffer: Uint8Array, position: number, length: number) => {
      const count = (await file.readAt?.(buffer, position, length)) ?? 0;
      if (position > 0) buffer[0] = (buffer[0] ?? 0) ^ 1;
      return count;
    },
  };
  await expect(driver.put(KEY, changing, putOptions())).rejects.toMatchObject({ code: "changed" });
  expect(s3.commandCalls(CompleteMultipartUploadCommand)).toHaveLength(0);
});

describe("an upload that was interrupted", () => {
  const bytes = bytesOf(17 * MiB);
  const cut = [bytes.subarray(0, 8 * MiB), bytes.subarray(8 * MiB, 16 * MiB), bytes.subarray(16 * MiB)];
  const now = new Date("2026-11-24T12:00:00Z");
  const resume: Resume = { identity: "x", anew: false };
  let folder: string;

  /** Another process, at this time. */
  async function run(time = now): Promise<StorageDriver> {
    const owner = { host: "here", boot: "first", pid: 7 };
    const ledger = { folder, owner, isAlive: () => false };
    return await openS3("acme", { s3: () => ({ ...SETTINGS, ledger }), now: () => time });
  }

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "taskflow-aws-"));
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: "u", AbortDate: new Date("2026-12-01T00:00:00Z") });
    s3.on(UploadPartCommand).rejects(Object.assign(new Error("denied"), { $metadata: { httpStatusCode: 403 } }));
    const options = putOptions({ resume });
    await expect((await run()).put(KEY, fileOf(bytes), options)).rejects.toMatchObject({ code: "access_denied" });
    s3.resetHistory();
    s3.on(UploadPartCommand).resolves({ ETag: "e" });
    s3.on(CompleteMultipartUploadCommand).resolves({});
    s3.on(ListPartsCommand).resolves({
      Bucket: "acme",
      IsTruncated: false,
      Parts: cut.map((part, n) => ({
        PartNumber: n + 1,
        Size: part.length,
        ETag: "opaque",
        ChecksumCRC32: n === 1 ? "AAAAAA==" : crcHeader(part),
      })),
    });
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test("goes on by the parts' CRC32: only the one that differs is read again, and sent", async () => {
    const positions: number[] = [];
    const file = fileOf(bytes);
    const body: Body = {
      ...file,
      async readAt(buffer, position, length) {
        positions.push(position);
        return (await file.readAt?.(buffer, position, length)) ?? 0;
      },
    };
    s3.on(UploadPartCommand).callsFake(async ({ Body }: { Body: PartBody }) => {
      expect(crcHeader(await readAll(Body))).toBe(crcHeader(cut[1] ?? Buffer.alloc(0)));
      return { ETag: "e" };
    });
    await (await run()).put(`${KEY}2`, body, putOptions({ resume }));
    expect(positions).toEqual(Array.from({ length: 8 }, (_, n) => (8 + n) * MiB));
    expect(commands()).toEqual(["ListPartsCommand", "UploadPartCommand", "CompleteMultipartUploadCommand"]);
    const { Key, ChecksumCRC32, MultipartUpload } =
      s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input ?? {};
    expect({ Key, ChecksumCRC32 }).toEqual({ Key: KEY, ChecksumCRC32: crcHeader(bytes) });
    expect(MultipartUpload?.Parts?.map(({ ETag }) => ETag)).toEqual(["opaque", "e", "opaque"]);
  });

  test("begins anew once the bucket's rule may have taken its parts", async () => {
    const later = new Date("2026-12-01T00:00:00Z");
    await (await run(later)).put(`${KEY}2`, fileOf(bytes), putOptions({ resume }));
    expect(commands()).toContain("CreateMultipartUploadCommand");
    expect(s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input.Key).toBe(`${KEY}2`);
  });
});

test("a version above 5 GiB is brought back in parts, with all that goes with it", async () => {
  const size = 6 * 1024 ** 3 + 1;
  const modified = new Date("2026-11-01T00:00:00Z");
  s3.on(ListObjectVersionsCommand).resolves({
    Name: "acme",
    IsTruncated: false,
    EncodingType: "url",
    Versions: [
      {
        Key: KEY,
        VersionId: "v1",
        IsLatest: false,
        LastModified: modified,
        Size: size,
        StorageClass: "STANDARD_IA" as "STANDARD",
      },
    ],
    DeleteMarkers: [{ Key: KEY, VersionId: "m1", IsLatest: true, LastModified: modified }],
  });
  s3.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: KEY, VersionId: "m1", Code: "AccessDenied" }] });
  s3.on(HeadObjectCommand).resolves({
    ContentLength: size,
    ETag: "e",
    ContentType: "text/x",
    Metadata: { v: "1" },
    ContentEncoding: "gzip",
  });
  s3.on(GetObjectTaggingCommand).resolves({ TagSet: [{ Key: "a b", Value: "c&d" }] });
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: "u" });
  s3.on(UploadPartCopyCommand).resolves({ CopyPartResult: { ETag: "e" } });
  s3.on(CompleteMultipartUploadCommand).resolves({});
  expect(await collect(versionsOf(driver).undelete([KEY], { signal: calm }))).toEqual([{ key: KEY }]);
  expect(s3.commandCalls(CreateMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
    ContentType: "text/x",
    ContentEncoding: "gzip",
    Metadata: { v: "1" },
    StorageClass: "STANDARD_IA",
    Tagging: "a%20b=c%26d",
  });
  const ranges = s3.commandCalls(UploadPartCopyCommand).map(({ args }) => args[0].input.CopySourceRange);
  expect(ranges).toHaveLength(13);
  expect(ranges.at(-1)).toBe(`bytes=${12 * 512 * MiB}-${size - 1}`);
  expect(s3.commandCalls(CopyObjectCommand)).toHaveLength(0);
});

test("no region anywhere: the bucket is asked for it once", async () => {
  const own = await openS3("acme", { s3: () => ({ ...SETTINGS, region: null }) });
  s3.on(HeadBucketCommand).rejects(
    Object.assign(new Error("UnknownError"), {
      name: "Unknown",
      $metadata: { httpStatusCode: 403 },
      $response: { headers: { "x-amz-bucket-region": "ap-south-1" } },
    }),
  );
  s3.on(ListObjectsV2Command).resolves({ Name: "acme", IsTruncated: false });
  expect(await keysOf(own.list("", { signal: calm }))).toEqual([]);
  expect(await keysOf(own.list("", { signal: calm }))).toEqual([]);
  expect(s3.commandCalls(HeadBucketCommand)).toHaveLength(1);
  await own.close();
});

test("links lead to the bucket's own name, in its region; only uploads are preceded by a look for the bucket", async () => {
  s3.on(HeadBucketCommand).resolves({});
  const { presigner } = driver;
  if (presigner?.post === undefined) throw new Error("no forms");
  const options = { expiresSeconds: 60, name: "a", type: null, size: null, maxSize: null, sha256: null, signal: calm };
  const disposition = { kind: "attachment", name: "a", header: "attachment" } as const;
  const get = await presigner.get(KEY, { expiresSeconds: 60, disposition, signal: calm });
  expect(commands()).toEqual([]);
  const put = await presigner.put(KEY, options);
  const post = await presigner.post(KEY, options);
  expect(commands()).toContain("HeadBucketCommand");
  const base = "https://acme.s3.eu-central-1.amazonaws.com/";
  for (const { url } of [get, put]) {
    expect(url).toMatch(new RegExp(`^${base}${KEY}\\?`));
    expect(new URL(url).searchParams.get("X-Amz-Credential")).toMatch(/^AKIA\/\d{8}\/eu-central-1\/s3\/aws4_request$/);
  }
  expect(post.url).toBe(base);
  expect(post.fields).toMatchObject({ key: KEY, bucket: "acme" });
  expect(put.url, "no checksum of an empty body").not.toMatch(/crc32|checksum/i);
});

test("a profile that doesn't exist is no_credentials, not whatever else the machine has", async () => {
  s3.restore();
  const own = await openS3("acme", {
    s3: () => ({ ...SETTINGS, credentials: { kind: "profile", profile: "no-such-one" } }),
  });
  await expect(own.head(KEY, { signal: calm })).rejects.toMatchObject({ code: "no_credentials" });
  await own.close();
});
