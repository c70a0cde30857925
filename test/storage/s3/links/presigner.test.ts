/** Links, sent to a server that verifies signatures and ends. */
import { expect, test } from "vitest";
import type { Presigner } from "../../../../src/storage/presigner.ts";
import type { StorageDriver } from "../../../../src/storage/driver.ts";
import { calm, putText, sha256, text } from "../../../conformance/bodies.ts";
import { rejection } from "../../../conformance/expect-code.ts";
import { KEY, asked, double, driverOn } from "../support.ts";

const SAVE = { kind: "attachment", name: "report.pdf", header: 'attachment; filename="report.pdf"' } as const;
const PUT = { expiresSeconds: 60, name: "a.txt", type: null, size: null, maxSize: null, sha256: null, signal: calm };

function presignerOf({ presigner }: StorageDriver): Presigner {
  if (presigner === undefined) throw new Error("no presigner");
  return presigner;
}

test("a link to download works, bears its name, and sends nothing beforehand", async () => {
  const s3 = await double();
  const driver = await driverOn(s3);
  const link = await presignerOf(driver).get(KEY, { expiresSeconds: 60, disposition: SAVE, signal: calm });
  expect(s3.requests).toEqual([]);
  expect(link).toMatchObject({ method: "GET", headers: {}, fields: null, limitedBy: "request" });
  expect(link.expiresAt).toEqual(link.requestedExpiresAt);
  s3.plant("b", KEY, "hello");
  const reply = await fetch(link.url);
  expect([reply.status, await reply.text()]).toEqual([200, "hello"]);
  expect(reply.headers.get("content-disposition")).toBe(SAVE.header);
});

test("a link ends", async () => {
  const s3 = await double();
  s3.plant("b", KEY, "hello");
  const link = await presignerOf(await driverOn(s3)).get(KEY, { expiresSeconds: 60, disposition: SAVE, signal: calm });
  s3.shiftClock(61_000);
  expect((await fetch(link.url)).status).toBe(403);
});

test("a link to upload takes what it was signed for, once", async () => {
  const s3 = await double();
  const driver = await driverOn(s3);
  const bytes = text("hello");
  const link = await presignerOf(driver).put(KEY, {
    ...PUT,
    name: "ü.txt",
    type: "text/plain",
    size: bytes.length,
    sha256: sha256(bytes),
  });
  expect(asked(s3)).toEqual(["HeadBucket 200"]);
  expect(link.url.toLowerCase(), "no checksum of an empty body").not.toContain("x-amz-checksum-crc32");
  const send = async (body: Uint8Array, headers = link.headers): Promise<number> =>
    (await fetch(link.url, { method: "PUT", headers, body })).status;
  const { "If-None-Match": _, ...unconditional } = link.headers;
  expect(await send(bytes, unconditional)).toBe(403);
  expect(await send(bytes, { ...link.headers, "Content-Type": "text/html" })).toBe(403);
  expect(await send(text("jello"))).toBe(400);
  expect(await send(bytes)).toBe(200);
  expect(await send(bytes)).toBe(412);
  const { record, type } = await driver.head(KEY, { signal: calm });
  expect({ type, name: record?.name, sha256: record?.sha256 }).toEqual({
    type: "text/plain",
    name: "ü.txt",
    sha256: sha256(bytes),
  });
});

test("a largest size that a PUT can't bind is `unsupported`, S3's own is fine", async () => {
  const presigner = presignerOf(await driverOn(await double()));
  await rejection(presigner.put(KEY, { ...PUT, maxSize: 1000 }), "unsupported");
  await presigner.put(KEY, { ...PUT, maxSize: 5 * 1024 ** 3 });
});

test("a form takes what it was signed for, and nothing else", async () => {
  const s3 = await double();
  const presigner = presignerOf(await driverOn(s3));
  const options = { ...PUT, type: "text/plain", maxSize: 10, sha256: sha256(text("hello")) };
  const form = await presigner.post?.(KEY, options);
  if (form === undefined) throw new Error("no forms");
  expect(form).toMatchObject({ method: "POST", headers: {}, limitedBy: "request", url: `${s3.endpoint}/b` });
  const send = async (bytes: string, change: Record<string, string> = {}): Promise<number> => {
    const body = new FormData();
    for (const [name, value] of Object.entries({ ...form.fields, ...change })) body.set(name, value);
    body.set("file", new Blob([bytes]), "whatever.bin");
    return (await fetch(form.url, { method: "POST", body })).status;
  };
  expect(await send("jello"), "other bytes").toBe(400);
  expect(await send("hello world"), "too large").toBe(400);
  expect(await send("")).toBe(400);
  expect(await send("hello", { key: `${KEY}x` })).toBe(403);
  expect(await send("hello", { "Content-Type": "text/html" })).toBe(403);
  expect(await send("hello")).toBe(204);
  expect(await send("hello"), "S3 has no forms that are good once").toBe(204);
  expect(s3.object("b", KEY)).toMatchObject({ contentType: "text/plain", size: 5 });
  s3.shiftClock(61_000);
  expect(await send("hello")).toBe(403);
});

test("a form is by the server's clock, and for the base that was asked for", async () => {
  const s3 = await double();
  s3.shiftClock(-1_800_000);
  const { presigner } = await driverOn(s3, { settings: { linkEndpoint: "https://files.example.org" } });
  const form = await presigner?.post?.(KEY, PUT);
  expect(form?.url).toBe("https://files.example.org/b");
  const policy = JSON.parse(Buffer.from(form?.fields?.["Policy"] ?? "", "base64").toString()) as { expiration: string };
  expect(Date.parse(policy.expiration)).toBe(form?.expiresAt?.getTime());
  expect(Math.abs(Date.parse(policy.expiration) - s3.now().getTime() - 60_000)).toBeLessThan(5000);
});

test("there are no forms on R2, which takes none", async () => {
  const linkEndpoint = "https://0123456789abcdef.r2.cloudflarestorage.com";
  const { presigner } = await driverOn(await double(), { settings: { linkEndpoint } });
  await rejection(presigner?.post?.(KEY, PUT) ?? Promise.resolve(), "unsupported");
});

test("a link to upload into a bucket that isn't there is none", async () => {
  const driver = await driverOn(await double(), { bucket: "nowhere" });
  await rejection(presignerOf(driver).put(KEY, PUT), "no_such_bucket");
});

test("links end with the credentials, and a session whose end nobody knows says so", async () => {
  const s3 = await double();
  const keys = { kind: "keys", accessKeyId: "A", secretAccessKey: "s", sessionToken: "t" } as const;
  const end = new Date(Date.now() + 600_000);
  const sign = async (expiresAt: Date | null): ReturnType<Presigner["get"]> =>
    await presignerOf(await driverOn(s3, { settings: { credentials: { ...keys, expiresAt } } })).get(KEY, {
      expiresSeconds: 3600,
      disposition: SAVE,
      signal: calm,
    });
  expect(await sign(end)).toMatchObject({ expiresAt: end, limitedBy: "credentials" });
  expect(await sign(null)).toMatchObject({ expiresAt: null, limitedBy: "credentials" });
});

test("links have the base that was asked for", async () => {
  const s3 = await double();
  const driver = await driverOn(s3, { settings: { linkEndpoint: "https://files.example.org" } });
  const link = await presignerOf(driver).get(KEY, { expiresSeconds: 60, disposition: SAVE, signal: calm });
  expect(link.url).toMatch(/^https:\/\/files\.example\.org\/b\/tasks\//);
  await putText(driver, KEY);
});

test("the clock is the server's, once it was heard of", async () => {
  const s3 = await double();
  s3.shiftClock(3_600_000);
  const driver = await driverOn(s3);
  await putText(driver, KEY, "hello");
  const link = await presignerOf(driver).get(KEY, { expiresSeconds: 60, disposition: SAVE, signal: calm });
  expect((await fetch(link.url)).status).toBe(200);
});
