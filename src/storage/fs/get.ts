/** Reading an object's bytes. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { TaskflowError, abortReason, throwIfAborted } from "../../errors.ts";
import type { GetOptions, GetResult, Range } from "../driver.ts";
import { closeQuietly } from "./durable.ts";
import { describe } from "./describe.ts";
import { asTaskflowError, isErrno } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { notFound } from "./folder.ts";
import { levelsExist, taskLevels } from "./levels.ts";
import { placeOf } from "./paths.ts";
import type { Layout, Place } from "./paths.ts";

/** As `StorageDriver.get`. `handles` holds what is open until it was read to the end, left or closed. */
export async function get(
  { layout }: Folder,
  key: string,
  { range, signal }: GetOptions,
  handles: Set<FileHandle>,
): Promise<GetResult> {
  throwIfAborted(signal);
  const place = placeOf(layout, key);
  const handle = place === null ? null : await openObject(layout, place);
  if (place === null || handle === null) throw notFound(key);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw notFound(key);
    const { start, end } = spanOf(key, range, status.size);
    const object = describe(layout, place, status);
    throwIfAborted(signal);
    handles.add(handle);
    return { object, chunks: { [Symbol.asyncIterator]: () => read(handle, place, start, end, signal, handles) } };
  } catch (error) {
    await closeQuietly(handle);
    throw error;
  }
}

/** Large enough that calls don't count, small enough for the processor's cache. */
const CHUNK = 512 * 1024;

/** `null` where no regular file has the name. */
async function openObject(layout: Layout, place: Place): Promise<FileHandle | null> {
  if (!levelsExist(...taskLevels(layout, place.directory))) return null;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return await open(place.data, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // A link, or a socket, has the name.
    if (isErrno(error, "ENOENT", "ELOOP", "ENXIO")) return null;
    throw error;
  }
}

/** First byte and the one after the last. */
function spanOf(key: string, range: Range | undefined, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  if (range.start >= size || range.end < range.start) {
    throw new TaskflowError("usage", `${key} has ${size} bytes: there is no range ${range.start} to ${range.end}`, {
      context: { key, size, start: range.start, end: range.end },
    });
  }
  return { start: range.start, end: Math.min(range.end + 1, size) };
}

/**
 * An iterator by hand, because a generator that was never begun doesn't hear that it is left, and the file would stay
 * open. Reads one chunk ahead of the caller.
 */
function read(
  handle: FileHandle,
  place: Place,
  start: number,
  end: number,
  signal: AbortSignal,
  handles: Set<FileHandle>,
): AsyncIterator<Uint8Array, undefined> {
  let position = start;
  let ahead: Promise<Uint8Array | Error> | null = null;
  let open = true;

  async function close(): Promise<void> {
    if (!open) return;
    open = false;
    // Closed under a read, a descriptor may be another file's by the time the read begins.
    await ahead;
    handles.delete(handle);
    await closeQuietly(handle);
  }

  /** Never rejects: nobody may be waiting for it. */
  async function readNext(): Promise<Uint8Array | Error> {
    const wanted = Math.min(CHUNK, end - position);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, position);
      if (bytesRead === 0) return cutShort(place.key, position, end);
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      return asTaskflowError(error, `read ${place.key} at byte ${position}`, place.data);
    }
  }

  return {
    async next() {
      if (!open) return { done: true, value: undefined };
      if (ahead === null && position >= end) {
        await close();
        return { done: true, value: undefined };
      }
      const chunk = await (ahead ?? readNext());
      ahead = null;
      if (chunk instanceof Error || signal.aborted) {
        await close();
        throw signal.aborted ? abortReason(signal) : chunk;
      }
      if (position < end) ahead = readNext();
      return { done: false, value: chunk };
    },
    async return() {
      await close();
      return { done: true, value: undefined };
    },
  };
}

function cutShort(key: string, position: number, end: number): TaskflowError {
  return new TaskflowError("io", `cannot read ${key}: it ends at byte ${position}, before byte ${end}`, {
    hint: "taskflow attach verify tells what is whole",
    context: { key, position, end },
  });
}
