/** The regular files of a folder and all below it, in name order; symlinks are not followed. */
import { readdir, realpath } from "node:fs/promises";
import path from "node:path";
import { TaskflowError } from "../errors.ts";

export interface WalkedFile {
  readonly path: string;
  /** From the folder down, between slashes. */
  readonly relative: string;
}

export interface WalkOptions {
  /** A folder that is passed over, by its real path. */
  readonly except?: string;
  /** Told, from the folder down, what is neither a folder nor a regular file. */
  readonly leftOut?: (relative: string) => void;
}

/** Errors: `permission`, `not_found`, `io` for a folder that can't be read: a walk is never shorter than the truth. */
export async function* walkFolder(
  folder: string,
  options: WalkOptions = {},
  below = "",
): AsyncGenerator<WalkedFile, void, undefined> {
  if (options.except !== undefined && (await realpath(path.join(folder, below)).catch(() => null)) === options.except) {
    return;
  }
  const entries = await readdir(path.join(folder, below), { withFileTypes: true }).catch((error: unknown) => {
    throw folderError(path.join(folder, below), error);
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const relative = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* walkFolder(folder, options, relative);
    else if (entry.isFile()) yield { path: path.join(folder, relative), relative };
    else options.leftOut?.(relative);
  }
}

function folderError(folder: string, error: unknown): TaskflowError {
  const { code } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (code === "EACCES" || code === "EPERM") {
    return new TaskflowError("permission", `permission denied: ${folder}`, options);
  }
  if (code === "ENOENT" || code === "ENOTDIR")
    return new TaskflowError("not_found", `no such folder: ${folder}`, options);
  return new TaskflowError("io", `cannot read ${folder}: ${code ?? "unknown"}`, options);
}
