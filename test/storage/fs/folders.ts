/** Folders of a test's own, and looks at a store from beside the driver. */
import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import { openFolder } from "../../../src/storage/fs/driver.ts";
import type { FolderOptions } from "../../../src/storage/fs/driver.ts";

/** Paths that do not exist yet, in a folder that is removed in the end. */
export function freshPaths(name: string): () => Promise<string> {
  let parent: Promise<string> | null = null;
  let count = 0;
  afterAll(async () => {
    if (parent !== null) await rm(await parent, { recursive: true, force: true });
  });
  return async () => {
    parent ??= mkdtemp(path.join(os.tmpdir(), `taskflow-${name}-`));
    return path.join(await parent, `store-${(count += 1)}`);
  };
}

export function openStore(folder: string, options: Partial<FolderOptions> = {}): Promise<StorageDriver> {
  return openFolder(folder, { create: true, ...options });
}

/** Every path below a folder, sorted, with a `/` after directories; names of chance are `*`. */
export async function treeOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const relative = path.relative(folder, path.join(entry.parentPath, entry.name));
      const named = relative.replaceAll(/\d{13}-[0-9a-f]{16}/g, "*").replaceAll(/[0-9a-f-]{36}\.part/g, "*.part");
      return entry.isDirectory() ? `${named}/` : named;
    })
    .sort();
}

/** Octal modes of all that is below a folder, and of itself, each once. */
export async function modesOf(folder: string): Promise<{ files: string[]; directories: string[] }> {
  const paths = [folder];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    paths.push(path.join(entry.parentPath, entry.name));
  }
  const found = { files: new Set<string>(), directories: new Set<string>() };
  for (const each of paths) {
    const status = await lstat(each);
    const mode = (status.mode & 0o7777).toString(8);
    (status.isDirectory() ? found.directories : found.files).add(mode);
  }
  return { files: [...found.files], directories: [...found.directories] };
}

/** A file of another program, with the directories above it. */
export async function plant(store: string, name: string, content = "foreign"): Promise<void> {
  const file = path.join(store, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}
