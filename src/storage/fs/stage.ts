/** The first half of an upload: the bytes, hashed as they are written, durable under a name that nobody sees. */
import { createHash, randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { throwIfAborted } from "../../errors.ts";
import type { Body, ObjectRecord, PutOptions } from "../driver.ts";
import { metaAtEnd } from "../late-meta.ts";
import { checkTaken, takeBody } from "../take-body.ts";
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
    checkTaken(key, { size, sha256 }, body.size, options);
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
  options: PutOptions,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  let position = 0;
  const size = await takeBody(key, body, options, async (chunk) => {
    // The thread pool writes while this thread hashes; both are done before the chunk's buffer is reused.
    const written = writeAt(handle, chunk, position);
    hash.update(chunk);
    await written;
    position += chunk.length;
    options.onBytes?.(chunk.length);
  });
  await body.settle(size);
  return { size, sha256: hash.digest("hex") };
}
