/** Where a body that can be read once waits until it is whole, digest and all: memory, then a file. */
import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { TaskflowError } from "../../../errors.ts";
import type { Body, PutOptions } from "../../driver.ts";
import { takeBody } from "../../take-body.ts";
import { createDigester } from "./digest.ts";
import type { Digests } from "./digest.ts";
import { makeStateFolder } from "./state-folder.ts";
import type { S3Store } from "../store.ts";

/** Bytes that can be read again, from anywhere. */
export interface Spooled {
  readonly digests: Digests;
  /** All of it, where it was small enough. */
  readonly bytes: Uint8Array | null;
  readAt(buffer: Uint8Array, position: number, length: number): Promise<number>;
  /** Nothing of it stays; may be called again. */
  remove(): Promise<void>;
}

/**
 * Takes all of the body. On any rejection nothing stays, and nothing does after a kill either where a file that is open
 * can lose its name.
 */
export async function spool(store: S3Store, key: string, body: Body, options: PutOptions): Promise<Spooled> {
  const digester = createDigester();
  const head: Uint8Array[] = [];
  let inMemory = 0;
  let file: SpoolFile | null = null;
  try {
    await takeBody(key, body, options, async (chunk) => {
      if (file === null && inMemory + chunk.length > store.partSize) {
        file = await createFile(store.settings.spoolFolder ?? os.tmpdir());
        for (const piece of head.splice(0)) await file.append(piece);
      }
      const written = file === null ? void head.push(Uint8Array.from(chunk)) : file.append(chunk);
      inMemory += chunk.length;
      digester.update(chunk);
      await written;
      options.onRead?.(chunk.length);
    });
    // Set in a closure, which the compiler doesn't follow.
    const spooled = file as SpoolFile | null;
    if (spooled !== null)
      return { digests: digester.end(), bytes: null, readAt: spooled.readAt, remove: spooled.remove };
    return inMemoryOnly(digester.end(), Buffer.concat(head));
  } catch (error) {
    await (file as SpoolFile | null)?.remove();
    throw error;
  }
}

function inMemoryOnly(digests: Digests, bytes: Buffer): Spooled {
  return {
    digests,
    bytes,
    readAt: (buffer, position, length) =>
      Promise.resolve(bytes.copy(buffer, 0, position, Math.min(position + length, bytes.length))),
    remove: () => Promise.resolve(),
  };
}

interface SpoolFile {
  append(chunk: Uint8Array): Promise<void>;
  readAt: Spooled["readAt"];
  remove(): Promise<void>;
}

async function createFile(folder: string): Promise<SpoolFile> {
  const file = path.join(folder, `taskflow-${randomUUID()}.spool`);
  let handle: FileHandle;
  try {
    await makeStateFolder(folder);
    handle = await open(file, "wx+", 0o600);
  } catch (error) {
    throw spoolError(error, file);
  }
  // Its bytes stay as long as it is open, and go with the process whatever becomes of that. Windows can't.
  const unnamed = await rm(file).then(
    () => true,
    () => false,
  );
  let size = 0;
  let closed = false;
  return {
    async append(chunk) {
      try {
        for (let written = 0; written < chunk.length;) {
          const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, size + written);
          written += bytesWritten;
        }
      } catch (error) {
        throw spoolError(error, file);
      }
      size += chunk.length;
    },
    async readAt(buffer, position, length) {
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    async remove() {
      if (closed) return;
      closed = true;
      await handle.close();
      if (!unnamed) await rm(file, { force: true });
    },
  };
}

function spoolError(error: unknown, file: string): TaskflowError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const denied = code === "EACCES" || code === "EPERM";
  const hint = HINTS[code];
  return new TaskflowError(denied ? "permission" : "io", `cannot keep the input in ${file}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

const NO_ROOM = "make room there, or write the input to a file elsewhere and attach that";

const HINTS: Readonly<Record<string, string | undefined>> = {
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EFBIG: NO_ROOM,
  EROFS: "name another folder with XDG_STATE_HOME, or write the input to a file and attach that",
};
