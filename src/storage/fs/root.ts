/** Finding and making the folder of a store. */
import { mkdir, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { TaskflowError } from "../../errors.ts";
import { DIRECTORY_MODE } from "./durable.ts";
import type { Durable } from "./durable.ts";
import { isErrno } from "./errors.ts";
import { publishFile, publishFormat, readFormat } from "./format.ts";
import { levelsExist, look } from "./levels.ts";
import { layoutOf } from "./paths.ts";
import type { Layout } from "./paths.ts";

export interface RootOptions {
  /** Make the store where there is none. */
  readonly create: boolean;
  /** Called once, and only by the one that made the store. */
  readonly onCreated?: (root: string) => void;
  readonly onWarning?: (text: string) => void;
  /** Who runs this; another owner of the folder is worth a warning. */
  readonly uid?: number;
}

export interface Root {
  readonly layout: Layout;
  /** Whether `.taskflow/format` is there: without it, the folder was filled by other programs only. */
  readonly hasFormat: boolean;
}

/**
 * The store in a folder: one with `.taskflow/format`, or with `tasks/` that other programs filled.
 * Errors: `no_store` where there is none and `create` isn't set; `bad_config` for `/`, a file, symlinks inside;
 * `unsupported` for a newer format.
 */
export async function openRoot(folder: string, durable: Durable, options: RootOptions): Promise<Root> {
  const resolved = await resolveFolder(folder);
  if (resolved === null && !options.create) throw noStore(folder);
  const root = resolved ?? (await makeRoot(folder, durable));
  const layout = layoutOf(root);
  if (levelsExist(layout.own) && readFormat(layout) !== null) {
    warnOfOthers(root, options);
    return { layout, hasFormat: true };
  }
  if (levelsExist(layout.tasks)) {
    warnOfOthers(root, options);
    return { layout, hasFormat: false };
  }
  if (!options.create) throw noStore(folder);
  if (await makeStore(layout, durable)) options.onCreated?.(root);
  warnOfOthers(root, options);
  return { layout, hasFormat: true };
}

/**
 * Makes `.taskflow` with its format, in a folder that exists. A kill at any point leaves what the next call completes.
 * Gives whether this call published the format.
 */
export async function makeFormat(layout: Layout, durable: Durable): Promise<boolean> {
  await durable.ensureDirectory(layout.own);
  await durable.ensureDirectory(layout.staging);
  const ours = await publishFormat(layout);
  await durable.syncDirectory(layout.own);
  // Not ours: it may be of a newer taskflow.
  if (!ours) readFormat(layout);
  return ours;
}

async function makeStore(layout: Layout, durable: Durable): Promise<boolean> {
  const names = await readdir(layout.root);
  await durable.ensureDirectory(layout.own);
  await durable.ensureDirectory(layout.staging);
  // In a folder with things of others `*` would hide those from git.
  if (names.every((name) => name === ".taskflow" || name === ".gitignore")) {
    await publishFile(layout, layout.gitignore, "*\n");
    await durable.syncDirectory(layout.root);
  }
  return await makeFormat(layout, durable);
}

/** `null` where there is nothing. */
async function resolveFolder(folder: string): Promise<string | null> {
  let root: string;
  try {
    root = await realpath(folder);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    if (look(folder)?.isSymbolicLink() !== true) return null;
    throw new TaskflowError("bad_config", `${folder} is a symbolic link that leads nowhere`);
  }
  if (root === path.parse(root).root) {
    throw new TaskflowError("bad_config", `the store can't be ${root} itself`, { hint: "name a folder in it" });
  }
  if (!(await stat(root)).isDirectory()) {
    throw new TaskflowError("bad_config", `${folder} is a file; a store is a folder`, { context: { path: root } });
  }
  return root;
}

/** The folder, 0700, with the folders above it that are missing; each entry durable. */
async function makeRoot(folder: string, durable: Durable): Promise<string> {
  await makeAbove(folder, durable);
  await durable.ensureDirectory(folder);
  return await realpath(folder);
}

async function makeAbove(folder: string, durable: Durable): Promise<void> {
  const parent = path.dirname(folder);
  if (parent === folder || (await exists(parent))) return;
  await makeAbove(parent, durable);
  // Not the store's own yet, so as open as the umask leaves it. EEXIST: somebody else made it just now.
  await mkdir(parent, { recursive: true });
  await durable.syncDirectory(path.dirname(parent));
}

async function exists(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

function warnOfOthers(root: string, { onWarning, uid }: RootOptions): void {
  const status = look(root);
  if (onWarning === undefined || status === null) return;
  if ((status.mode & 0o022) !== 0) {
    const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
    onWarning(`${root} can be written by others (mode ${mode}): chmod ${DIRECTORY_MODE.toString(8)} it`);
  }
  if (uid !== undefined && status.uid !== uid) onWarning(`${root} belongs to another user (uid ${status.uid})`);
}

function noStore(folder: string): TaskflowError {
  return new TaskflowError("no_store", `there is no store in ${folder}`, { context: { path: folder } });
}
