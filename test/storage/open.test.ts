import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDriver } from "../../src/storage/open.ts";
import { calm, keysOf, putText } from "../conformance/bodies.ts";
import { rejection } from "../conformance/expect-code.ts";

let parent = "";

beforeAll(async () => {
  parent = await mkdtemp(path.join(os.tmpdir(), "taskflow-open-"));
});

afterAll(async () => {
  await rm(parent, { recursive: true, force: true });
});

describe("openDriver", () => {
  test("of a folder that is no store is `no_store`, and names the folder", async () => {
    const folder = path.join(parent, "none");
    const error = await rejection(openDriver({ kind: "folder", path: folder }, { create: false }), "no_store");
    expect(error.message).toContain(folder);
  });

  test("makes a folder store, tells of it, and checks what reaches it", async () => {
    const folder = path.join(parent, "store");
    const created: string[] = [];
    const driver = await openDriver(
      { kind: "folder", path: folder },
      { create: true, onCreated: (root) => created.push(root), concurrency: 2 },
    );
    expect(created).toEqual([driver.location]);
    await Promise.all(Array.from({ length: 10 }, (_, n) => putText(driver, `tasks/T-1/${n}`)));
    expect(await keysOf(driver.list("", { signal: calm }))).toHaveLength(10);
    await rejection(putText(driver, "tasks/../x"), "usage");
    await driver.close();
  });
});
