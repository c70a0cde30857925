/** An upload in parts that was interrupted goes on where it was, and only where that is right. */
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { AbortMultipartUploadCommand, S3Client, UploadPartCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TaskflowError } from "../../../../src/errors.ts";
import type { Body, StorageDriver, StoredObject } from "../../../../src/storage/driver.ts";
import type { Resume, ResumeEvent } from "../../../../src/storage/resume.ts";
import { bytesOf, putOptions } from "../../../conformance/bodies.ts";
import { rejection } from "../../../conformance/expect-code.ts";
import { reply, resetAfterStoring } from "../../../servers/s3-double/faults.ts";
import type { S3Double } from "../../../servers/s3-double/server.ts";
import { KEY, MiB, asked, double, driverOn, fileOf } from "../support.ts";

const PART = 8 * MiB;
const PARTS = 3;
const BYTES = bytesOf((PARTS - 1) * PART + 5);
const OTHER_KEY = KEY.replace("0001_", "0002_");
const DENIED = reply({ status: 403, code: "AccessDenied" });
const UNAVAILABLE = reply({ status: 503, code: "ServiceUnavailable" });

let root: string;
let s3: S3Double;
let events: ResumeEvent[];
let warnings: string[];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "taskflow-resume-"));
  s3 = await double();
  events = [];
  warnings = [];
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

const folder = (): string => path.join(root, "state", "uploads");
const noted = (): Promise<string[]> => readdir(folder());

/** The parts that arrived since the last look. */
function sent(): number {
  return s3.requests.filter(({ operation, status }) => operation === "UploadPart" && status === 200).length;
}

/** A process of its own, as far as the ledger can tell. */
function run(pid = 7, alive: readonly number[] = []): Promise<StorageDriver> {
  return driverOn(s3, {
    onWarning: (text) => warnings.push(text),
    settings: {
      retryForSeconds: 1,
      ledger: {
        folder: folder(),
        owner: { host: "here", boot: "first", pid },
        isAlive: (other) => alive.includes(other),
      },
    },
  });
}

interface PutMore extends Partial<Resume> {
  readonly body?: Body;
  readonly signal?: AbortSignal;
}

function put(driver: StorageDriver, key: string, { body, signal, ...more }: PutMore = {}): Promise<StoredObject> {
  const resume: Resume = { identity: "T-1 /a/report.pdf", anew: false, tell: (event) => events.push(event), ...more };
  return driver.put(key, body ?? fileOf(BYTES), putOptions({ resume, ...(signal === undefined ? {} : { signal }) }));
}

/** Its last part is read by `last`. */
function withLast(last: () => Promise<number>): Body {
  const file = fileOf(BYTES);
  return {
    ...file,
    readAt: async (buffer, position, length) =>
      position === (PARTS - 1) * PART ? await last() : ((await file.readAt?.(buffer, position, length)) ?? 0),
  };
}

async function othersThere(): Promise<void> {
  await expect.poll(() => s3.uploads("b")[0]?.parts.size, { interval: 5, timeout: 10_000 }).toBe(PARTS - 1);
}

/** A first run that loses the network once all parts but the last have arrived. */
async function interrupted(): Promise<void> {
  const body = withLast(async () => {
    await othersThere();
    throw new TaskflowError("network", "the link is down");
  });
  await rejection(put(await run(), KEY, { body }), "network");
  expect(events).toMatchObject([{ kind: "kept", size: BYTES.length }]);
  events = [];
  s3.clear();
}

function expectWhole(stored: StoredObject, key: string): void {
  expect(stored.key).toBe(key);
  expect(s3.keys("b")).toEqual([key]);
  expect(Buffer.compare(s3.bytes("b", key) ?? Buffer.alloc(0), BYTES)).toBe(0);
  expect(s3.uploads("b")).toEqual([]);
}

/** As another program would. */
async function asAnother(work: (client: S3Client, uploadId: string) => Promise<unknown>): Promise<void> {
  const { endpoint, region, credentials } = s3;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await work(client, s3.uploads("b")[0]?.id ?? "");
  client.destroy();
  s3.clear();
}

test("the next run sends the rest, under the key that was begun with, and tells what is there", async () => {
  await interrupted();
  expectWhole(await put(await run(), OTHER_KEY), KEY);
  expect(sent()).toBe(1);
  const begunAt = putOptions().record.createdAt;
  expect(events).toEqual([{ kind: "resuming", bytes: (PARTS - 1) * PART, size: BYTES.length, begunAt }]);
  expect(await noted()).toEqual([]);
});

test("a signal leaves the parts, and the next run finds them", async () => {
  const stop = new AbortController();
  const body = withLast(async () => {
    await othersThere();
    stop.abort();
    return 5;
  });
  await rejection(put(await run(), KEY, { body, signal: stop.signal }), "interrupted");
  expect(asked(s3).filter((line) => line.startsWith("Abort"))).toEqual([]);
  s3.clear();
  expectWhole(await put(await run(), OTHER_KEY), KEY);
  expect(sent()).toBe(1);
});

test.each([
  ["a denial", DENIED, "access_denied"],
  ["a store that fails", UNAVAILABLE, "network"],
  ["a quota that is full", reply({ status: 403, code: "QuotaExceeded" }), "io"],
  ["a store that waited in vain", reply({ status: 400, code: "RequestTimeout" }), "network"],
] as const)("%s leaves the parts", async (_, fault, code) => {
  s3.fault({ operation: "UploadPart" }, fault);
  await rejection(put(await run(), KEY), code);
  s3.clear();
  expectWhole(await put(await run(), OTHER_KEY), KEY);
});

test("bytes that changed are said so: the old parts go, and the key is a new one", async () => {
  await interrupted();
  const bytes = Uint8Array.from(BYTES);
  bytes[9 * MiB] = (bytes[9 * MiB] ?? 0) ^ 1;
  expect((await put(await run(), OTHER_KEY, { body: fileOf(bytes) })).key).toBe(OTHER_KEY);
  expect(events).toEqual([{ kind: "changed", begunAt: putOptions().record.createdAt }]);
  expect(sent()).toBe(PARTS);
  expect(s3.uploads("b")).toEqual([]);
});

test("another identity is another upload", async () => {
  await interrupted();
  expect((await put(await run(), OTHER_KEY, { identity: "T-2 /a/report.pdf" })).key).toBe(OTHER_KEY);
  expect(s3.uploads("b")).toHaveLength(1);
});

test("anew: what an earlier run left goes, and so does what this one leaves", async () => {
  await interrupted();
  s3.fault({ operation: "UploadPart", nth: 2 }, DENIED);
  await rejection(put(await run(), OTHER_KEY, { anew: true }), "access_denied");
  expect(s3.uploads("b")).toEqual([]);
  expect(await noted()).toEqual([]);
  expect(events).toEqual([]);
});

test("a body that ends early leaves nothing", async () => {
  await rejection(put(await run(), KEY, { body: withLast(() => Promise.resolve(0)) }), "changed");
  expect(s3.uploads("b")).toEqual([]);
  expect(await noted()).toEqual([]);
});

test.each(["NoSuchUpload", "NoSuchKey"])(
  "killed after the completion (%s): the object is ours, and nothing is sent",
  async (code) => {
    // Its entry is put back as it was, for a process of a test goes on where a killed one doesn't.
    let entry: { name: string; text: string } | null = null;
    const body = withLast(async () => {
      const [name = ""] = await noted();
      entry = { name, text: await readFile(path.join(folder(), name), "utf8") };
      throw new TaskflowError("network", "the link is down");
    });
    await rejection(put(await run(), KEY, { body }), "network");
    await put(await run(), OTHER_KEY);
    const { name, text } = entry ?? { name: "", text: "" };
    await writeFile(path.join(folder(), name), text);
    s3.clear();
    // RADOS Gateway has its own word for it.
    if (code !== "NoSuchUpload") s3.fault({ operation: "ListParts" }, reply({ status: 404, code }));
    expectWhole(await put(await run(8), OTHER_KEY), KEY);
    expect(asked(s3)).toEqual([`ListParts ${code}`, "HeadObject 200"]);
    expect(await noted()).toEqual([]);
  },
);

test("the outcome of the completion is not to be known: the next run finds the object", async () => {
  s3.fault({ operation: "CompleteMultipartUpload" }, resetAfterStoring());
  void s3
    .arrival({ operation: "CompleteMultipartUpload" })
    .then(() => s3.fault({ operation: "HeadObject" }, UNAVAILABLE));
  await rejection(put(await run(), KEY), "network");
  s3.clear();
  expectWhole(await put(await run(), OTHER_KEY), KEY);
  expect(sent()).toBe(0);
});

test("an upload that the bucket's rule took begins anew", async () => {
  await interrupted();
  await asAnother((client, UploadId) =>
    client.send(new AbortMultipartUploadCommand({ Bucket: "b", Key: KEY, UploadId })),
  );
  expectWhole(await put(await run(), OTHER_KEY), OTHER_KEY);
  expect(await noted()).toEqual([]);
});

test("past the date at which the rule takes the parts nothing of them is used", async () => {
  await interrupted();
  const [name = ""] = await noted();
  const file = path.join(folder(), name);
  const entry = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...entry, abortAt: "2020-01-01T00:00:00.000Z" }));
  expectWhole(await put(await run(), OTHER_KEY), OTHER_KEY);
});

test("a part that holds other bytes of the same length is sent again", async () => {
  await interrupted();
  const Body = bytesOf(PART, 2);
  await asAnother((client, UploadId) =>
    client.send(new UploadPartCommand({ Bucket: "b", Key: KEY, UploadId, PartNumber: 2, Body })),
  );
  expectWhole(await put(await run(), OTHER_KEY), KEY);
  expect(sent()).toBe(2);
});

test("who may not list the parts sends them again, over the same ones", async () => {
  await interrupted();
  s3.fault({ operation: "ListParts" }, DENIED);
  expectWhole(await put(await run(), OTHER_KEY), KEY);
  expect(sent()).toBe(PARTS);
});

test("a store that can't be asked for its parts leaves them to the next run", async () => {
  await interrupted();
  s3.fault({ operation: "ListParts" }, UNAVAILABLE);
  await rejection(put(await run(), OTHER_KEY), "network");
  s3.clear();
  expectWhole(await put(await run(), OTHER_KEY), KEY);
});

test("two at once don't share it: the second sends its own, and says so", async () => {
  const first = await run(8);
  const [one, two] = await Promise.all([
    put(first, KEY),
    s3.arrival({ operation: "UploadPart" }).then(async () => await put(await run(9, [8]), OTHER_KEY)),
  ]);
  expect([one.key, two.key]).toEqual([KEY, OTHER_KEY]);
  expect(events).toEqual([{ kind: "busy" }]);
  expect(await noted()).toEqual([]);
});

test("where nothing can be noted it is uploaded all the same, and said once", async () => {
  await writeFile(path.join(root, "state"), "in the way");
  expectWhole(await put(await run(), KEY), KEY);
  expect(warnings).toEqual([expect.stringContaining(folder())]);
});
