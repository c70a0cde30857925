/** Reading the small files that the store keeps beside the objects. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { isErrno } from "./errors.ts";

/** Why a file can't be read as one of ours. */
export interface Unreadable {
  readonly unreadable: string;
}

/**
 * A file's text, `null` where there is none. Only what the name itself holds is read: never through a link, never from
 * a FIFO, which would wait for ever.
 *
 * Synchronous: a tenth of what it takes through the thread pool, and a detailed listing reads one for each row.
 */
export function readSmall(file: string): string | Unreadable | null {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    if (isErrno(error, "ELOOP")) return { unreadable: "is a symbolic link" };
    throw error;
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) return { unreadable: "is not a file" };
    if (status.size > MAX_BYTES) return { unreadable: `has ${status.size} bytes` };
    const bytes = Buffer.alloc(status.size);
    return bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

const MAX_BYTES = 1024 * 1024;
