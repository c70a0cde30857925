/** Reliability table A on a bucket: a file that changes under its upload, in one request or in parts. */
import { randomUUID } from "node:crypto";
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytesOf } from "../conformance/bodies.ts";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { sha256 } from "./snapshot.ts";

const MIB = 1024 * 1024;
const SMALL = 100_000;
const LARGE = 17 * MIB;

type Change = (file: string) => void;

const CHANGES: readonly [string, Change][] = [
  ["A5 grows", (file) => appendFileSync(file, "more")],
  ["A6 shrinks", (file) => truncateSync(file, 2)],
  ["A6 is emptied", (file) => truncateSync(file, 0)],
  ["A7 is rewritten at the same size", (file) => writeFileSync(file, "HELLO", { flag: "r+" })],
];

/** When a file changes: once it is open, or at the arrival of a request. */
const MOMENTS: readonly [string, number, string | null][] = [
  ["in one request, before it is read", SMALL, null],
  ["in parts, before it is read", LARGE, null],
  ["in parts, between the two passes", LARGE, "CreateMultipartUpload"],
  ["in parts, while the first are on their way", LARGE, "UploadPart"],
];

/** Uploads `big.bin` while `change` happens at that moment. */
async function uploadWhile(
  world: S3World,
  { size, moment, change }: { size: number; moment: string | null; change: Change },
): ReturnType<S3World["run"]> {
  const file = await world.write("big.bin", bytesOf(size));
  const arrived = moment === null ? null : world.s3.arrival({ operation: moment }).then(() => change(file));
  const running = world.run(["attach", "upload", "T-1", file, "--quiet"], {
    uuid: () => {
      if (moment === null) change(file);
      return randomUUID();
    },
  });
  const result = await running;
  await arrived;
  return result;
}

describe.each(MOMENTS)("%s, a file that", (_, size, moment) => {
  test.each(CHANGES)("%s is exit 6, and nothing of it stays", async (_name, change) => {
    const world = await createS3World();
    const { status, stdout, stderr } = await uploadWhile(world, { size, moment, change });
    expect({ status, stdout, stderr }).toEqual({ status: 6, stdout: "", stderr });
    expect(stderr).toMatch(/changed while it was read/);
    expect(world.s3.versions(BUCKET)).toEqual([]);
    expect(world.s3.uploads(BUCKET)).toEqual([]);
  });

  test("A8 is replaced by another is stored as it was opened", async () => {
    const world = await createS3World();
    const other = await world.write("other.bin", "the other");
    const { status, stdout } = await uploadWhile(world, { size, moment, change: (file) => renameSync(other, file) });
    expect(status).toBe(0);
    expect(sha256(world.s3.bytes(BUCKET, stdout.trimEnd()) ?? Buffer.alloc(0))).toBe(sha256(bytesOf(size)));
  });
});
