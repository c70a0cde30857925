/**
 * An upload that was killed, and run again: what the server keeps of it. `npm test` runs it on the double,
 * `npm run test:ceph`, `test:moto` and `test:aws` on others.
 */
import { cp, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ListMultipartUploadsCommand, ListPartsCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { keyOf } from "../bin/support.ts";
import { bytesOf } from "../conformance/bodies.ts";
import { openScene, sha256 } from "./scene-support.ts";

const MIB = 1024 * 1024;
const BYTES = bytesOf(20 * MIB);

const scene = await openScene();
const { server, buckets, bucket, task, done, stored, kept } = scene;
const file = (...parts: string[]): string => scene.sandbox().path(...parts);
const noted = (): string => path.join(scene.sandbox().home, ".local/state/taskflow/uploads");

/** The parts that the server has of an unfinished upload; 0 where there is none. */
async function partsThere(): Promise<number> {
  const where = { Bucket: bucket, Prefix: `tasks/${task()}/` };
  const { Uploads = [] } = await buckets.client.send(new ListMultipartUploadsCommand(where));
  const [{ Key, UploadId } = {}] = Uploads;
  if (UploadId === undefined) return 0;
  const { Parts = [] } = await buckets.client.send(new ListPartsCommand({ Bucket: bucket, Key, UploadId }));
  return Parts.length;
}

async function killed(): Promise<void> {
  const running = scene.start(["upload", task(), "large.bin", "--limit-rate", "5M"]);
  await expect.poll(partsThere, { interval: 100, timeout: 30_000 }).toBeGreaterThan(0);
  running.child.kill("SIGKILL");
  expect((await running.finished).signal).toBe("SIGKILL");
}

test(`a killed upload goes on where it was, and one that was killed as it ended is found (${server.name})`, async () => {
  await writeFile(file("large.bin"), BYTES);
  await killed();
  await cp(noted(), file("before"), { recursive: true });
  const finished = await done(["upload", task(), "large.bin"]);
  expect(finished.stderr).toMatch(/^resuming: \d+\.\d of 20\.0 MiB are there, begun /m);
  const key = keyOf(finished);
  expect(sha256(await stored(key))).toBe(sha256(BYTES));
  expect(await kept()).toEqual({ versions: 1, markers: 0, unfinished: 0 });
  // As if it had been killed between its completion and its last words.
  await rm(noted(), { recursive: true });
  await rename(file("before"), noted());
  expect(keyOf(await done(["upload", task(), "large.bin"]))).toBe(key);
  expect(await kept()).toEqual({ versions: 1, markers: 0, unfinished: 0 });
});

test("a file that changed leaves nothing of what was sent before", async () => {
  await writeFile(file("large.bin"), BYTES);
  await killed();
  const other = bytesOf(20 * MIB, 2);
  await writeFile(file("large.bin"), other);
  const finished = await done(["upload", task(), "large.bin"]);
  expect(finished.stderr).toContain("the file changed since ");
  expect(sha256(await stored(keyOf(finished)))).toBe(sha256(other));
  expect(await kept()).toEqual({ versions: 1, markers: 0, unfinished: 0 });
});
