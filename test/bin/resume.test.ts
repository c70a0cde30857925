/** The built program, killed again and again while it uploads to a bucket, and what the server saw of it. */
import { randomInt } from "node:crypto";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bytesOf } from "../conformance/bodies.ts";
import { silent } from "../servers/s3-double/faults.ts";
import { startS3Double } from "../servers/s3-double/server.ts";
import type { S3Double } from "../servers/s3-double/server.ts";
import { createSandbox, keyOf } from "./support.ts";
import type { Finished, Running, Sandbox } from "./support.ts";

const MiB = 1024 * 1024;
const BUCKET = "acme";
const PARTS = 5;
const BYTES = bytesOf((PARTS - 1) * 8 * MiB + 3 * MiB);
const BEGUN = /^resuming: \d+\.\d of 35\.0 MiB are there, begun \d+ \w{3} \d\d:\d\d$/m;

let s3: S3Double;
let sandbox: Sandbox;

beforeEach(async () => {
  s3 = await startS3Double({ buckets: { [BUCKET]: {} } });
  sandbox = await createSandbox();
  await writeFile(sandbox.path("large.bin"), BYTES);
});

afterEach(async () => {
  await s3.close();
});

function env(): Record<string, string> {
  const { accessKeyId, secretAccessKey } = s3.credentials;
  return {
    TASKFLOW_STORE: `s3://${BUCKET}`,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

const start = (...options: string[]): Running =>
  sandbox.start(["attach", "upload", "T-1", "large.bin", ...options], { env: env() });

async function done(running: Running): Promise<Finished> {
  const finished = await running.finished;
  expect({ status: finished.status, stderr: finished.stderr }).toEqual({ status: 0, stderr: finished.stderr });
  return finished;
}

/** So many requests more have come. */
async function arrivals(operation: string | undefined, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await s3.arrival(operation === undefined ? {} : { operation });
}

async function killed(running: Running): Promise<void> {
  running.child.kill("SIGKILL");
  await running.finished;
}

async function noted(): Promise<string[]> {
  return await readdir(`${sandbox.home}/.local/state/taskflow/uploads`).catch(() => []);
}

/** The numbers of the parts that were sent since the log had so many requests. */
function sentNumbers(from: number): number[] {
  const parts = s3.requests.slice(from).filter(({ operation }) => operation === "UploadPart");
  return parts.map(({ query }) => Number(query["partNumber"]));
}

/** The numbers of the parts that are there when a run asks: a stopped run's last bytes may still arrive after its end. */
async function thereWhenAsked(): Promise<number[]> {
  const { query } = await s3.arrival({ operation: "ListParts" });
  const upload = s3.uploads(BUCKET).find(({ id }) => id === query["uploadId"]);
  return [...(upload?.parts.keys() ?? [])];
}

function expectWhole(key: string): void {
  expect(s3.keys(BUCKET)).toEqual([key]);
  expect(Buffer.compare(s3.bytes(BUCKET, key) ?? Buffer.alloc(0), BYTES)).toBe(0);
  // One that was begun in the moment of a kill, and never noted, has none.
  expect(s3.uploads(BUCKET).filter(({ parts }) => parts.size > 0)).toEqual([]);
}

test("ten times SIGKILL anywhere in an upload: the bytes are whole, and no part that was there is sent again", async () => {
  let resumed = 0;
  for (let kills = 0; kills < 10 || (resumed === 0 && kills < 50);) {
    const from = s3.requests.length;
    const asked = thereWhenAsked();
    const running = start();
    // Some more than a whole run has: now and then one ends before it is killed. Parts arrive four at once: the moment
    // after an arrival is the one in which some are there and others aren't.
    const isDue = arrivals(undefined, randomInt(1, PARTS + 6))
      .then(() => setTimeout(randomInt(0, 40)))
      .then(() => false);
    const isOver = await Promise.race([running.finished.then(() => true), isDue]);
    if (!isOver) await killed(running);
    // The parts that were there when it asked; a run that was killed before it asked has sent none.
    const there = await Promise.race([asked, Promise.resolve<number[]>([])]);
    if (there.length > 0) resumed += 1;
    expect(sentNumbers(from).filter((number) => there.includes(number))).toEqual([]);
    if (isOver) await done(running);
    else kills += 1;
    // Whole, with nothing left to go on with: the next run's would be another attachment.
    const [key] = s3.keys(BUCKET);
    if (key !== undefined && (isOver || (await noted()).length === 0)) {
      expectWhole(key);
      s3.delete(BUCKET, key);
    }
  }
  expectWhole(keyOf(await done(start())));
  expect(await noted()).toEqual([]);
  expect(resumed).toBeGreaterThan(0);
});

/** An upload that is stopped once a part is there, and the `nth` part that it sends never gets an answer. */
async function stopped(signal: NodeJS.Signals, nth: number, ...options: string[]): Promise<Finished> {
  const hanging = s3.fault({ operation: "UploadPart", nth }, silent());
  const running = start(...options);
  await vi.waitFor(
    () => {
      expect(hanging.hits).toBe(1);
      expect(s3.uploads(BUCKET)[0]?.parts.size).toBeGreaterThan(0);
    },
    { interval: 5, timeout: 20_000 },
  );
  running.child.kill(signal);
  const finished = await running.finished;
  hanging.remove();
  return finished;
}

test("Ctrl-C: exit 130, the parts stay, and the same command says what is there and sends the rest", async () => {
  const { status, stderr } = await stopped("SIGINT", PARTS);
  expect(status).toBe(130);
  expect(stderr).toMatch(/^\d+\.\d of 35\.0 MiB are there: the same command sends the rest$/m);
  const from = s3.requests.length;
  const asked = thereWhenAsked();
  const finished = await done(start());
  expect(finished.stderr).toMatch(BEGUN);
  expectWhole(keyOf(finished));
  const sent = [...(await asked), ...sentNumbers(from)];
  expect(sent.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
});

test("a file that changed is uploaded anew, and said so; one that was only touched is gone on with", async () => {
  await stopped("SIGTERM", PARTS);
  const later = new Date(Date.now() + 5000);
  await utimes(sandbox.path("large.bin"), later, later);
  expect((await stopped("SIGTERM", 1)).stderr).toMatch(BEGUN);
  BYTES[20] = (BYTES[20] ?? 0) ^ 1;
  await writeFile(sandbox.path("large.bin"), BYTES);
  const finished = await done(start());
  expect(finished.stderr).toMatch(/^the file changed since \d+ \w{3} \d\d:\d\d: starting anew/m);
  expectWhole(keyOf(finished));
});

test("--no-resume leaves nothing behind, and takes what was left away", async () => {
  await stopped("SIGINT", PARTS);
  expect(s3.uploads(BUCKET)).toHaveLength(1);
  const { status, stderr } = await stopped("SIGINT", PARTS, "--no-resume");
  expect({ status, stderr }).toEqual({ status: 130, stderr: "error: interrupted by SIGINT\n" });
  expect(s3.uploads(BUCKET)).toEqual([]);
  expect(await noted()).toEqual([]);
});
