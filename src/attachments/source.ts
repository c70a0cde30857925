/** Where uploaded bytes come from: a file on disk, or a stream that can be read once. */
import { fstatSync, readSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { statfs } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { TaskflowError, throwIfAborted } from "../errors.ts";
import { unlessAborted } from "../storage/abortable.ts";
import type { Body } from "../storage/driver.ts";
import { openRegular } from "./open-regular.ts";

/** A body with what an upload wants to know before the first byte goes out. */
export interface Source extends Body {
  /** At most `count` leading bytes; reading them takes nothing from `chunks`. */
  peek(count: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Large enough that system calls don't count, small enough for two of them to stay in the processor's cache. */
const CHUNK = 1024 * 1024;

/** Files up to this size are read once and kept: a call of the thread pool costs as much as hashing some 50 KiB. */
const SMALL = 64 * 1024;

/**
 * A regular file, opened so that a FIFO can't hang it; symlinks are followed.
 * Errors: `not_found`; `usage` for what is no regular file; `permission`; `io`. `settle` rejects with `changed` where
 * size, mtime, ctime or inode are no longer what they were, or other bytes were there than the size said.
 */
export async function openFileSource(path: string): Promise<Source> {
  const { file, status: before } = await openRegular(path);
  const size = Number(before.size);
  const whole = size <= SMALL ? wholeFile(file, path, size) : null;
  const quick: Quick = { isCached: size >= LARGE && (await isLocal(path)) };
  return {
    size,
    repeatable: true,
    async peek(count) {
      if (whole !== null) return (await whole()).subarray(0, count);
      const buffer = Buffer.alloc(count);
      const { bytesRead } = await readAt(file, buffer, 0, path);
      return buffer.subarray(0, bytesRead);
    },
    readAt: (buffer, position, length) => readFully(file, buffer.subarray(0, length), position, path, quick),
    chunks: (signal) =>
      whole === null ? fileChunks(file, path, size, signal, quick) : oneChunk(whole, path, size, signal),
    async settle(bytesRead) {
      const after = fstatSync(file.fd, { bigint: true });
      if (bytesRead !== size) throw wrongLength(path, bytesRead, size);
      if (!isSame(before, after)) throw changed(path);
    },
    close: () => file.close(),
  };
}

/** Bytes that pass once, for example a pipe. */
export async function openStreamSource(stream: AsyncIterable<Uint8Array>): Promise<Source> {
  const iterator = stream[Symbol.asyncIterator]();
  let head: Uint8Array[] = [];
  return await Promise.resolve({
    size: null,
    repeatable: false,
    async peek(count: number) {
      let have = head.reduce((sum, chunk) => sum + chunk.length, 0);
      while (have < count) {
        const next = await iterator.next();
        if (next.done === true) break;
        head.push(Buffer.from(next.value));
        have += next.value.length;
      }
      return Buffer.concat(head).subarray(0, count);
    },
    async *chunks(signal: AbortSignal) {
      const first = head;
      head = [];
      for (const chunk of first) yield chunk;
      for (;;) {
        // A silent pipe must not keep an aborted upload.
        const next = await unlessAborted(iterator.next(), signal);
        if (next.done === true) return;
        yield next.value;
      }
    },
    settle: () => Promise.resolve(),
    async close() {
      // Not awaited: a generator that waits for a silent pipe would never answer.
      void iterator.return?.().catch(() => undefined);
      return await Promise.resolve();
    },
  });
}

/** Reads a small file on first use: to its end, or one byte past what its size said. */
function wholeFile(file: FileHandle, path: string, size: number): () => Promise<Buffer> {
  const read = async (): Promise<Buffer> => {
    const bytes = Buffer.allocUnsafe(size + 1);
    let filled = 0;
    do {
      const { bytesRead } = await readAt(file, bytes.subarray(filled), filled, path);
      if (bytesRead === 0) break;
      filled += bytesRead;
    } while (filled < size);
    return bytes.subarray(0, filled);
  };
  let result: Promise<Buffer> | null = null;
  return () => (result ??= read());
}

async function* oneChunk(
  whole: () => Promise<Buffer>,
  path: string,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = await whole();
  throwIfAborted(signal);
  if (bytes.length > size) throw wrongLength(path, bytes.length, size);
  if (bytes.length > 0) yield bytes;
}

/**
 * What is cached is read in one small buffer, as it is wanted. Else it reads ahead by one chunk, in two buffers that take
 * turns: one being read, one with the caller.
 */
async function* fileChunks(
  file: FileHandle,
  path: string,
  size: number,
  signal: AbortSignal,
  quick: Quick,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  let sinceTurn = 0;
  const small = Buffer.allocUnsafe(quick.isCached ? CACHED_CHUNK : 0);
  while (quick.isCached) {
    const { bytesRead } = await readAt(file, small, position, path, quick);
    throwIfAborted(signal);
    if (bytesRead === 0) return;
    position += bytesRead;
    if (position > size) throw wrongLength(path, position, size);
    yield small.subarray(0, bytesRead);
    sinceTurn += bytesRead;
    if (sinceTurn < BYTES_A_TURN) continue;
    // Signals, progress and the network have waited for some milliseconds.
    sinceTurn = 0;
    await setImmediate();
  }
  // One byte more than there should be, so that the end shows without another read.
  const length = Math.min(CHUNK, size + 1);
  const buffers = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)] as const;
  let turn = 0;
  let next: Promise<{ buffer: Buffer; bytesRead: number }> = readAt(file, buffers[0], position, path);
  try {
    for (;;) {
      const { buffer, bytesRead } = await next;
      throwIfAborted(signal);
      if (bytesRead === 0) return;
      position += bytesRead;
      // A file that grows as fast as it is read would never end.
      if (position > size) throw wrongLength(path, position, size);
      turn = 1 - turn;
      next =
        position === size && bytesRead < length ? atEnd(buffers[0]) : readAt(file, pick(buffers, turn), position, path);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // The read ahead may still be under way when the loop is left; its failure is then nobody's concern.
    await next.catch(() => undefined);
  }
}

function pick(buffers: readonly [Buffer, Buffer], turn: number): Buffer {
  return turn === 0 ? buffers[0] : buffers[1];
}

function atEnd(buffer: Buffer): Promise<{ buffer: Buffer; bytesRead: number }> {
  return Promise.resolve({ buffer, bytesRead: 0 });
}

/**
 * Whether the file is on a disk of this machine, and its bytes in memory as far as was seen: a trip through the thread
 * pool takes longer then than the reading. The first slow read ends that for the file, so that no more of them hold up
 * signals and the network. A server that hangs holds up nothing: its files are never read so.
 */
interface Quick {
  isCached: boolean;
}

/** Below it there is nothing to gain. */
const LARGE = 8 * 1024 * 1024;

/** It stays in the processor's cache while it is hashed. */
const CACHED_CHUNK = 512 * 1024;
const SLOW_MS = 5;
const BYTES_A_TURN = 16 * 1024 * 1024;

/** Linux's numbers of file systems that wait for nobody else (statfs(2)): ext, XFS, Btrfs, F2FS, ZFS, tmpfs. */
const LOCAL: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994]);

async function isLocal(path: string): Promise<boolean> {
  try {
    return LOCAL.has((await statfs(path)).type);
  } catch {
    return false;
  }
}

async function readAt<Bytes extends Uint8Array>(
  file: FileHandle,
  buffer: Bytes,
  position: number,
  path: string,
  quick?: Quick,
): Promise<{ buffer: Bytes; bytesRead: number }> {
  try {
    if (quick?.isCached === true) {
      const begun = performance.now();
      const bytesRead = readSync(file.fd, buffer, 0, buffer.length, position);
      if (performance.now() - begun > SLOW_MS) quick.isCached = false;
      return { buffer, bytesRead };
    }
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    return { buffer, bytesRead };
  } catch (error) {
    throw new TaskflowError("io", `cannot read ${path} at byte ${position}: ${reason(error)}`, { cause: error });
  }
}

/** Reads until the bytes are full, or the file ends; how many there were. */
async function readFully(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
  path: string,
  quick: Quick,
): Promise<number> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await readAt(file, bytes.subarray(filled), position + filled, path, quick);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function wrongLength(path: string, bytesRead: number, size: number): TaskflowError {
  if (size === 0) {
    return new TaskflowError("changed", `${path} has bytes although its size is 0`, {
      hint: "pipe it in: taskflow attach upload TASK - --name NAME",
    });
  }
  return changed(path, bytesRead > size ? "it grows" : `it ended at byte ${bytesRead} of ${size}`);
}

function changed(path: string, how?: string): TaskflowError {
  return new TaskflowError("changed", `${path} changed while it was read${how === undefined ? "" : `: ${how}`}`);
}

/** ctime tells of a rewrite whose mtime was set back; it moves too when a rename replaces the file, and that is fine. */
function isSame(before: BigIntStats, after: BigIntStats): boolean {
  return (
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.ino === after.ino &&
    (before.ctimeNs === after.ctimeNs || before.nlink !== after.nlink)
  );
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
