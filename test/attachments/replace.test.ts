import { mkdtemp, rm } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFileSource } from "../../src/attachments/file-source.ts";
import { upload } from "../../src/attachments/upload.ts";
import type { UploadResult } from "../../src/attachments/upload.ts";
import { openDriver } from "../../src/storage/open.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";

const { signal } = new AbortController();
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "taskflow-replace-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function attach(driver: StorageDriver, replace = false): Promise<UploadResult> {
  const source = await openFileSource(import.meta.filename);
  try {
    const tools = { now: () => new Date(), uuid: () => randomUUID() };
    return await upload(driver, { task: "T-1", name: "a.txt", source, replace, signal }, tools);
  } finally {
    await source.close();
  }
}

test("an upload that another one has deleted already gives way to it, whatever time its own reply told", async () => {
  const driver = await openDriver({ kind: "folder", path: path.join(folder, "store") }, { create: true });
  const old = await attach(driver);
  let rival: UploadResult | null = null;
  const raced: StorageDriver = {
    ...driver,
    async put(...args) {
      rival = await attach(driver);
      const stored = await driver.put(...args);
      for await (const { error } of driver.delete([stored.key], { signal })) expect(error).toBeUndefined();
      return stored;
    },
  };
  const { replaced, supersededBy } = await attach(raced, true);
  const winner = (rival as UploadResult | null)?.attachment.key;
  expect({ replaced, supersededBy }).toEqual({ replaced: [old.attachment.key], supersededBy: winner });
  const left: string[] = [];
  for await (const { key } of driver.list("tasks/T-1/", { signal })) left.push(key);
  expect(left).toEqual([winner]);
});
