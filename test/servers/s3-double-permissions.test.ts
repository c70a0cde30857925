import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  GetObjectTorrentCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import type { User } from "./s3-double/permissions.ts";
import { clientOf, double, refusal } from "./support.ts";

const KEYS = { accessKeyId: "AKIALIMITED000000001", secretAccessKey: "secret" };
const AT = { Bucket: "b", Key: "tasks/1/a" };

function limited(user: Partial<User>): Promise<Awaited<ReturnType<typeof double>>> {
  return double({ users: [{ ...KEYS, ...user }] });
}

test("who is allowed some actions is denied the others, with caller, action and resource", async () => {
  const s3 = await limited({ arn: "arn:aws:iam::1:user/ada", allow: [{ actions: ["s3:PutObject", "s3:ListBucket"] }] });
  const client = clientOf(s3);
  await client.send(new PutObjectCommand({ ...AT, Body: "1" }));
  const denied = await refusal(client.send(new GetObjectCommand(AT)));
  expect([denied.name, denied.message]).toEqual([
    "AccessDenied",
    'User: arn:aws:iam::1:user/ada is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/tasks/1/a" because no identity-based policy allows the s3:GetObject action',
  ]);
  const tagged = new PutObjectCommand({ ...AT, Body: "2", Tagging: "a=1" });
  expect((await refusal(client.send(tagged))).message).toContain("s3:PutObjectTagging");
  expect(s3.versions("b")).toHaveLength(1);
});

test("a denial by prefix wins over what is allowed, in batches key by key", async () => {
  const s3 = await limited({
    deny: [
      { actions: ["s3:Delete*"], prefix: "tasks/2/" },
      { actions: ["s3:ListBucket"], prefix: "tasks/2/" },
    ],
  });
  const client = clientOf(s3);
  for (const key of ["tasks/1/a", "tasks/2/a"]) s3.plant("b", key, "1");
  const Objects = [{ Key: "tasks/1/a" }, { Key: "tasks/2/a" }];
  const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket: "b", Delete: { Objects } }));
  expect([Deleted?.length, Errors?.[0]?.Key, Errors?.[0]?.Code]).toEqual([1, "tasks/2/a", "AccessDenied"]);
  expect((await refusal(client.send(new DeleteObjectCommand({ Bucket: "b", Key: "tasks/2/a" })))).message).toContain(
    "explicit deny",
  );
  await client.send(new ListObjectsV2Command({ Bucket: "b", Prefix: "tasks/1/" }));
  expect((await refusal(client.send(new ListObjectsV2Command({ Bucket: "b", Prefix: "tasks/2/" })))).name).toBe(
    "AccessDenied",
  );
});

test("who may not list is told 403 of a missing key, a HEAD without a body", async () => {
  const s3 = await limited({ allow: [{ actions: ["s3:GetObject"] }] });
  const client = clientOf(s3);
  expect((await refusal(client.send(new GetObjectCommand(AT)))).name).toBe("AccessDenied");
  expect((await refusal(client.send(new HeadObjectCommand(AT)))).$metadata.httpStatusCode).toBe(403);
  const bucket = await refusal(client.send(new HeadBucketCommand({ Bucket: "b" })));
  expect([bucket.$metadata.httpStatusCode, bucket.$response?.headers["x-amz-bucket-region"]]).toEqual([
    403,
    "us-east-1",
  ]);
});

test("deleting a version is an action of its own", async () => {
  const s3 = await limited({ deny: [{ actions: ["s3:DeleteObjectVersion"] }] });
  const client = clientOf(s3);
  const { versionId } = s3.plant("b", AT.Key, "1");
  await client.send(new DeleteObjectCommand(AT));
  expect((await refusal(client.send(new DeleteObjectCommand({ ...AT, VersionId: versionId })))).name).toBe(
    "AccessDenied",
  );
  const Objects = [{ Key: AT.Key, VersionId: versionId }];
  const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket: "b", Delete: { Objects } }));
  expect(Errors).toMatchObject([{ Key: AT.Key, VersionId: versionId, Code: "AccessDenied" }]);
  expect(s3.versions("b")).toHaveLength(2);
});

test("a missing bucket is NoSuchBucket, to HEAD NotFound", async () => {
  const client = clientOf(await double());
  expect((await refusal(client.send(new ListObjectsV2Command({ Bucket: "nobody" })))).name).toBe("NoSuchBucket");
  expect((await refusal(client.send(new HeadBucketCommand({ Bucket: "nobody" })))).name).toBe("NotFound");
});

test("a bucket tells where it is", async () => {
  const s3 = await double({ region: "eu-west-1" });
  const client = clientOf(s3);
  expect((await client.send(new GetBucketLocationCommand({ Bucket: "b" }))).LocationConstraint).toBe("eu-west-1");
  expect((await client.send(new HeadBucketCommand({ Bucket: "b" }))).BucketRegion).toBe("eu-west-1");
  const home = clientOf(await double());
  expect((await home.send(new GetBucketLocationCommand({ Bucket: "b" }))).LocationConstraint).toBeUndefined();
});

test("a lifecycle configuration is kept as it was put", async () => {
  const client = clientOf(await double());
  const read = new GetBucketLifecycleConfigurationCommand({ Bucket: "b" });
  expect((await refusal(client.send(read))).name).toBe("NoSuchLifecycleConfiguration");
  const Rules = [
    {
      ID: "old",
      Status: "Enabled" as const,
      Filter: { Prefix: "tasks/" },
      Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" as const }],
    },
  ];
  await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket: "b", LifecycleConfiguration: { Rules } }));
  expect((await client.send(read)).Rules).toEqual(Rules);
});

test("what the double doesn't do is 501, never a pretended success", async () => {
  const client = clientOf(await double());
  for (const command of [
    new ListBucketsCommand({}),
    new GetObjectTorrentCommand(AT),
    new GetObjectCommand({ ...AT, PartNumber: 1 }),
  ]) {
    expect((await refusal(client.send(command as GetObjectCommand))).name).toBe("NotImplemented");
  }
});
