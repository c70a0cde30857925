/** A file on disk as the source of an upload; one that changes while it is read is told. */
import { fstatSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { TaskflowError, throwIfAborted } from "../errors.ts";
import { openReader } from "./file-reader.ts";
import type { FileReader } from "./file-reader.ts";
import { openRegular } from "./open-regular.ts";
import type { Source } from "./source.ts";

/** Files up to this size are read once and kept: a call of the thread pool costs as much as hashing some 50 KiB. */
const SMALL = 64 * 1024;

interface OpenFile {
  readonly path: string;
  readonly size: number;
  readonly reader: FileReader;
}

/**
 * A regular file, opened so that a FIFO can't hang it; symlinks are followed.
 * Errors: `not_found`; `usage` for what is no regular file; `permission`; `io`. `settle` rejects with `changed` where
 * size, mtime, ctime or inode are no longer what they were, or other bytes were there than the size said.
 */
export async function openFileSource(path: string): Promise<Source> {
  const { file, status: before } = await openRegular(path);
  const size = Number(before.size);
  const reader = await openReader(file, path, size);
  const open = { path, size, reader };
  const whole = size <= SMALL ? wholeFile(open) : null;
  return {
    size,
    repeatable: true,
    async peek(count) {
      if (whole !== null) return (await whole()).subarray(0, count);
      const buffer = Buffer.alloc(count);
      return buffer.subarray(0, await reader.read(buffer, 0));
    },
    readAt: (buffer, position, length) => reader.fill(buffer.subarray(0, length), position),
    chunks: (signal) => (whole === null ? chunksOf(open, signal) : oneChunk(whole, open, signal)),
    async settle(bytesRead) {
      const after = fstatSync(file.fd, { bigint: true });
      if (bytesRead !== size) throw wrongLength(open, bytesRead);
      if (!isSame(before, after)) throw changed(path);
    },
    close: () => file.close(),
  };
}

/** Reads a small file on first use: to its end, or one byte past what its size said. */
function wholeFile({ reader, size }: OpenFile): () => Promise<Buffer> {
  const read = async (): Promise<Buffer> => {
    const bytes = Buffer.allocUnsafe(size + 1);
    let filled = 0;
    do {
      const bytesRead = await reader.read(bytes.subarray(filled), filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    } while (filled < size);
    return bytes.subarray(0, filled);
  };
  let result: Promise<Buffer> | null = null;
  return () => (result ??= read());
}

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

async function* oneChunk(whole: () => Promise<Buffer>, file: OpenFile, signal: AbortSignal): Chunks {
  const bytes = await whole();
  throwIfAborted(signal);
  if (bytes.length > file.size) throw wrongLength(file, bytes.length);
  if (bytes.length > 0) yield bytes;
}

async function* chunksOf(file: OpenFile, signal: AbortSignal): Chunks {
  let position = 0;
  for await (const chunk of cachedChunks(file, signal)) {
    position += chunk.length;
    yield chunk;
  }
  if (!file.reader.isCached()) yield* chunksAhead(file, position, signal);
}

/** It stays in the processor's cache while it is hashed. */
const CACHED_CHUNK = 512 * 1024;

/** At so many bytes signals, progress and the network have waited for some milliseconds. */
const BYTES_A_TURN = 16 * 1024 * 1024;

/** What is cached is read in one small buffer, as it is wanted; ends where the file does, or is no longer cached. */
async function* cachedChunks(file: OpenFile, signal: AbortSignal): Chunks {
  const { reader, size } = file;
  if (!reader.isCached()) return;
  const buffer = Buffer.allocUnsafe(CACHED_CHUNK);
  let position = 0;
  let sinceTurn = 0;
  while (reader.isCached()) {
    const bytesRead = await reader.read(buffer, position);
    throwIfAborted(signal);
    if (bytesRead === 0) return;
    position += bytesRead;
    if (position > size) throw wrongLength(file, position);
    yield buffer.subarray(0, bytesRead);
    sinceTurn += bytesRead;
    if (sinceTurn < BYTES_A_TURN) continue;
    sinceTurn = 0;
    await setImmediate();
  }
}

/** Large enough that system calls don't count, small enough for two of them to stay in the processor's cache. */
const CHUNK = 1024 * 1024;

/** Reads ahead by one chunk, in two buffers that take turns: one being read, one with the caller. */
async function* chunksAhead(file: OpenFile, from: number, signal: AbortSignal): Chunks {
  const { reader, size } = file;
  // One byte more than there should be, so that the end shows without another read.
  const length = Math.min(CHUNK, size + 1);
  const buffers = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)] as const;
  const read = async (turn: number, at: number): Promise<Uint8Array> => {
    const buffer = turn === 0 ? buffers[0] : buffers[1];
    return buffer.subarray(0, await reader.read(buffer, at));
  };
  let position = from;
  let turn = 0;
  let next = read(turn, position);
  try {
    for (;;) {
      const chunk = await next;
      throwIfAborted(signal);
      if (chunk.length === 0) return;
      position += chunk.length;
      // A file that grows as fast as it is read would never end.
      if (position > size) throw wrongLength(file, position);
      turn = 1 - turn;
      const isLast = position === size && chunk.length < length;
      next = isLast ? Promise.resolve(new Uint8Array(0)) : read(turn, position);
      yield chunk;
    }
  } finally {
    // The read ahead may still be under way when the loop is left; its failure is then nobody's concern.
    await next.catch(() => undefined);
  }
}

function wrongLength({ path, size }: OpenFile, bytesRead: number): TaskflowError {
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
