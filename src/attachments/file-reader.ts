/** Reads of an open file, without the thread pool where that is quicker. */
import { readSync } from "node:fs";
import { statfs } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { TaskflowError } from "../errors.ts";

export interface FileReader {
  /**
   * Whether the file is on a disk of this machine, and its bytes in memory as far as was seen: a trip through the thread
   * pool takes longer then than the reading. The first slow read ends that for the file, so that no more of them hold up
   * signals and the network. A server that hangs holds up nothing: its files are never read so.
   */
  isCached(): boolean;
  /** One read, as read(2): it may be short; 0 at the end. Errors: `io`. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Reads until the buffer is full, or the file ends; how many bytes there were. Errors: `io`. */
  fill(buffer: Uint8Array, position: number): Promise<number>;
}

/** Below it there is nothing to gain. */
const LARGE = 8 * 1024 * 1024;

/** What comes from a disk takes longer than what is in memory, even where the machine is busy. */
const SLOW_MS = 5;

/** Linux's numbers of file systems that wait for nobody else (statfs(2)): ext, XFS, Btrfs, F2FS, ZFS, tmpfs. */
const LOCAL: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994]);

/** A reader of the file that was opened at this path, of so many bytes. */
export async function openReader(file: FileHandle, path: string, size: number): Promise<FileReader> {
  let isCached = size >= LARGE && (await isLocal(path));

  function readCached(buffer: Uint8Array, position: number): number {
    const begun = performance.now();
    const bytesRead = readSync(file.fd, buffer, 0, buffer.length, position);
    if (performance.now() - begun > SLOW_MS) isCached = false;
    return bytesRead;
  }

  async function read(buffer: Uint8Array, position: number): Promise<number> {
    try {
      if (isCached) return readCached(buffer, position);
      return (await file.read(buffer, 0, buffer.length, position)).bytesRead;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TaskflowError("io", `cannot read ${path} at byte ${position}: ${reason}`, { cause: error });
    }
  }

  return {
    isCached: () => isCached,
    read,
    async fill(buffer, position) {
      let filled = 0;
      while (filled < buffer.length) {
        const bytesRead = await read(buffer.subarray(filled), position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
  };
}

async function isLocal(path: string): Promise<boolean> {
  try {
    return LOCAL.has((await statfs(path)).type);
  } catch {
    return false;
  }
}
