import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { spawnSync } from "node:child_process";
import https from "node:https";
import { text as readText } from "node:stream/consumers";
import { expect, test } from "vitest";
import {
  cutBody,
  delay,
  drip,
  emptyBody,
  failKeys,
  flipByte,
  flipSentByte,
  html,
  okWithErrorBody,
  reply,
  resetAfterStoring,
  resetBefore,
  silent,
  slowDown,
  stallBody,
} from "./s3-double/faults.ts";
import { rawHttp, requestBytes } from "./raw-http.ts";
import type { S3Double } from "./s3-double/server.ts";
import { hasTool } from "../tools.ts";
import { clientOf, double, readAll, refusal } from "./support.ts";

const AT = { Bucket: "b", Key: "k" };
const BODY = Buffer.alloc(100_000, "x");
const put = new PutObjectCommand({ ...AT, Body: BODY });
const get = new GetObjectCommand(AT);

const statuses = (s3: S3Double): [string, number][] => s3.requests.map(({ operation, status }) => [operation, status]);

test("a scripted reply stores nothing; nth picks one of those that match, times the first of them", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.fault({ operation: "PutObject", nth: 2 }, reply({ status: 409, code: "ConditionalRequestConflict" }));
  s3.fault(
    { operation: "PutObject", key: /^other/, times: 1 },
    reply({ status: 403, code: "AccessDenied", message: "no" }),
  );
  await client.send(put);
  expect(await refusal(client.send(put))).toMatchObject({
    name: "ConditionalRequestConflict",
    $metadata: { httpStatusCode: 409 },
  });
  await client.send(put);
  const other = new PutObjectCommand({ ...AT, Key: "other", Body: "1" });
  expect(await refusal(client.send(other))).toMatchObject({ name: "AccessDenied", message: "no" });
  await client.send(other);
  expect(s3.versions("b", "k")).toHaveLength(2);
});

test("SlowDown comes so many times, with Retry-After", async () => {
  const s3 = await double();
  s3.fault({ operation: "PutObject" }, slowDown(2, 0));
  await clientOf(s3, { maxAttempts: 3 }).send(put);
  expect(statuses(s3).map(([, status]) => status)).toEqual([503, 503, 200]);
});

test("a connection that is reset in the middle of a body stores nothing, and another one serves", async () => {
  const s3 = await double();
  const fault = s3.fault({ operation: "PutObject", nth: 1 }, resetBefore(1000));
  await clientOf(s3, { maxAttempts: 2 }).send(put);
  expect(statuses(s3).map(([, status]) => status)).toEqual([0, 200]);
  expect([s3.versions("b").length, fault.hits, s3.connections]).toEqual([1, 1, 2]);
  expect(s3.requests[0]).toMatchObject({ bytesReceived: 1000, fault: "reset-before" });
});

test("a reply lost after storing: the second attempt meets what the first one stored", async () => {
  const s3 = await double();
  s3.fault({ operation: "PutObject", nth: 1 }, resetAfterStoring());
  const once = new PutObjectCommand({ ...AT, Body: BODY, IfNoneMatch: "*" });
  expect((await refusal(clientOf(s3, { maxAttempts: 2 }).send(once))).name).toBe("PreconditionFailed");
  expect(statuses(s3).map(([, status]) => status)).toEqual([0, 412]);
  expect(s3.bytes("b", "k")).toEqual(BODY);
});

test("a body that is cut is an error with a Content-Length, and looks whole without", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", "k", BODY);
  const first = s3.fault({ operation: "GetObject" }, cutBody(5));
  const cut = await client.send(get);
  await expect(readAll(cut.Body)).rejects.toThrow(/aborted|hang up|premature/i);
  first.remove();
  s3.fault({ operation: "GetObject" }, cutBody(5, { contentLength: false }));
  expect(await readAll((await client.send(get)).Body)).toHaveLength(5);
});

test("one bit is turned on the way down, or on the way up", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", "k", BODY);
  s3.fault({ operation: "GetObject" }, flipByte(70_000));
  const bytes = await readAll((await client.send(get)).Body);
  expect([bytes.length, bytes.filter((byte) => byte !== 0x78).length, bytes[70_000]]).toEqual([BODY.length, 1, 0x79]);
  s3.fault({ operation: "PutObject" }, flipSentByte(70_000));
  expect((await refusal(client.send(put))).name).toBe("XAmzContentSHA256Mismatch");
  expect(s3.versions("b")).toHaveLength(1);
});

test("a body drips, or stalls half-way, or nothing is ever said", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", "k", BODY.subarray(0, 50));
  const dripping = s3.fault({ operation: "GetObject" }, drip(10, 1));
  expect(await readAll((await client.send(get)).Body)).toHaveLength(50);
  dripping.remove();
  const stalling = s3.fault({ operation: "GetObject" }, stallBody(10));
  const stalled = await client.send(get);
  const reader = stalled.Body?.transformToWebStream().getReader();
  const read = await reader?.read();
  expect(Buffer.from(read?.value as Uint8Array).toString()).toBe("x".repeat(10));
  await reader?.cancel();
  stalling.remove();
  s3.fault({ operation: "GetObject" }, silent());
  const stop = new AbortController();
  const arrival = s3.arrival({ operation: "GetObject" });
  const waiting = refusal(client.send(get, { abortSignal: stop.signal }));
  expect((await arrival).status).toBe(0);
  stop.abort();
  expect((await waiting).name).toBe("AbortError");
});

test("a delayed reply is honest", async () => {
  const s3 = await double();
  s3.fault({ operation: "PutObject" }, delay(20));
  const begin = performance.now();
  await clientOf(s3).send(put);
  expect(performance.now() - begin).toBeGreaterThan(19);
  expect(s3.keys("b")).toEqual(["k"]);
});

test("200 with an error, with nothing, or with somebody else's page", async () => {
  const s3 = await double();
  s3.plant("b", "k", "1");
  const url = await getSignedUrl(clientOf(s3), new ListObjectsV2Command({ Bucket: "b" }));
  const [first, second, third] = [okWithErrorBody(), emptyBody(), html()];
  for (const [at, action] of [first, second, third].entries())
    s3.fault({ operation: "ListObjectsV2", nth: at + 1 }, action);
  const replies = [await fetch(url), await fetch(url), await fetch(url), await fetch(url)];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const texts = await Promise.all(replies.map((each) => each.text()));
  expect(texts).toEqual([
    expect.stringContaining("<Code>InternalError</Code>"),
    "",
    expect.stringMatching(/^<!doctype html>/),
    expect.stringContaining("<Key>k</Key>"),
  ]);
});

test("DeleteObjects may fail for some keys, which stay", async () => {
  const s3 = await double();
  for (const key of ["a", "b"]) s3.plant("b", key, "1");
  s3.fault({ operation: "DeleteObjects" }, failKeys({ a: "AccessDenied" }));
  const remove = new DeleteObjectsCommand({ Bucket: "b", Delete: { Objects: [{ Key: "a" }, { Key: "b" }] } });
  const { Deleted, Errors } = await clientOf(s3).send(remove);
  expect([Deleted?.map(({ Key }) => Key), Errors]).toEqual([
    ["b"],
    [{ Key: "a", Code: "AccessDenied", Message: "Access Denied" }],
  ]);
  expect(s3.keys("b")).toEqual(["a"]);
});

test("who waits for 100 Continue is refused before sending its body", async () => {
  const s3 = await double();
  const big = Buffer.alloc(3 * 1024 * 1024);
  const part = new UploadPartCommand({ ...AT, UploadId: "none", PartNumber: 1, Body: big });
  expect(
    (await refusal(clientOf(s3, { credentials: { accessKeyId: "nobody", secretAccessKey: "x" } }).send(part))).name,
  ).toBe("InvalidAccessKeyId");
  expect(s3.requests[0]).toMatchObject({ code: "InvalidAccessKeyId", bytesReceived: 0 });
  await clientOf(s3).send(new PutObjectCommand({ ...AT, Body: big }));
  expect(s3.object("b", "k")?.size).toBe(big.length);
});

test("the log has no signature and no token", async () => {
  const user = { accessKeyId: "ASIALOGGED", secretAccessKey: "canary-secret", sessionToken: "canary-token" };
  const s3 = await double({ users: [user] });
  const client = clientOf(s3);
  await client.send(put);
  await fetch(await getSignedUrl(client, get));
  const text = JSON.stringify(s3.requests);
  expect(text).not.toContain("canary");
  expect(text).not.toMatch(/Signature=[\da-f]/);
  expect(s3.requests[1]?.query).toMatchObject({ "X-Amz-Signature": "[hidden]", "X-Amz-Security-Token": "[hidden]" });
  expect(s3.requests[0]).toMatchObject({
    operation: "PutObject",
    method: "PUT",
    bucket: "b",
    key: "k",
    path: "/b/k",
    status: 200,
    bytesReceived: BODY.length,
  });
  s3.clear();
  expect(s3.requests).toEqual([]);
});

test.skipIf(!hasTool("openssl"))("it speaks https, with its own certificate", async () => {
  const made = spawnSync(
    "openssl",
    "req -x509 -newkey rsa:2048 -nodes -keyout - -days 1 -subj /CN=s3 -addext subjectAltName=IP:127.0.0.1".split(" "),
  );
  const pem = made.stdout.toString();
  const s3 = await double({ tls: { key: pem, cert: pem } });
  s3.plant("b", "k", "over TLS");
  const url = await getSignedUrl(clientOf(s3), get);
  const text = await new Promise((resolve, reject) => {
    https
      .get(url, { ca: pem, agent: false }, (response) => void readText(response).then(resolve, reject))
      .on("error", reject);
  });
  expect([text, new URL(url).protocol, s3.connections]).toEqual(["over TLS", "https:", 1]);
});

test("what isn't a request at all doesn't stop it", async () => {
  const s3 = await double();
  expect((await rawHttp(s3.endpoint, Buffer.from("\u0016\u0003\u0001 nonsense\r\n\r\n"))).status).toBe(400);
  expect((await rawHttp(s3.endpoint, requestBytes("GET", "/b/%ff", { host: "x" }))).text).toContain(
    "<Code>InvalidURI</Code>",
  );
  expect((await rawHttp(s3.endpoint, requestBytes("GET", "/b/%zz", { host: "x" }))).text).toContain(
    "<Code>InvalidURI</Code>",
  );
  await clientOf(s3).send(put);
});
