/** What goes wrong between us and S3, one test a fault: nothing hangs, nothing is told that isn't so. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import { createPace } from "../../../src/storage/pace.ts";
import {
  bodyOf,
  bytesOf,
  calm,
  collect,
  concat,
  keysOf,
  putOptions,
  putText,
  readText,
} from "../../conformance/bodies.ts";
import { rejection } from "../../conformance/expect-code.ts";
import {
  cutBody,
  drip,
  emptyBody,
  failKeys,
  flipSentByte,
  html,
  okWithErrorBody,
  reply,
  resetAfterStoring,
  resetBefore,
  sameToken,
  silent,
  slowDown,
  stallBody,
  truncatedWithoutToken,
} from "../../servers/s3-double/faults.ts";
import type { FaultAction } from "../../servers/s3-double/faults.ts";
import type { S3Double } from "../../servers/s3-double/server.ts";
import { KEY, MiB, asked, double, driverOn, fileOf, versionsOf } from "./support.ts";

const LARGE = 17 * MiB;
const FAST = { connectMs: 2000, idleMs: 1000, slowMs: 1500, slowBytes: 1024 };

async function scene(): Promise<{ s3: S3Double; driver: StorageDriver }> {
  const s3 = await double();
  return { s3, driver: await driverOn(s3, { limits: FAST, settings: { retryForSeconds: 10 } }) };
}

const putLarge = (driver: StorageDriver): ReturnType<StorageDriver["put"]> =>
  driver.put(KEY, fileOf(bytesOf(LARGE)), putOptions());

/** Of each completion that was asked for. */
function conditionsOf({ requests }: S3Double): (string | undefined)[] {
  return requests
    .filter(({ operation }) => operation === "CompleteMultipartUpload")
    .map(({ headers }) => headers["if-none-match"]);
}

function expectNoTrace(s3: S3Double): void {
  expect(s3.versions("b")).toEqual([]);
  expect(s3.uploads("b")).toEqual([]);
}

describe("refusals", () => {
  test("F1 Access Denied names action and object, after one request", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObject" }, reply({ status: 403, code: "AccessDenied", message: "Access Denied" }));
    const error = await rejection(putText(driver, KEY), "access_denied");
    expect(error.message).toContain("s3:PutObject");
    expect(error.message).toContain(`s3://b/${KEY}`);
    expect(error.hint).toContain("doctor --write");
    expect(error.requestId).not.toBeNull();
    expect(s3.requests).toHaveLength(1);
  });

  test("F1 whom S3 names, the message names", async () => {
    const { s3, driver } = await scene();
    const message =
      'User: arn:aws:iam::123456789012:user/ada is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/tasks/x" because no identity-based policy allows the s3:PutObject action';
    s3.fault({ operation: "PutObject" }, reply({ status: 403, code: "AccessDenied", message }));
    const error = await rejection(putText(driver, KEY), "access_denied");
    expect(error.message).toContain(
      "arn:aws:iam::123456789012:user/ada may not s3:PutObject on arn:aws:s3:::b/tasks/x",
    );
  });

  test("F2 a missing bucket and a missing key are told apart, for HEAD too", async () => {
    const { s3, driver } = await scene();
    await rejection(driver.head(KEY, { signal: calm }), "not_found");
    await rejection(driver.get(KEY, { signal: calm }), "not_found");
    const nowhere = await driverOn(s3, {
      bucket: "nowhere",
      settings: { bucketOrigin: "AWS_S3_BUCKET in .env line 2" },
    });
    for (const call of [
      () => nowhere.head(KEY, { signal: calm }),
      () => nowhere.get(KEY, { signal: calm }),
      () => putText(nowhere, KEY),
      () => keysOf(nowhere.list("", { signal: calm })),
    ]) {
      const error = await rejection(call(), "no_such_bucket");
      expect(error.message).toContain("AWS_S3_BUCKET in .env line 2");
      expect(error.message).toContain(s3.endpoint);
    }
  });

  test("F3 a HEAD that is denied without a word", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "HeadObject" }, reply({ status: 403, body: "" }));
    const error = await rejection(driver.head(KEY, { signal: calm }), "access_denied");
    expect(error.message).toContain("or there is no such object");
  });

  test("F4 a region that is named wrong is told", async () => {
    const s3 = await double({ buckets: { b: { region: "eu-west-1" } } });
    const driver = await driverOn(s3, { settings: { region: "us-east-1", regionOrigin: "--region" } });
    const error = await rejection(keysOf(driver.list("", { signal: calm })), "wrong_region");
    expect(error.message).toContain("eu-west-1");
    expect(error.hint).toContain("eu-west-1");
  });

  test("F4 a region that nobody named is found", async () => {
    const s3 = await double({ buckets: { b: { region: "eu-west-1" } } });
    const driver = await driverOn(s3, { settings: { region: null } });
    expect(await keysOf(driver.list("", { signal: calm }))).toEqual([]);
  });

  test("F4 a region that nobody named is found by all who ask at once", async () => {
    const s3 = await double({ buckets: { b: { region: "eu-west-1" } } });
    const driver = await driverOn(s3, { settings: { region: null } });
    const keys = [1, 2, 3, 4].map((n) => `tasks/T-1/${n}`);
    await Promise.all(keys.map((key) => putText(driver, key, "hello")));
    expect(s3.keys("b")).toEqual(keys);
    expect(asked(s3).filter((line) => !line.endsWith("200"))).toHaveLength(4);
  });

  test("F5 307 is not followed", async () => {
    const { s3, driver } = await scene();
    const headers = { location: "http://127.0.0.1:9/" };
    s3.fault({ operation: "PutObject" }, reply({ status: 307, code: "TemporaryRedirect", headers }));
    await rejection(putText(driver, KEY), "bad_config");
    expect(s3.requests).toHaveLength(1);
  });

  test("F6 bytes that were hurt on their way are sent once more", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObject", nth: 1 }, flipSentByte(2));
    await putText(driver, KEY, "hello");
    expect(asked(s3)).toEqual(["PutObject XAmzContentSHA256Mismatch", "PutObject 200"]);
    expect(s3.bytes("b", KEY)?.toString()).toBe("hello");
  });

  test("F6 bytes that are hurt each time are not stored", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObject" }, flipSentByte(2));
    await rejection(putText(driver, KEY, "hello"), "checksum_mismatch");
    expect(s3.requests).toHaveLength(2);
    expectNoTrace(s3);
  });

  test("F10 a store without conditions: a look before, and a word", async () => {
    const s3 = await double();
    const warnings: string[] = [];
    const driver = await driverOn(s3, { onWarning: (text) => warnings.push(text) });
    s3.fault({ operation: "PutObject", nth: 1 }, reply({ status: 501, code: "NotImplemented" }));
    await putText(driver, KEY, "hello");
    await rejection(putText(driver, KEY, "again"), "exists");
    expect(asked(s3)).toEqual([
      "PutObject NotImplemented",
      "HeadObject NoSuchKey",
      "HeadBucket 200",
      "PutObject 200",
      "HeadObject 200",
    ]);
    expect(warnings).toHaveLength(1);
  });

  test("F10 all that are sent at once to a store without conditions are stored, and one word is enough", async () => {
    const s3 = await double();
    const warnings: string[] = [];
    const driver = await driverOn(s3, { onWarning: (text) => warnings.push(text) });
    const keys = [1, 2, 3, 4].map((n) => `tasks/T-1/${n}`);
    s3.fault({ operation: "PutObject", times: keys.length }, reply({ status: 501, code: "NotImplemented" }));
    await Promise.all(keys.map((key) => putText(driver, key)));
    expect(s3.keys("b")).toEqual(keys);
    expect(warnings).toHaveLength(1);
  });

  test("F10 a store that can't do something else keeps its conditions", async () => {
    const s3 = await double();
    const warnings: string[] = [];
    const driver = await driverOn(s3, { onWarning: (text) => warnings.push(text) });
    const tagging = s3.fault({ operation: "PutObject" }, reply({ status: 501, code: "NotImplemented" }));
    await rejection(putText(driver, KEY, "hello", { tags: { a: "b" } }), "unsupported");
    tagging.remove();
    await putText(driver, KEY);
    expect(s3.requests.at(-1)?.headers["if-none-match"]).toBe("*");
    expect(warnings).toEqual([]);
  });

  test("F10 a completion without the condition works where that is what the store can't do: a word", async () => {
    const s3 = await double();
    const warnings: string[] = [];
    const driver = await driverOn(s3, { onWarning: (text) => warnings.push(text) });
    s3.fault({ operation: "CompleteMultipartUpload", nth: 1 }, reply({ status: 501, code: "NotImplemented" }));
    expect(await putLarge(driver)).toMatchObject({ key: KEY, size: LARGE });
    expect(conditionsOf(s3)).toEqual(["*", undefined]);
    expect(warnings).toEqual([expect.stringContaining("can't refuse to replace an object")]);
  });

  test("F10 a store that can't complete keeps its conditions", async () => {
    const s3 = await double();
    const warnings: string[] = [];
    const driver = await driverOn(s3, { onWarning: (text) => warnings.push(text) });
    s3.fault({ operation: "CompleteMultipartUpload" }, reply({ status: 501, code: "NotImplemented" }));
    await rejection(putLarge(driver), "unsupported");
    await rejection(putLarge(driver), "unsupported");
    expect(conditionsOf(s3)).toEqual(["*", undefined, "*", undefined]);
    expect(warnings).toEqual([]);
    expectNoTrace(s3);
  });

  test("F10 a completion that has no condition is not sent again without it", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    s3.fault({ operation: "PutObject", nth: 1 }, reply({ status: 501, code: "NotImplemented" }));
    await putText(driver, "tasks/T-1/other");
    s3.fault({ operation: "CompleteMultipartUpload" }, reply({ status: 501, code: "NotImplemented" }));
    await rejection(putLarge(driver), "unsupported");
    expect(conditionsOf(s3)).toEqual([undefined]);
  });

  test.each([
    ["ExpiredToken", 400, "expired_credentials"],
    ["InvalidAccessKeyId", 403, "access_denied"],
    ["SignatureDoesNotMatch", 403, "access_denied"],
    ["RequestTimeTooSkewed", 403, "clock_skew"],
    ["InvalidObjectState", 403, "archived"],
    ["NotImplemented", 501, "unsupported"],
    ["QuotaExceeded", 403, "io"],
    ["XMinioAdminBucketQuotaExceeded", 400, "io"],
    ["SomethingNew", 507, "io"],
    ["RequestTimeout", 400, "network"],
    ["RequestTimeout", 408, "network"],
    ["IncompleteBody", 400, "network"],
    ["SomethingNew", 408, "network"],
    ["ThrottlingException", 400, "throttled"],
    ["SomethingNew", 400, "unsupported"],
    ["EntityTooLarge", 400, "too_large"],
  ] as const)("F24 %s is %s %s", async (code, status, expected) => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "GetObject" }, reply({ status, code, message: "said\nso" }));
    await rejection(driver.get(KEY, { signal: calm }), expected);
  });

  test("a denial is no lock, whatever the names are that it repeats", async () => {
    const bucket = "acme-object-lock-dev";
    const deny = [{ actions: ["s3:ListBucket", "s3:DeleteObjectVersion"] }];
    const user = {
      accessKeyId: "AKIAROLE",
      secretAccessKey: "s".repeat(20),
      arn: "arn:aws:iam::1:user/retention",
      deny,
    };
    const s3 = await double({ buckets: { [bucket]: { versioning: "Enabled" } }, users: [user] });
    const driver = await driverOn(s3, { bucket });
    const key = "tasks/T-1/our object lock.pdf";
    await rejection(keysOf(driver.list("", { signal: calm })), "access_denied");
    await putText(driver, key);
    const [result] = await collect(versionsOf(driver).purge([key], { signal: calm }));
    expect(result?.error?.code).toBe("access_denied");
  });

  test("a lock is told as MinIO has it too", async () => {
    const { s3, driver } = await scene();
    await putText(driver, KEY);
    const locked = { code: "InvalidRequest", message: "Object is WORM protected and cannot be overwritten" };
    s3.fault({ operation: "DeleteObjects", nth: 2 }, failKeys({ [KEY]: locked }));
    const [result] = await collect(versionsOf(driver).purge([KEY], { signal: calm }));
    expect(result?.error?.code).toBe("retained");
  });

  test.each([
    ["NoSuchTagSet", {}],
    ["NoSuchTagSetError", {}],
    ["NoSuchKey", null],
  ])("the tags that a rule could ask for, answered %s, are %o", async (code, expected) => {
    const { s3, driver } = await scene();
    s3.plant("b", KEY, "x");
    s3.fault({ operation: "GetObjectTagging" }, reply({ status: 404, code }));
    const told: unknown[] = [];
    for await (const version of driver.lifecycle?.kept("", { signal: calm }) ?? []) {
      if (version.state !== "marker") told.push(await driver.lifecycle?.tags(version, { signal: calm }));
    }
    expect(told).toEqual([expected]);
  });

  test("F25 a clock that is an hour off is corrected", async () => {
    const { s3, driver } = await scene();
    s3.shiftClock(3_600_000);
    await putText(driver, KEY, "hello");
    expect(asked(s3)).toEqual(["PutObject RequestTimeTooSkewed", "PutObject 200"]);
  });

  test("F32 a deleted object says so", async () => {
    const { s3, driver } = await scene();
    s3.plant("b", KEY, "x");
    s3.delete("b", KEY);
    const error = await rejection(driver.get(KEY, { signal: calm }), "not_found");
    expect(error.message).toContain("deleted");
    expect(error.hint).toContain("undelete");
  });
});

describe("servers that fail for a while", () => {
  test("F7 two failures, then success", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObject", times: 2 }, reply({ status: 500, code: "InternalError" }));
    await putText(driver, KEY, "hello");
    expect(s3.requests).toHaveLength(3);
  });

  test("F8 failures for ever of a server that did nothing else yet: five attempts, and the message says so", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    s3.fault({ operation: "GetObject" }, slowDown(Infinity));
    const error = await rejection(driver.get(KEY, { signal: calm }), "throttled");
    expect(error.message).toContain("5 times");
    expect(s3.requests).toHaveLength(5);
  });

  test("F9 Retry-After is honoured", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObject" }, slowDown(1, 1));
    const begin = performance.now();
    await putText(driver, KEY, "hello");
    expect(performance.now() - begin).toBeGreaterThan(900);
  });

  test("F11 a reset after 100 KB: sent again", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObject", nth: 1 }, resetBefore(100_000));
    await driver.put(KEY, fileOf(bytesOf(3 * MiB)), putOptions());
    expect(s3.requests).toHaveLength(2);
    expect(s3.bytes("b", KEY)).toHaveLength(3 * MiB);
  });

  test("F13 a reset in the middle of a part: the part is sent again, and completed once", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "UploadPart", nth: 2 }, resetBefore(3 * MiB));
    await putLarge(driver);
    expect(s3.requests.filter(({ operation }) => operation === "UploadPart")).toHaveLength(4);
    expect(s3.requests.filter(({ operation }) => operation === "CompleteMultipartUpload")).toHaveLength(1);
    expect(Buffer.compare(s3.bytes("b", KEY) ?? Buffer.alloc(0), bytesOf(LARGE))).toBe(0);
  });

  test("F13 a part that takes longer than there is for trying is sent again all the same", async () => {
    const s3 = await double();
    const driver = await driverOn(s3, { settings: { retryForSeconds: 1 }, pace: createPace(6 * MiB) });
    s3.fault({ operation: "UploadPart", nth: 1 }, resetBefore(6 * MiB));
    await driver.put(KEY, fileOf(bytesOf(16 * MiB)), putOptions());
    expect(s3.requests.filter(({ operation }) => operation === "UploadPart")).toHaveLength(3);
    expect(s3.bytes("b", KEY)?.equals(bytesOf(16 * MiB))).toBe(true);
  });

  test("F14 a part that is denied: nothing stays", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "UploadPart", nth: 2 }, reply({ status: 403, code: "AccessDenied" }));
    await rejection(putLarge(driver), "access_denied");
    expect(s3.requests.map(({ operation }) => operation)).toContain("AbortMultipartUpload");
    expectNoTrace(s3);
  });

  test.each([
    ["s3:AbortMultipartUpload", [expect.stringContaining(`parts of ${KEY} may be left in s3://b`)], 1],
    ["s3:ListMultipartUploadParts", [], 0],
  ])("F14 after a part that is denied, %s is denied too", async (action, told, left) => {
    const deny = [{ actions: [action] }];
    const s3 = await double({ users: [{ accessKeyId: "AKIAROLE", secretAccessKey: "s".repeat(20), deny }] });
    const warnings: string[] = [];
    const driver = await driverOn(s3, { onWarning: (text) => warnings.push(text) });
    s3.fault({ operation: "UploadPart", nth: 2 }, reply({ status: 403, code: "AccessDenied" }));
    await rejection(putLarge(driver), "access_denied");
    expect(warnings).toEqual(told);
    expect(s3.uploads("b")).toHaveLength(left);
  });
});

describe("replies that are lost or lie", () => {
  test("F12 the reply is lost after it was stored: the retry meets our own", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObject", nth: 1 }, resetAfterStoring());
    const stored = await putText(driver, KEY, "hello");
    expect(stored.size).toBe(5);
    expect(asked(s3)).toEqual(["PutObject 0", "PutObject PreconditionFailed", "HeadObject 200"]);
    expect(s3.versions("b", KEY)).toHaveLength(1);
  });

  test("F12 what the retry meets is another's", async () => {
    const { s3, driver } = await scene();
    s3.plant("b", KEY, "another's");
    s3.fault({ operation: "PutObject", nth: 1 }, resetBefore(0));
    await rejection(putText(driver, KEY, "hello"), "exists");
    expect(s3.bytes("b", KEY)?.toString()).toBe("another's");
  });

  test.each([
    ["F15 200 with an error inside", okWithErrorBody()],
    ["F16 200 with nothing inside", emptyBody()],
  ])("%s is never a completion", async (_, action) => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "CompleteMultipartUpload" }, action);
    await rejection(putLarge(driver), "network");
    expectNoTrace(s3);
  });

  test("F17 the completion's reply is lost: it is ours", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "CompleteMultipartUpload", nth: 1 }, resetAfterStoring());
    const stored = await putLarge(driver);
    expect(stored.size).toBe(LARGE);
    expect(s3.versions("b", KEY)).toHaveLength(1);
    expect(s3.uploads("b")).toEqual([]);
  });

  test("F17 a completion that is interrupted before its reply has come is told as stored, where it is", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    s3.fault({ operation: "CompleteMultipartUpload" }, stallBody(0));
    const stop = new AbortController();
    void s3.arrival({ operation: "CompleteMultipartUpload" }).then(() => stop.abort());
    const stored = await driver.put(KEY, bodyOf(bytesOf(LARGE)), putOptions({ signal: stop.signal }));
    expect(stop.signal.aborted).toBe(true);
    expect(stored).toMatchObject({ key: KEY, size: LARGE });
    expect(Buffer.compare(s3.bytes("b", KEY) ?? Buffer.alloc(0), bytesOf(LARGE))).toBe(0);
    expect(s3.uploads("b")).toEqual([]);
  });

  test("F17 a completion that is interrupted and wasn't done leaves nothing", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    s3.fault({ operation: "CompleteMultipartUpload" }, silent());
    const stop = new AbortController();
    void s3.arrival({ operation: "CompleteMultipartUpload" }).then(() => stop.abort());
    await rejection(driver.put(KEY, bodyOf(bytesOf(LARGE)), putOptions({ signal: stop.signal })), "interrupted");
    expectNoTrace(s3);
  });

  test("F17 tags that can't be written once all is stored: it says that it is, and stays", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "PutObjectTagging" }, reply({ status: 403, code: "AccessDenied" }));
    const error = await rejection(
      driver.put(KEY, bodyOf(bytesOf(LARGE)), putOptions({ tags: { a: "b" } })),
      "access_denied",
    );
    expect(error.message).toContain(`${KEY} is stored, but without its tags: `);
    expect(error.message).toContain("s3:PutObjectTagging");
    expect(s3.bytes("b", KEY)).toHaveLength(LARGE);
    expect(asked(s3)).not.toContain("AbortMultipartUpload NoSuchUpload");
  });

  test("F17 a completion whose outcome was not known has its tags too", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "CompleteMultipartUpload" }, resetAfterStoring());
    const looks = s3.fault({ operation: "HeadObject", nth: 3 }, reply({ status: 403, body: "" }));
    await driver.put(KEY, bodyOf(bytesOf(LARGE)), putOptions({ tags: { a: "b" } }));
    expect(looks.hits).toBe(1);
    expect(asked(s3).at(-1)).toBe("PutObjectTagging 200");
  });

  test("F18 a silent server is left after the idle time", async () => {
    const { s3 } = await scene();
    const driver = await driverOn(s3, { limits: FAST, settings: { retryForSeconds: 0 } });
    s3.fault({ operation: "HeadObject" }, silent());
    const begin = performance.now();
    const error = await rejection(driver.head(KEY, { signal: calm }), "network");
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(error.message).toContain("silence for 1 s");
  });

  test("F18 a server that is silent once is asked again", async () => {
    const { s3, driver } = await scene();
    s3.plant("b", KEY, "x");
    s3.fault({ operation: "HeadObject", nth: 1 }, silent());
    expect((await driver.head(KEY, { signal: calm })).size).toBe(1);
  });

  test("F19 a reply that drips is left", async () => {
    const { s3 } = await scene();
    const driver = await driverOn(s3, { limits: FAST, settings: { retryForSeconds: 0 } });
    s3.plant("b", KEY, bytesOf(100_000));
    s3.fault({ operation: "GetObject" }, drip(1, 50));
    const begin = performance.now();
    const { chunks } = await driver.get(KEY, { signal: calm });
    await rejection(concat(chunks), "network");
    expect(performance.now() - begin).toBeLessThan(15_000);
  });

  test("F20 a download that is cut goes on where it broke", async () => {
    const { s3, driver } = await scene();
    const bytes = bytesOf(3 * MiB);
    s3.plant("b", KEY, bytes);
    s3.fault({ operation: "GetObject", times: 2 }, cutBody(MiB));
    const { chunks } = await driver.get(KEY, { signal: calm });
    expect(Buffer.compare(await concat(chunks), bytes)).toBe(0);
    const [, second, third] = s3.requests;
    expect(second?.headers["range"]).toMatch(/^bytes=\d+-3145727$/);
    expect(third?.headers["if-match"]).toBe(s3.requests[1]?.headers["if-match"]);
  });

  test("F20 a download that is cut again and again fails", async () => {
    const { s3, driver } = await scene();
    s3.plant("b", KEY, bytesOf(3 * MiB));
    s3.fault({ operation: "GetObject" }, cutBody(1000));
    const { chunks } = await driver.get(KEY, { signal: calm });
    await rejection(concat(chunks), "network");
    expect(s3.requests).toHaveLength(4);
  });

  test("F20 a download that stalls goes on elsewhere", async () => {
    const { s3, driver } = await scene();
    const bytes = bytesOf(2 * MiB);
    s3.plant("b", KEY, bytes);
    s3.fault({ operation: "GetObject", nth: 1 }, stallBody(MiB));
    const { chunks } = await driver.get(KEY, { signal: calm });
    expect(Buffer.compare(await concat(chunks), bytes)).toBe(0);
  });

  test("F21 a cut without a Content-Length is no end", async () => {
    const { s3, driver } = await scene();
    await driver.put(KEY, fileOf(bytesOf(2 * MiB)), putOptions());
    s3.fault({ operation: "GetObject" }, cutBody(1000, { contentLength: false }));
    const reading = (async () => concat((await driver.get(KEY, { signal: calm })).chunks))();
    await rejection(reading, "network");
  });

  test("F23 an object that is replaced while it is read is `changed`", async () => {
    const { s3, driver } = await scene();
    s3.plant("b", KEY, bytesOf(3 * MiB));
    s3.fault({ operation: "GetObject", nth: 1 }, cutBody(MiB));
    const { chunks } = await driver.get(KEY, { signal: calm });
    s3.plant("b", KEY, bytesOf(3 * MiB, 2));
    await rejection(concat(chunks), "changed");
  });

  test("a reader that takes its time is not cut off", async () => {
    const { s3, driver } = await scene();
    const bytes = bytesOf(4 * MiB);
    s3.plant("b", KEY, bytes);
    const { chunks } = await driver.get(KEY, { signal: calm });
    let size = 0;
    for await (const chunk of chunks) {
      if (size === 0) await new Promise((resolve) => setTimeout(resolve, 2500));
      size += chunk.length;
    }
    expect(size).toBe(bytes.length);
    expect(s3.requests).toHaveLength(1);
  });
});

describe("listings", () => {
  async function rows(action: FaultAction): Promise<string> {
    const s3 = await double({ limits: { listPage: 10 } });
    const driver = await driverOn(s3, { settings: { retryForSeconds: 1 } });
    for (let n = 0; n < 25; n += 1) s3.plant("b", `tasks/1/${n}`, "x");
    s3.fault({ operation: "ListObjectsV2" }, action);
    const error = await rejection(keysOf(driver.list("", { signal: calm })), "network");
    expect(s3.requests.length).toBeLessThanOrEqual(5);
    return error.message;
  }

  test("F26 HTML is no empty list", async () => {
    expect(await rows(html())).toMatch(/not S3/);
  });

  test("F26 nothing is no empty list", async () => {
    expect(await rows(emptyBody())).toMatch(/not S3/);
  });

  test("F27 the same token for ever", async () => {
    expect(await rows(sameToken())).toMatch(/circle/);
  });

  test("F28 more, and not where", async () => {
    expect(await rows(truncatedWithoutToken())).toMatch(/not where/);
  });

  test("what was not asked for is never taken for what was", async () => {
    const { s3, driver } = await scene();
    const row = `<Key>tasks/T-9/another</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><Size>1</Size>`;
    const page = (name: string, rows: string): string =>
      `<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>false</IsTruncated>${rows}</${name}>`;
    const live = page("ListBucketResult", `<Contents>${row}</Contents>`);
    s3.fault({ operation: "ListObjectsV2" }, reply({ status: 200, body: live }));
    const marker = `<DeleteMarker><VersionId>m</VersionId><IsLatest>true</IsLatest>${row}</DeleteMarker>`;
    const deleted = page("ListVersionsResult", `${marker}<Version><VersionId>v</VersionId>${row}</Version>`);
    s3.fault({ operation: "ListObjectVersions" }, reply({ status: 200, body: deleted }));
    for (const listing of [driver.list, versionsOf(driver).listDeleted]) {
      const error = await rejection(collect(listing("tasks/T-1/", { signal: calm })), "network");
      expect(error.message).toContain("lists what was not asked for");
    }
  });

  test("F26 a page is no object, though it has an ETag as files of a web server have", async () => {
    const { s3 } = await scene();
    const web = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", etag: '"5f-1"' }).end("<p>Please sign in");
    });
    await new Promise<void>((resolve) => void web.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const driver = await driverOn(s3, { settings: { endpoint } });
    try {
      for (const call of [
        () => driver.head(KEY, { signal: calm }),
        () => driver.get(KEY, { signal: calm }),
        () => putText(driver, KEY),
      ]) {
        expect((await rejection(call(), "network")).message).toMatch(/not S3/);
      }
    } finally {
      web.closeAllConnections();
      web.close();
    }
  });

  test("F26 HTML is no list of versions either", async () => {
    const { s3, driver } = await scene();
    s3.fault({ operation: "ListObjectVersions" }, html());
    await rejection(collect(versionsOf(driver).listDeleted("", { signal: calm })), "network");
  });
});

describe("deletes", () => {
  test("F30 each key has its own outcome", async () => {
    const { s3, driver } = await scene();
    const keys = ["tasks/1/a", "tasks/1/b", "tasks/1/c"];
    for (const key of keys) s3.plant("b", key, "x");
    s3.fault({ operation: "DeleteObjects" }, failKeys({ "tasks/1/b": "AccessDenied" }));
    const results = await collect(driver.delete(keys, { signal: calm }));
    expect(results.map(({ error }) => error?.code)).toEqual([undefined, "access_denied", undefined]);
    expect(results.map(({ undoable }) => undoable)).toEqual([true, false, true]);
    expect(results[1]?.error?.message).toContain("s3:DeleteObject on s3://b/tasks/1/b");
    expect(s3.keys("b")).toEqual(["tasks/1/b"]);
  });

  test("a key that looks like a pattern is named as it is", async () => {
    const { s3, driver } = await scene();
    const keys = ["tasks/1/$&.txt", "tasks/1/$'.txt"];
    s3.fault({ operation: "DeleteObjects" }, reply({ status: 403, code: "AccessDenied" }));
    for (const some of [keys, keys.slice(1)]) {
      const results = await collect(driver.delete(some, { signal: calm }));
      for (const { key, error } of results) expect(error?.message).toContain(`cannot delete ${key}: `);
    }
  });

  test("a reply without a word of any key is no success", async () => {
    const { s3, driver } = await scene();
    s3.plant("b", KEY, "x");
    s3.fault({ operation: "DeleteObjects" }, html());
    const [result] = await collect(driver.delete([KEY], { signal: calm }));
    expect(result?.error?.code).toBe("network");
  });

  test("undelete where versions may not be removed copies the bytes back, with all that is known of them", async () => {
    const deny = [{ actions: ["s3:DeleteObjectVersion"] }];
    const user = { accessKeyId: "AKIAROLE", secretAccessKey: "s".repeat(20), deny };
    const s3 = await double({ users: [user] });
    const driver = await driverOn(s3);
    const stored = await putText(driver, KEY, "hello", { type: "text/plain", tags: { a: "b c" } });
    await collect(driver.delete([KEY], { signal: calm }));
    expect(await collect(versionsOf(driver).undelete([KEY], { signal: calm }))).toEqual([{ key: KEY }]);
    expect(s3.requests.map(({ operation }) => operation)).toContain("CopyObject");
    const { modifiedAt: _, ...again } = await driver.head(KEY, { signal: calm });
    const { modifiedAt: __, ...before } = stored;
    expect(again).toEqual(before);
    expect(await readText(driver, KEY)).toBe("hello");
  });

  test("purge that is denied half-way leaves it deleted, never live, and says how many remain", async () => {
    const deny = [{ actions: ["s3:DeleteObjectVersion"] }];
    const user = { accessKeyId: "AKIAROLE", secretAccessKey: "s".repeat(20), deny };
    const s3 = await double({ users: [user] });
    const driver = await driverOn(s3);
    await putText(driver, KEY, "hello");
    const [result] = await collect(versionsOf(driver).purge([KEY], { signal: calm }));
    expect(result?.error?.code).toBe("access_denied");
    expect(result?.error?.message).toContain("1 version remains");
    expect(s3.keys("b")).toEqual([]);
    expect(s3.versions("b", KEY)).toHaveLength(2);
  });

  test("a suspended bucket: what is deleted is not undoable, and purge leaves nothing", async () => {
    const s3 = await double();
    const driver = await driverOn(s3);
    s3.plant("b", KEY, "old");
    s3.setVersioning("b", "Suspended");
    s3.plant("b", KEY, "new");
    const [result] = await collect(driver.delete([KEY], { signal: calm }));
    expect(result?.undoable).toBe(false);
    s3.plant("b", KEY, "newer");
    expect(await collect(versionsOf(driver).purge([KEY], { signal: calm }))).toEqual([{ key: KEY }]);
    expect(s3.versions("b", KEY)).toEqual([]);
  });
});

describe("no server at all", () => {
  test("F38 nothing answers: the place is named", async () => {
    const s3 = await double();
    const { endpoint } = s3;
    await s3.close();
    const driver = await driverOn(s3);
    const begin = performance.now();
    const error = await rejection(driver.head(KEY, { signal: calm }), "network");
    expect(error.message).toContain(new URL(endpoint).host);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });

  test("F38 a name that isn't there: named, and not asked for again", async () => {
    const s3 = await double();
    const driver = await driverOn(s3, { settings: { endpoint: "http://nowhere.invalid:1" } });
    const error = await rejection(driver.head(KEY, { signal: calm }), "network");
    expect(error.message).toContain("nowhere.invalid");
  });
});
