/** Everything that S3 tells of an attachment. */
import { expect, test } from "vitest";
import { reply } from "../servers/s3-double/faults.ts";
import { BUCKET, createS3World } from "./s3-support.ts";
import { firstOf } from "./support.ts";

const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a.txt";
const AT = new Date("2026-11-20T10:00:00Z");
const TIME = AT.toISOString();

test("show tells versions and delete markers with their ids, and nothing of another key", async () => {
  const { s3, json, run } = await createS3World();
  s3.plant(BUCKET, KEY, "old", { modifiedAt: AT });
  s3.delete(BUCKET, KEY);
  s3.plant(BUCKET, KEY, "hello", { modifiedAt: AT, tags: { a: "b" } });
  s3.plant(BUCKET, `${KEY}x`, "another");
  const [newest, marker, oldest] = s3.versions(BUCKET, KEY);
  const { status, document } = await json(["attach", "show", KEY]);
  expect(status).toBe(0);
  expect(firstOf(document)).toMatchObject({
    tags: { a: "b" },
    archive: null,
    expires: null,
    encryption: null,
    checksum: null,
    versions: [
      { kind: "version", id: newest?.versionId, latest: true, size: 5, modifiedAt: TIME, storageClass: "STANDARD" },
      { kind: "delete-marker", id: marker?.versionId, latest: false, size: 0, storageClass: null },
      { kind: "version", id: oldest?.versionId, latest: false, size: 3, modifiedAt: TIME, storageClass: "STANDARD" },
    ],
  });
  const { stdout } = await run(["attach", "show", KEY]);
  expect(stdout).toContain(`latest\t${TIME} 5 bytes STANDARD ${newest?.versionId}\n`);
  expect(stdout).toMatch(new RegExp(`^version\\t\\S+ deleted ${marker?.versionId}$`, "m"));
  expect(stdout).not.toContain("another");
});

test("show tells encryption, the store's checksum, archive and expiry, as HEAD has them", async () => {
  const { s3, json, run } = await createS3World();
  s3.plant(BUCKET, KEY, "hello");
  const headers = {
    etag: '"e"',
    "content-length": "5",
    "last-modified": AT.toUTCString(),
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-central-1:1:key/k",
    "x-amz-checksum-crc32": "NhCmhg==",
    "x-amz-checksum-type": "FULL_OBJECT",
    "x-amz-storage-class": "GLACIER",
    "x-amz-restore": `ongoing-request="false", expiry-date="${AT.toUTCString()}"`,
    "x-amz-expiration": `expiry-date="${AT.toUTCString()}", rule-id="old%20ones"`,
  };
  s3.fault({ operation: "HeadObject" }, reply({ status: 200, headers }));
  expect(firstOf((await json(["attach", "show", KEY])).document)).toMatchObject({
    storageClass: "GLACIER",
    archive: { state: "thawed", until: TIME },
    expires: { date: TIME, rule: "old ones" },
    encryption: { algorithm: "aws:kms", key: "arn:aws:kms:eu-central-1:1:key/k" },
    checksum: { algorithm: "CRC32", value: "NhCmhg==", covers: "bytes" },
  });
  const { stdout } = await run(["attach", "show", KEY]);
  expect(stdout).toContain(
    `archive\tthawed until ${TIME}\nexpires\t${TIME} by rule old ones\n` +
      "encryption\taws:kms arn:aws:kms:eu-central-1:1:key/k\nchecksum\tCRC32 NhCmhg==\n",
  );
});

test("show asks for the checksum that the store keeps", async () => {
  const { s3, json } = await createS3World();
  s3.plant(BUCKET, KEY, "hello", { algorithm: "SHA256" });
  expect(firstOf((await json(["attach", "show", KEY])).document)).toMatchObject({
    sha256: null,
    checksum: { algorithm: "SHA256", value: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", covers: "bytes" },
  });
});

test("show tells what it may: without the key of the encryption no checksum, without the permission no versions", async () => {
  const keys = { accessKeyId: "AKIA", secretAccessKey: "s" };
  const { s3, json, run } = await createS3World({
    users: [{ ...keys, deny: [{ actions: ["s3:ListBucketVersions"] }] }],
  });
  s3.plant(BUCKET, KEY, "hello", { algorithm: "SHA256" });
  // The first HEAD is the one that finds it.
  s3.fault({ operation: "HeadObject", nth: 2 }, reply({ status: 403 }));
  const { status, document } = await json(["attach", "show", KEY]);
  expect(status).toBe(0);
  expect(firstOf(document)).toMatchObject({ size: 5, checksum: null, versions: null });
  expect((await run(["attach", "show", KEY])).stdout).toMatch(/^versions\tmay not be listed$/m);
});

test("show of a key with very many versions shows the newest, and says so", async () => {
  const { s3, json } = await createS3World();
  for (let n = 0; n < 1005; n += 1) s3.plant(BUCKET, KEY, String(n));
  const { document } = await json(["attach", "show", KEY]);
  expect(firstOf(document)["versions"]).toHaveLength(1000);
  expect(document["warnings"]).toEqual([`${KEY} has more than the 1000 versions that are shown`]);
  expect(s3.requests.filter(({ operation }) => operation === "ListObjectVersions").length).toBeLessThanOrEqual(2);
});
