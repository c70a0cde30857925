import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { downloadFile } from "../../src/attachments/download.ts";
import { verify } from "../../src/attachments/verify.ts";
import { TaskflowError } from "../../src/errors.ts";
import type { StorageDriver, StoredObject } from "../../src/storage/driver.ts";
import { openDriver } from "../../src/storage/open.ts";
import { bodyOf, bytesOf, putOptions, sha256, text } from "../conformance/bodies.ts";

const KEY = "tasks/T-1/0b9c6f0e-8a8e-4e0e-9d8e-1f2a3b4c5d6e_report.pdf";
const { signal } = new AbortController();

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function makeStore(): Promise<{ driver: StorageDriver; folder: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), "taskflow-verify-"));
  folders.push(folder);
  return { driver: await openDriver({ kind: "folder", path: path.join(folder, "store") }, { create: true }), folder };
}

test("any of 1,000 flipped bits is found by verify and by download, which leaves no file", async () => {
  const { driver, folder } = await makeStore();
  const bytes = bytesOf(20_000);
  await driver.put(KEY, bodyOf(bytes), putOptions());
  const target = path.join(folder, "copies");
  const file = await open(path.join(folder, "store", KEY), "r+");
  let found = 0;
  try {
    for (let round = 0; round < 1000; round += 1) {
      const at = (round * 7919 + 13) % bytes.length;
      const before = bytes[at] ?? 0;
      await file.write(Uint8Array.of(before ^ (1 << (round % 8))), 0, 1, at);
      const told = await verify(driver, KEY, { signal });
      const refused = await downloadFile(driver, KEY, { folder: target, signal }).then(
        () => null,
        (error: unknown) => error,
      );
      if (told?.verified === "mismatch" && (refused as TaskflowError).code === "checksum_mismatch") found += 1;
      await file.write(Uint8Array.of(before), 0, 1, at);
    }
  } finally {
    await file.close();
  }
  expect(found).toBe(1000);
  expect(await readdir(target)).toEqual([]);
  expect(await verify(driver, KEY, { signal })).toMatchObject({ verified: "sha256" });
});

test("a mismatch tells both digests, and each byte that was read is told once", async () => {
  const { driver, folder } = await makeStore();
  await driver.put(KEY, bodyOf(bytesOf(2_000_000)), putOptions());
  const other = bytesOf(2_000_000, 2);
  await writeFile(path.join(folder, "store", KEY), other);
  let read = 0;
  const told = await verify(driver, KEY, {
    signal,
    onBytes: (count) => {
      read += count;
    },
  });
  expect(told).toMatchObject({ verified: "mismatch", found: sha256(other), attachment: { key: KEY } });
  expect(read).toBe(2_000_000);
  const { error } = told as { error: TaskflowError };
  expect(error.code).toBe("checksum_mismatch");
  expect(error.hint).toBe(`SHA-256 recorded ${sha256(bytesOf(2_000_000))}, found ${sha256(other)}`);
});

describe("what is known before a byte was read", () => {
  const object: StoredObject = {
    key: KEY,
    size: 5,
    modifiedAt: new Date(0),
    storageClass: "STANDARD",
    type: "text/plain",
    record: null,
    tags: {},
  };
  const record = {
    name: "report.pdf",
    sha256: sha256(text("hello")),
    createdAt: new Date(0),
    uploadedBy: null,
    note: null,
    meta: {},
  };

  /** A store with this one object, whose bytes must not be asked for. */
  function storeWith(found: StoredObject | TaskflowError): { driver: StorageDriver; closed: () => number } {
    let closed = 0;
    const chunks = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error("nobody needs the bytes")),
        return: () => {
          closed += 1;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    const get = (): ReturnType<StorageDriver["get"]> =>
      found instanceof TaskflowError ? Promise.reject(found) : Promise.resolve({ object: found, chunks });
    return { driver: { get } as unknown as StorageDriver, closed: () => closed };
  }

  test("without a record it is unrecorded, and what was opened is closed", async () => {
    const { driver, closed } = storeWith(object);
    expect(await verify(driver, KEY, { signal })).toMatchObject({ verified: "unrecorded" });
    expect(closed()).toBe(1);
  });

  test("with a damaged record it is a mismatch that says how", async () => {
    const { driver, closed } = storeWith({ ...object, damaged: "its record is not JSON" });
    expect(await verify(driver, KEY, { signal })).toMatchObject({
      verified: "mismatch",
      found: null,
      error: { code: "checksum_mismatch", message: `the record of ${KEY} is damaged: its record is not JSON` },
    });
    expect(closed()).toBe(1);
  });

  test("with another size than was recorded it is a mismatch", async () => {
    const { driver, closed } = storeWith({ ...object, record: { ...record, size: 6 } });
    expect(await verify(driver, KEY, { signal })).toMatchObject({
      verified: "mismatch",
      found: null,
      error: { message: `${KEY} is not what was attached: it has 5 bytes, 6 were recorded` },
    });
    expect(closed()).toBe(1);
  });

  test("one that was deleted meanwhile is no answer and no error", async () => {
    const { driver } = storeWith(new TaskflowError("not_found", "gone"));
    expect(await verify(driver, KEY, { signal })).toBeNull();
  });

  test("what can't be read is the driver's error", async () => {
    const { driver } = storeWith(new TaskflowError("io", "the disk fails"));
    await expect(verify(driver, KEY, { signal })).rejects.toMatchObject({ code: "io" });
  });
});
