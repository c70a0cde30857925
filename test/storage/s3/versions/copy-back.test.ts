/** A version above 5 GiB that is copied back in parts: what no double holds, the commands before they become requests. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { mockClient } from "aws-sdk-client-mock";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KeyResult, StorageDriver } from "../../../../src/storage/driver.ts";
import { DEFAULT_S3_SETTINGS } from "../../../../src/storage/s3-settings.ts";
import { openS3 } from "../../../../src/storage/s3/driver.ts";
import { calm, collect } from "../../../conformance/bodies.ts";
import { KEY, versionsOf } from "../support.ts";

const s3 = mockClient(S3Client);
const SIZE = 6 * 1024 ** 3;
const PARTS = 12;
let driver: StorageDriver;
let warnings: string[];

beforeEach(async () => {
  s3.reset();
  warnings = [];
  driver = await openS3("acme", {
    s3: () => ({
      ...DEFAULT_S3_SETTINGS,
      region: "eu-central-1",
      credentials: { kind: "keys", accessKeyId: "AKIA", secretAccessKey: "s", sessionToken: null, expiresAt: null },
    }),
    onWarning: (text) => warnings.push(text),
  });
  const modified = new Date("2026-11-01T00:00:00Z");
  const listed = { Key: KEY, LastModified: modified };
  s3.on(ListObjectVersionsCommand).resolves({
    Name: "acme",
    IsTruncated: false,
    EncodingType: "url",
    Versions: [{ ...listed, VersionId: "v1", IsLatest: false, Size: SIZE }],
    DeleteMarkers: [{ ...listed, VersionId: "m1", IsLatest: true }],
  });
  s3.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: KEY, VersionId: "m1", Code: "AccessDenied" }] });
  s3.on(HeadObjectCommand).resolves({ ContentLength: SIZE, ETag: "e" });
  s3.on(GetObjectTaggingCommand).resolves({ TagSet: [] });
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: "u" });
  s3.on(UploadPartCopyCommand).resolves({ CopyPartResult: { ETag: "e" } });
  s3.on(CompleteMultipartUploadCommand).resolves({});
  s3.on(AbortMultipartUploadCommand).resolves({});
  s3.on(ListPartsCommand).resolves({ Parts: [] });
});

afterEach(async () => {
  await driver.close();
});

function undelete(signal = calm): Promise<KeyResult[]> {
  return collect(versionsOf(driver).undelete([KEY], { signal }));
}

function failure(name: string, httpStatusCode: number, attempts = 1): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode, attempts } });
}

function commands(): string[] {
  return s3.calls().map(({ args }) => args[0].constructor.name);
}

test("a part that fails stops the others: the upload is aborted once none is on its way, and again until no part is left", async () => {
  const ended: string[] = [];
  let othersAreOut: (() => void) | null = null;
  const out = new Promise<void>((resolve) => (othersAreOut = resolve));
  s3.on(UploadPartCopyCommand).callsFake(async ({ PartNumber }: { PartNumber: number }) => {
    if (PartNumber === 8) othersAreOut?.();
    await out;
    if (PartNumber === 1) throw failure("AccessDenied", 403);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    ended.push(`part ${PartNumber}`);
    return { CopyPartResult: { ETag: "e" } };
  });
  s3.on(AbortMultipartUploadCommand).callsFake(() => Promise.resolve(ended.push("abort")));
  s3.on(ListPartsCommand)
    .resolvesOnce({ Parts: [{ PartNumber: 8 }] })
    .resolves({ Parts: [] });
  const [result] = await undelete();
  expect(result?.error?.code).toBe("access_denied");
  expect(ended.slice(0, 7).toSorted()).toEqual([2, 3, 4, 5, 6, 7, 8].map((number) => `part ${number}`));
  expect(ended.slice(7)).toEqual(["abort", "abort"]);
  expect(warnings).toEqual([]);
});

test("parts that may not be removed are told of", async () => {
  s3.on(CompleteMultipartUploadCommand).rejects(failure("AccessDenied", 403));
  s3.on(AbortMultipartUploadCommand).rejects(failure("InternalError", 500));
  const [result] = await undelete();
  expect(result?.error?.code).toBe("access_denied");
  expect(warnings).toEqual([expect.stringContaining(`parts of ${KEY} may be left`)]);
});

test("tags that may not be read are lost, which is said", async () => {
  s3.on(GetObjectTaggingCommand).rejects(failure("AccessDenied", 403));
  expect(await undelete()).toEqual([{ key: KEY }]);
  expect(warnings).toEqual([expect.stringContaining(`${KEY} comes back without tags`)]);
});

test("a store that knows no tags has none to lose", async () => {
  s3.on(GetObjectTaggingCommand).rejects(failure("NotImplemented", 501));
  expect(await undelete()).toEqual([{ key: KEY }]);
  expect(warnings).toEqual([]);
});

test("all parts are copied once, and in order at the end", async () => {
  expect(await undelete()).toEqual([{ key: KEY }]);
  const numbers = s3.commandCalls(UploadPartCopyCommand).map(({ args }) => args[0].input.PartNumber);
  expect(numbers).toEqual(Array.from({ length: PARTS }, (_, at) => at + 1));
  const { MultipartUpload } = s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input ?? {};
  expect(MultipartUpload?.Parts?.map(({ PartNumber }) => PartNumber)).toEqual(numbers);
  expect(commands()).not.toContain("AbortMultipartUploadCommand");
});

test.each([
  ["its upload gone", failure("NoSuchUpload", 404, 2)],
  ["the object there", failure("PreconditionFailed", 412, 2)],
])("a completion whose reply was lost finds %s: it is ours", async (_, error) => {
  s3.on(CompleteMultipartUploadCommand).rejects(error);
  expect(await undelete()).toEqual([{ key: KEY }]);
  expect(commands()).not.toContain("AbortMultipartUploadCommand");
});

test("a completion that finds another object there is refused, and its parts are removed", async () => {
  s3.on(HeadObjectCommand, { VersionId: undefined }).resolves({ ContentLength: 5, ETag: "e" });
  s3.on(HeadObjectCommand, { VersionId: "v1" }).resolves({ ContentLength: SIZE, ETag: "e" });
  s3.on(CompleteMultipartUploadCommand).rejects(failure("PreconditionFailed", 412, 2));
  const [result] = await undelete();
  expect(result?.error?.code).toBe("exists");
  expect(commands().at(-2)).toBe("AbortMultipartUploadCommand");
});
