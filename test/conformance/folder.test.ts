/** The folder store, bare, in each wrapper, and as everybody opens it. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { checked } from "../../src/storage/checked.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { openFolder } from "../../src/storage/fs/driver.ts";
import { limit } from "../../src/storage/limit.ts";
import { openDriver } from "../../src/storage/open.ts";
import { describeDriver } from "./suite.ts";

/** The wrappers are run in memory where that can be had: what they add has nothing to do with a disk. */
const MEMORY = "/dev/shm";
const parents = { disk: "", memory: "" };

beforeAll(async () => {
  parents.disk = await mkdtemp(path.join(os.tmpdir(), "taskflow-conformance-"));
  parents.memory = await mkdtemp(path.join(existsSync(MEMORY) ? MEMORY : os.tmpdir(), "taskflow-conformance-"));
});

afterAll(async () => {
  for (const parent of Object.values(parents)) await rm(parent, { recursive: true, force: true });
});

interface Where {
  readonly on: keyof typeof parents;
  readonly manyKeys: number;
}

function describeFolder(name: string, where: Where, open: (folder: string) => Promise<StorageDriver>): void {
  let count = 0;
  describeDriver(name, {
    makeDriver: () => open(path.join(parents[where.on], `${name.replaceAll(/[^a-z]+/g, "-")}-${(count += 1)}`)),
    reopen: (driver) => open(driver.location),
    async plant(driver, key, bytes) {
      const file = path.join(driver.location, key);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
    },
    exceptions: {
      writtenOnce: "a key is a path: bytes under it are never replaced, and what was deleted keeps its name",
      ...(process.platform === "darwin" ? { foldsNames: "the file system of macOS" } : {}),
    },
    manyKeys: where.manyKeys,
  });
}

const bare = (folder: string): Promise<StorageDriver> => openFolder(folder, { create: true });

const memory: Where = { on: "memory", manyKeys: 300 };

describeFolder("folder", { on: "disk", manyKeys: 1100 }, bare);
describeFolder("folder, checked", memory, async (folder) => checked(await bare(folder)));
describeFolder("folder, limited to 2", memory, async (folder) => limit(await bare(folder), 2));
describeFolder("folder, opened", memory, (folder) => openDriver({ kind: "folder", path: folder }, { create: true }));
