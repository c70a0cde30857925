/** Form uploads: AWS's own signature, then everything that a policy must not let through. */
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import type { PresignedPost, PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import { expect, test } from "vitest";
import { rawHttp, requestBytes } from "./raw-http.ts";
import type { S3Double } from "./s3-double/server.ts";
import { signatureOfText } from "./s3-double/sigv4.ts";
import { clientOf, double } from "./support.ts";

/** As printed in "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)" of the API reference. */
const POLICY = [
  '{ "expiration": "2015-12-30T12:00:00.000Z",',
  '  "conditions": [',
  '    {"bucket": "sigv4examplebucket"},',
  '    ["starts-with", "$key", "user/user1/"],',
  '    {"acl": "public-read"},',
  '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
  '    ["starts-with", "$Content-Type", "image/"],',
  '    {"x-amz-meta-uuid": "14365123651274"},',
  '    {"x-amz-server-side-encryption": "AES256"},',
  '    ["starts-with", "$x-amz-meta-tag", ""],',
  "",
  '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
  '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
  '    {"x-amz-date": "20151229T000000Z" }',
  "  ]",
  "}",
].join("\r\n");

test("a policy is signed as AWS signs its example", () => {
  const scope = { day: "20151229", region: "us-east-1", service: "s3" };
  const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  expect(signatureOfText(Buffer.from(POLICY).toString("base64"), secret, scope)).toBe(
    "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
  );
});

/** A form for `k` of up to ten bytes. */
async function formOn(s3: S3Double, options: Partial<PresignedPostOptions> = {}): Promise<PresignedPost> {
  return await createPresignedPost(clientOf(s3), {
    Bucket: "b",
    Key: "k",
    Expires: 60,
    Conditions: [["content-length-range", 1, 10]],
    ...options,
  });
}

type Fields = Readonly<Record<string, string | undefined>>;

async function send(
  { url, fields }: PresignedPost,
  file: string | null,
  change: Fields = {},
): Promise<{ status: number; text: string }> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...fields, ...change })) {
    if (value !== undefined) form.set(name, value);
  }
  if (file !== null) form.set("file", new Blob([file]), "any name");
  const reply = await fetch(url, { method: "POST", body: form });
  return { status: reply.status, text: await reply.text() };
}

test("a form stores its file under the key, with what its fields say, again and again", async () => {
  const s3 = await double();
  const form = await formOn(s3, { Fields: { "Content-Type": "text/plain", "x-amz-meta-a": "1" } });
  expect((await send(form, "hello")).status).toBe(204);
  expect((await send(form, "again")).status).toBe(204);
  expect(s3.object("b", "k")).toMatchObject({ contentType: "text/plain", metadata: { a: "1" }, size: 5 });
  expect(s3.bytes("b", "k")?.toString()).toBe("again");
  expect(s3.versions("b", "k")).toHaveLength(2);
});

test.each<[string, string, string | null, Fields]>([
  ["EntityTooLarge", "a file that is too large", "hello world", {}],
  ["EntityTooSmall", "an empty file", "", {}],
  ["InvalidArgument", "no file", null, {}],
  ["Policy Condition failed", "another key", "hello", { key: "other" }],
  ["Policy Condition failed", "another type", "hello", { "Content-Type": "text/html" }],
  ["Policy Condition failed", "no type", "hello", { "Content-Type": undefined }],
  ["Extra input fields", "metadata that nobody signed", "hello", { "x-amz-meta-a": "1" }],
  ["Extra input fields", "an ACL that nobody signed", "hello", { acl: "public-read" }],
  ["AccessDenied", "no signature", "hello", { "X-Amz-Signature": undefined }],
  ["AccessDenied", "no policy", "hello", { Policy: undefined }],
  ["SignatureDoesNotMatch", "another signature", "hello", { "X-Amz-Signature": "0".repeat(64) }],
  ["SignatureDoesNotMatch", "another policy", "hello", { Policy: Buffer.from(POLICY).toString("base64") }],
  [
    "InvalidAccessKeyId",
    "another key id",
    "hello",
    { "X-Amz-Credential": "AKIANOBODY/20260101/us-east-1/s3/aws4_request" },
  ],
  ["BadDigest", "other bytes than its checksum's", "jello", {}],
])("%s: %s", async (said, _, file, change) => {
  const s3 = await double();
  const sum = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
  const form = await formOn(s3, { Fields: { "Content-Type": "text/plain", "x-amz-checksum-sha256": sum } });
  const date = change["X-Amz-Credential"] === undefined ? {} : { "X-Amz-Date": "20260101T000000Z" };
  const { status, text } = await send(form, file, { ...change, ...date });
  expect(status).toBeGreaterThanOrEqual(400);
  expect(text).toContain(said);
  expect(s3.versions("b")).toEqual([]);
  expect((await send(form, "hello")).status).toBe(204);
});

test("a form for one bucket is none for another", async () => {
  const s3 = await double();
  const { url, fields } = await formOn(s3);
  const elsewhere = { url: url.replace(/b$/, "plain"), fields };
  expect((await send(elsewhere, "hello")).text).toContain("Policy Condition failed");
  expect(s3.versions("plain")).toEqual([]);
});

test("a policy ends", async () => {
  const s3 = await double();
  const form = await formOn(s3);
  s3.shiftClock(61_000);
  expect((await send(form, "hello")).text).toContain("Policy expired.");
  expect(s3.versions("b")).toEqual([]);
});

test("who signed must be allowed to put, with the token of the session", async () => {
  const keys = { accessKeyId: "ASIA", secretAccessKey: "s" };
  const s3 = await double({
    users: [{ ...keys, sessionToken: "t", deny: [{ actions: ["s3:PutObject"], prefix: "no/" }] }],
  });
  expect((await send(await formOn(s3), "hello")).status).toBe(204);
  const denied = await send(await formOn(s3, { Key: "no/k" }), "hello");
  expect(denied.text).toContain("is not authorized to perform: s3:PutObject");
  const { fields, url } = await formOn(s3);
  const { "X-Amz-Security-Token": _, ...without } = fields;
  expect((await send({ fields: without, url }, "hello")).text).toContain("InvalidAccessKeyId");
});

test("what is no form is refused: 412 for another type, 400 for parts that don't end", async () => {
  const s3 = await double();
  const post = async (type: string, body: string): Promise<number> =>
    (await rawHttp(s3.endpoint, requestBytes("POST", "/b", { host: "x", "content-type": type }, Buffer.from(body))))
      .status;
  expect(await post("text/plain", "hello")).toBe(412);
  expect(await post("multipart/form-data; boundary=x", "hello")).toBe(400);
  expect(await post("multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="file"')).toBe(400);
});
