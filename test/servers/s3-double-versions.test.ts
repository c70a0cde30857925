import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { ListObjectVersionsCommandOutput } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { sameToken, truncatedWithoutToken } from "./s3-double/faults.ts";
import { clientOf, double, readAll, refusal } from "./support.ts";

const AT = { Bucket: "b", Key: "k" };

test("a bucket that keeps versions keeps each, and a delete sets a marker", async () => {
  const client = clientOf(await double());
  const first = await client.send(new PutObjectCommand({ ...AT, Body: "1" }));
  const second = await client.send(new PutObjectCommand({ ...AT, Body: "2" }));
  const gone = await client.send(new DeleteObjectCommand(AT));
  expect(gone).toMatchObject({ DeleteMarker: true, VersionId: expect.stringMatching(/^[\w-]{32}$/) as string });
  const old = await client.send(new GetObjectCommand({ ...AT, VersionId: first.VersionId }));
  expect((await readAll(old.Body)).toString()).toBe("1");
  const { Versions, DeleteMarkers } = await client.send(new ListObjectVersionsCommand({ Bucket: "b" }));
  expect(DeleteMarkers).toMatchObject([{ Key: "k", VersionId: gone.VersionId, IsLatest: true }]);
  expect(Versions).toMatchObject([
    { VersionId: second.VersionId, IsLatest: false, Size: 1 },
    { VersionId: first.VersionId, IsLatest: false },
  ]);
  expect((await client.send(new ListObjectsV2Command({ Bucket: "b" }))).KeyCount).toBe(0);
});

test("a deleted key is 404 with x-amz-delete-marker; the marker itself can't be read", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", "k", "1");
  s3.delete("b", "k");
  const [marker] = s3.versions("b", "k");
  for (const command of [new GetObjectCommand(AT), new HeadObjectCommand(AT)]) {
    const { $response, $metadata } = await refusal(client.send(command));
    expect($metadata.httpStatusCode).toBe(404);
    expect($response?.headers).toMatchObject({ "x-amz-delete-marker": "true", "x-amz-version-id": marker?.versionId });
  }
  const itself = await refusal(client.send(new HeadObjectCommand({ ...AT, VersionId: marker?.versionId })));
  expect(itself.$metadata.httpStatusCode).toBe(405);
  expect(itself.$response?.headers["x-amz-delete-marker"]).toBe("true");
});

test("deleting the marker brings the object back; deleting a version destroys it", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const { versionId } = s3.plant("b", "k", "1");
  s3.delete("b", "k");
  const marker = s3.versions("b", "k")[0]?.versionId;
  const removed = await client.send(new DeleteObjectCommand({ ...AT, VersionId: marker }));
  expect(removed).toMatchObject({ DeleteMarker: true, VersionId: marker });
  expect(s3.bytes("b", "k")?.toString()).toBe("1");
  const destroyed = await client.send(new DeleteObjectCommand({ ...AT, VersionId: versionId }));
  expect([destroyed.DeleteMarker, destroyed.VersionId]).toEqual([undefined, versionId]);
  expect(s3.versions("b")).toEqual([]);
  await client.send(new DeleteObjectCommand({ ...AT, VersionId: versionId }));
});

test("an unknown version is NoSuchVersion, what was never an id is InvalidArgument", async () => {
  const client = clientOf(await double());
  const get = (VersionId: string): Promise<unknown> => client.send(new GetObjectCommand({ ...AT, VersionId }));
  expect((await refusal(get("x".repeat(32)))).name).toBe("NoSuchVersion");
  expect((await refusal(get("x"))).name).toBe("InvalidArgument");
});

test("DeleteObjects tells of markers set and markers destroyed", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", "a", "1");
  s3.plant("b", "z", "1");
  s3.delete("b", "z");
  const marker = s3.versions("b", "z")[0]?.versionId;
  const Objects = [{ Key: "a" }, { Key: "z", VersionId: marker }];
  const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket: "b", Delete: { Objects } }));
  expect(Deleted).toEqual([
    { Key: "a", DeleteMarker: true, DeleteMarkerVersionId: s3.versions("b", "a")[0]?.versionId },
    { Key: "z", VersionId: marker, DeleteMarker: true, DeleteMarkerVersionId: marker },
  ]);
  expect(s3.keys("b")).toEqual(["z"]);
});

test("where versions were never kept there are no ids, and a delete is for good", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const at = { Bucket: "plain", Key: "k" };
  expect((await client.send(new PutObjectCommand({ ...at, Body: "1" }))).VersionId).toBeUndefined();
  await client.send(new PutObjectCommand({ ...at, Body: "2" }));
  expect((await client.send(new HeadObjectCommand(at))).VersionId).toBeUndefined();
  expect((await client.send(new ListObjectVersionsCommand({ Bucket: "plain" }))).Versions).toMatchObject([
    { VersionId: "null", IsLatest: true },
  ]);
  const gone = await client.send(new DeleteObjectCommand(at));
  expect([gone.DeleteMarker, gone.VersionId]).toEqual([undefined, undefined]);
  expect(s3.versions("plain")).toEqual([]);
});

test("a suspended bucket has one version null, which its marker replaces; older versions stay", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const old = s3.plant("b", "k", "old");
  await client.send(new PutBucketVersioningCommand({ Bucket: "b", VersioningConfiguration: { Status: "Suspended" } }));
  expect((await client.send(new GetBucketVersioningCommand({ Bucket: "b" }))).Status).toBe("Suspended");
  const put = await client.send(new PutObjectCommand({ ...AT, Body: "1" }));
  expect(put.VersionId).toBe("null");
  await client.send(new PutObjectCommand({ ...AT, Body: "2" }));
  expect(s3.versions("b").map(({ versionId }) => versionId)).toEqual(["null", old.versionId]);
  expect(await client.send(new DeleteObjectCommand(AT))).toMatchObject({ DeleteMarker: true, VersionId: "null" });
  expect(s3.versions("b").map(({ kind, versionId }) => [kind, versionId])).toEqual([
    ["marker", "null"],
    ["object", old.versionId],
  ]);
  expect((await client.send(new GetBucketVersioningCommand({ Bucket: "plain" }))).Status).toBeUndefined();
});

test("versions come key by key, newest first, whatever the pages", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  const written: string[] = [];
  for (const key of ["p/a", "p/b", "p/b/c", "p/é", "q"]) {
    const ids = [1, 2, 3].map((n) => s3.plant("b", key, String(n)).versionId);
    if (key !== "q") written.push(...ids.reverse().map((id) => `${key} ${id}`));
  }
  for (const MaxKeys of [1, 2, 3, 5, 1000]) {
    const seen: string[] = [];
    let page: Partial<ListObjectVersionsCommandOutput> = {};
    do {
      page = await client.send(
        new ListObjectVersionsCommand({
          Bucket: "b",
          Prefix: "p/",
          MaxKeys,
          KeyMarker: page.NextKeyMarker,
          VersionIdMarker: page.NextVersionIdMarker,
        }),
      );
      seen.push(...(page.Versions ?? []).map(({ Key, VersionId }) => `${Key} ${VersionId}`));
    } while (page.IsTruncated === true);
    expect(seen).toEqual(written);
  }
});

test("a broken listing repeats its marker, or has none", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", "k", "1");
  const list = new ListObjectVersionsCommand({ Bucket: "b" });
  const same = s3.fault({ operation: "ListObjectVersions" }, sameToken());
  expect(await client.send(list)).toMatchObject({ IsTruncated: true, NextKeyMarker: "", NextVersionIdMarker: "" });
  same.remove();
  s3.fault({ operation: "ListObjectVersions" }, truncatedWithoutToken());
  const none = await client.send(list);
  expect([none.IsTruncated, none.NextKeyMarker]).toEqual([true, undefined]);
});
