/** Writing so that it survives a power cut: the few primitives that everything else here is made of. */
import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, open, rmdir, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import path from "node:path";
import { TaskflowError } from "../../errors.ts";
import { isErrno, notADirectory } from "./errors.ts";

export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

export interface Durable {
  /**
   * Makes the entries of a directory durable. Callers that come while one sync of it runs share the next one, so that
   * many uploads at once cost few syncs. A directory that is gone is no error: whoever removed it synced its parent.
   */
  syncDirectory(path: string): Promise<void>;
  /** Makes one directory where it is missing, 0700, its entry durable. */
  makeDirectory(path: string): Promise<void>;
  /** `makeDirectory`, done once and remembered. */
  ensureDirectory(path: string): Promise<void>;
  /** Looks again at every directory: somebody removed one. */
  forget(): void;
}

export function createDurable(): Durable {
  const lanes = new Map<string, Lane>();
  const ensured = new Map<string, Promise<void>>();

  function start(directory: string): Promise<void> {
    const running = syncNow(directory).finally(() => {
      if (lane.next === null) lanes.delete(directory);
    });
    const lane: Lane = { running, next: null };
    lanes.set(directory, lane);
    return running;
  }

  function syncDirectory(directory: string): Promise<void> {
    const lane = lanes.get(directory);
    if (lane === undefined) return start(directory);
    const again = (): Promise<void> => start(directory);
    lane.next ??= lane.running.then(again, again);
    return lane.next;
  }

  async function makeDirectory(directory: string): Promise<void> {
    await createDirectory(directory);
    // Also where it was there: whoever made it may have died before its entry was durable.
    await syncDirectory(path.dirname(directory));
  }

  return {
    syncDirectory,
    makeDirectory,
    ensureDirectory(directory) {
      const known = ensured.get(directory);
      if (known !== undefined) return known;
      const made = makeDirectory(directory);
      ensured.set(directory, made);
      made.catch(() => ensured.delete(directory));
      return made;
    },
    forget: () => ensured.clear(),
  };
}

/** 0700 whatever the umask. Errors: `bad_config` where something else has the name. */
export async function createDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, DIRECTORY_MODE);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    const found = await lstat(directory);
    if (!found.isDirectory()) throw notADirectory(directory, found.isSymbolicLink());
    return;
  }
  const { mode } = await lstat(directory);
  if ((mode & 0o777) !== DIRECTORY_MODE) await chmod(directory, DIRECTORY_MODE);
}

/** Opens a new file, 0600. Rejects with the system's EEXIST where anything has the name. */
export function openNew(file: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
}

/** Writes all of `bytes` at a position; a write that is cut short goes on. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Makes a written file durable: 0600 whatever the umask, of exactly this size, synced. Gives its status.
 * Errors: `io` where the file system took bytes and did not keep them. A descriptor whose sync failed is never synced
 * again: the kernel forgets the pages that it could not write, and the second sync would succeed.
 */
export async function seal(handle: FileHandle, size: number, file: string): Promise<Stats> {
  const status = await handle.stat();
  if (status.size !== size) {
    throw new TaskflowError("io", `${file}: wrote ${size} bytes, the file system kept ${status.size}`, {
      hint: "look at the system's log: the disk may be failing",
      context: { path: file, written: size, kept: status.size },
    });
  }
  if ((status.mode & 0o777) !== FILE_MODE) await handle.chmod(FILE_MODE);
  await handle.sync();
  return status;
}

/** A new file with these bytes, durable but for its directory's entry. EEXIST as `openNew`; nothing stays on failure. */
export async function createFile(file: string, bytes: Uint8Array): Promise<Stats> {
  const handle = await openNew(file);
  try {
    await writeAt(handle, bytes, 0);
    const status = await seal(handle, bytes.length, file);
    await handle.close();
    return status;
  } catch (error) {
    await closeQuietly(handle);
    await removeQuietly(file);
    throw error;
  }
}

/** Whether there was a file to remove. */
export async function removeFile(file: string): Promise<boolean> {
  try {
    await unlink(file);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

/** Removes a directory if it is empty. */
export async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch {
    // Not empty, or gone, or not allowed: an empty directory too many does no harm.
  }
}

/** For the way out of a failure, whose own error is the one to report. */
export async function removeQuietly(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch {
    // What stays is under a name that is no object; doctor lists it.
  }
}

export async function closeQuietly(handle: FileHandle): Promise<void> {
  try {
    await handle.close();
  } catch {
    // Already closed, or closed with an error that comes second.
  }
}

interface Lane {
  readonly running: Promise<void>;
  next: Promise<void> | null;
}

async function syncNow(directory: string): Promise<void> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  let handle: FileHandle;
  try {
    handle = await open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    // Some network and FUSE file systems have no sync of directories; there is nothing better to ask them.
    if (!isErrno(error, "EINVAL", "ENOTSUP", "EOPNOTSUPP")) throw error;
  } finally {
    await closeQuietly(handle);
  }
}
