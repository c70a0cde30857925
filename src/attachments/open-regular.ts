/** Opening what is to be read: a regular file, and nothing that could hang. */
import { constants, fstatSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { lstat, open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { TaskflowError } from "../errors.ts";

/** Symlinks are followed. Errors: `not_found`; `usage` for what is no regular file; `permission`; `io`. */
export async function openRegular(path: string): Promise<{ file: FileHandle; status: BigIntStats }> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw await openError(path, error);
  }
  try {
    // The status of an open file is in memory: at once it costs a tenth of what it takes through the thread pool.
    const status = fstatSync(file.fd, { bigint: true });
    if (status.isFile()) return { file, status };
    throw status.isDirectory() ? isDirectory(path) : notRegular(path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openError(path: string, error: unknown): Promise<TaskflowError> {
  const options = { cause: error };
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ENOTDIR": {
      if (path.includes("\uFFFD")) {
        return new TaskflowError("not_found", `the name of this file is not UTF-8 and can't be opened: ${path}`, {
          ...options,
          hint: "pipe it in: taskflow attach upload TASK - --name NAME < FILE",
        });
      }
      const dangling = await isLink(path);
      return new TaskflowError("not_found", `no such file: ${path}${dangling ? " (a link that leads nowhere)" : ""}`, {
        ...options,
        hint: dangling ? "the file it points to is missing" : "check the path",
      });
    }
    case "EACCES":
    case "EPERM":
      return new TaskflowError("permission", `permission denied: ${path}`, options);
    case "EISDIR":
      return isDirectory(path);
    case "ELOOP":
      return new TaskflowError("usage", `a link that leads back to itself: ${path}`, { ...options, hint: null });
    case "ENXIO":
    case "ENODEV":
      return notRegular(path);
    case "ENAMETOOLONG":
      return new TaskflowError("usage", `this path is too long: ${path.slice(0, 60)}…`, { ...options, hint: null });
    case "ERR_INVALID_ARG_VALUE":
      return new TaskflowError("usage", "a file name can't hold a NUL byte", { ...options, hint: null });
    default:
      return new TaskflowError("io", `cannot open ${path}: ${reason(error)}`, options);
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    // Whatever it is, it isn't there.
    return false;
  }
}

function isDirectory(path: string): TaskflowError {
  return new TaskflowError("usage", `${path} is a directory`, { hint: "add --recursive to attach what is in it" });
}

function notRegular(path: string): TaskflowError {
  return new TaskflowError("usage", `${path} is not a regular file`, {
    hint: "pipe it in: taskflow attach upload TASK - --name NAME",
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
