/** Links, temporary credentials, clocks and regions, as the SDK meets them. */
import { GetObjectCommand, HeadBucketCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect, test } from "vitest";
import type { S3Double } from "./s3-double/server.ts";
import { clientOf, double, refusal } from "./support.ts";

const USER = { accessKeyId: "AKIALASTING000000001", secretAccessKey: "secret" };
const AT = { Bucket: "b", Key: "tasks/T-1/a b.txt" };

test("a presigned link works until its end, and gives what its overrides say", async () => {
  const s3 = await double();
  s3.plant("b", AT.Key, "bytes");
  const command = new GetObjectCommand({
    ...AT,
    ResponseContentDisposition: "attachment; filename*=UTF-8''%C3%A9.txt",
  });
  const url = await getSignedUrl(clientOf(s3), command, { expiresIn: 60 });
  const reply = await fetch(url);
  expect([reply.status, reply.headers.get("content-disposition"), await reply.text()]).toEqual([
    200,
    "attachment; filename*=UTF-8''%C3%A9.txt",
    "bytes",
  ]);
  expect((await fetch(url, { method: "HEAD" })).status).toBe(403);
  s3.shiftClock(61_000);
  const late = await fetch(url);
  expect([late.status, await late.text()]).toEqual([403, expect.stringContaining("Request has expired")]);
  s3.shiftClock(-61_000 - 16 * 60_000);
  expect(await (await fetch(url)).text()).toContain("not yet valid");
});

test("a presigned put binds what it signs; a checksum in it is of the body that comes", async () => {
  const s3 = await double();
  const command = new PutObjectCommand({ ...AT, ContentType: "text/plain", IfNoneMatch: "*" });
  const url = await getSignedUrl(clientOf(s3), command, { expiresIn: 60, signableHeaders: new Set(["content-type"]) });
  const put = (headers: Record<string, string>): Promise<Response> =>
    fetch(url, { method: "PUT", body: "bytes", headers });
  expect((await put({ "content-type": "text/html", "if-none-match": "*" })).status).toBe(403);
  expect((await put({ "content-type": "text/plain", "if-none-match": "*", "x-amz-meta-more": "1" })).status).toBe(403);
  expect((await put({ "content-type": "text/plain", "if-none-match": "*" })).status).toBe(200);
  expect(s3.object("b", AT.Key)).toMatchObject({ contentType: "text/plain", size: 5 });
  // What the SDK presigns by default: the CRC32 of no bytes.
  const empty = await getSignedUrl(
    clientOf(s3, { requestChecksumCalculation: "WHEN_SUPPORTED" }),
    new PutObjectCommand({ ...AT, Key: "k" }),
  );
  expect(await (await fetch(empty, { method: "PUT", body: "bytes" })).text()).toContain("BadDigest");
});

async function codeAt(s3: S3Double, more: Parameters<typeof clientOf>[1]): Promise<string> {
  return (await refusal(clientOf(s3, more).send(new ListObjectsV2Command({ Bucket: "b" })))).name;
}

test("temporary credentials need their token, until they end", async () => {
  const now = Date.now();
  const user = {
    accessKeyId: "ASIATEMPORARY0000001",
    secretAccessKey: "s",
    sessionToken: "token/+=",
    expiresAt: new Date(now + 600_000),
  };
  const s3 = await double({ users: [user, USER] });
  await clientOf(s3).send(new ListObjectsV2Command({ Bucket: "b" }));
  s3.plant("b", "k", "1");
  const url = await getSignedUrl(clientOf(s3), new GetObjectCommand({ Bucket: "b", Key: "k" }));
  expect((await fetch(url)).status).toBe(200);
  expect(await codeAt(s3, { credentials: { ...s3.credentials, sessionToken: "another" } })).toBe("InvalidToken");
  expect(await codeAt(s3, { credentials: { accessKeyId: user.accessKeyId, secretAccessKey: "s" } })).toBe(
    "InvalidAccessKeyId",
  );
  expect(await codeAt(s3, { credentials: { ...USER, sessionToken: "x" } })).toBe("InvalidToken");
  s3.shiftClock(600_001);
  expect(await codeAt(s3, {})).toBe("ExpiredToken");
  expect(await (await fetch(url)).text()).toContain("ExpiredToken");
});

test("a clock 15 minutes off is RequestTimeTooSkewed, and the reply's Date lets the SDK correct itself", async () => {
  const s3 = await double();
  s3.shiftClock(16 * 60_000);
  expect(await codeAt(s3, {})).toBe("RequestTimeTooSkewed");
  await clientOf(s3, { maxAttempts: 2 }).send(new ListObjectsV2Command({ Bucket: "b" }));
});

test("a wrong region is told with the right one, to HEAD in a header", async () => {
  const s3 = await double({ region: "eu-west-1", buckets: { b: {}, far: { region: "us-west-2" } } });
  expect(await codeAt(s3, { region: "us-east-1" })).toBe("AuthorizationHeaderMalformed");
  const head = (Bucket: string, region: string): Promise<unknown> =>
    clientOf(s3, { region }).send(new HeadBucketCommand({ Bucket }));
  const wrong = await refusal(head("b", "us-east-1"));
  expect([wrong.$metadata.httpStatusCode, wrong.$response?.headers["x-amz-bucket-region"]]).toEqual([400, "eu-west-1"]);
  const moved = await refusal(head("far", "eu-west-1"));
  expect([moved.$metadata.httpStatusCode, moved.$response?.headers["x-amz-bucket-region"]]).toEqual([301, "us-west-2"]);
  await head("far", "us-west-2");
});
