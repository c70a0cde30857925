/** The first half of an upload: the bytes, hashed as they are written, durable under a name that nobody sees. */
import { createHash, randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import { unlessAborted } from "../abortable.ts";
import type { Body, ObjectRecord, PutOptions } from "../driver.ts";
import { metaAtEnd } from "../late-meta.ts";
import { closeQuietly, openNew, removeQuietly, seal, writeAt } from "./durable.ts";
import type { Folder } from "./folder.ts";
import { levelsExist } from "./levels.ts";
import { pathFor } from "./paths.ts";

export interface Staged {
  readonly path: string;
  /** Identifies the file under whatever name. */
  readonly inode: number;
  readonly size: number;
  readonly sha256: string;
  readonly modifiedAt: Date;
  /** To record. */
  readonly meta: ObjectRecord["meta"];
}

/**
 * Takes all of the body. On any rejection nothing stays.
 * Errors: the body's own; `too_large`, `usage`, `checksum_mismatch` as the options ask; `changed` for other bytes than
 * the body promised; `io`.
 */
export async function stage({ layout }: Folder, key: string, body: Body, options: PutOptions): Promise<Staged> {
  const path = pathFor(layout.staging, `${randomUUID()}.part`);
  levelsExist(layout.own, layout.staging);
  const handle = await openNew(path);
  try {
    const { size, sha256 } = await writeBody(handle, key, body, options);
    checkBytes(key, size, sha256, body, options);
    const meta = metaAtEnd(options);
    const { ino, mtime } = await seal(handle, size, path);
    // Some file systems (NFS) tell of a full disk only here.
    await handle.close();
    throwIfAborted(options.signal);
    return { path, inode: ino, size, sha256, modifiedAt: mtime, meta };
  } catch (error) {
    await closeQuietly(handle);
    await removeQuietly(path);
    throw error;
  }
}

async function writeBody(
  handle: FileHandle,
  key: string,
  body: Body,
  { signal, maxSize = Infinity, onBytes }: PutOptions,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  const chunks = body.chunks(signal)[Symbol.asyncIterator]();
  let size = 0;
  try {
    for (;;) {
      const next = await unlessAborted(chunks.next(), signal);
      if (next.done === true) break;
      const chunk = next.value;
      if (size + chunk.length > maxSize) throw tooLarge(key, maxSize);
      // The thread pool writes while this thread hashes; both are done before the chunk's buffer is reused.
      const written = writeAt(handle, chunk, size);
      hash.update(chunk);
      await written;
      size += chunk.length;
      onBytes?.(chunk.length);
    }
  } catch (error) {
    await leave(chunks, signal);
    throw error;
  }
  await body.settle(size);
  return { size, sha256: hash.digest("hex") };
}

function checkBytes(key: string, size: number, sha256: string, body: Body, options: PutOptions): void {
  if (body.size !== null && size !== body.size) {
    throw new TaskflowError("changed", `cannot store ${key}: ${size} bytes came, ${body.size} were announced`, {
      context: { key, size, announced: body.size },
    });
  }
  if (size === 0 && options.notEmpty === true) {
    throw new TaskflowError("usage", `cannot store ${key}: there are no bytes`, {
      hint: "an empty input is often a mistake; --allow-empty takes it",
      context: { key },
    });
  }
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    throw new TaskflowError("checksum_mismatch", `cannot store ${key}: its SHA-256 is not the one that was given`, {
      context: { key, expected: options.sha256, actual: sha256 },
    });
  }
}

/** Ends an iteration early, as leaving a `for await` would, but without waiting for a body that doesn't answer. */
async function leave(chunks: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<void> {
  if (chunks.return === undefined) return;
  try {
    await unlessAborted(chunks.return(), signal);
  } catch {
    // The error that ended the iteration is the one to report.
  }
}

function tooLarge(key: string, maxSize: number): TaskflowError {
  return new TaskflowError("too_large", `cannot store ${key}: more than the ${maxSize} bytes that are allowed`, {
    context: { key, maxSize },
  });
}
