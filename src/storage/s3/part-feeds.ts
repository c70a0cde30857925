/** How a large object is cut: by position, so that parts are read at once and in any order, or as a stream brings them. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { TaskflowError } from "../../errors.ts";
import { combine, shiftBy } from "./crc32.ts";
import { partDigests } from "./digest.ts";
import type { Digests } from "./digest.ts";

export interface Part {
  /** From 1. */
  readonly number: number;
  /** A view of the buffer that was given to read into. */
  readonly bytes: Uint8Array;
  readonly crc: number;
  /** Rejects with `changed` where these are other bytes than the first pass saw. Absent: they were compared. */
  readonly check?: () => Promise<void>;
}

export interface PartFeed {
  /** How many are still to come, at most. */
  readonly left: number;
  /** Reads the next part into the buffer; `null`: that was all. Several at once are fine. */
  next(buffer: Buffer): Promise<Part | null>;
  /** CRC32 of the whole, once all was read. */
  whole(): number;
}

/** What the first pass saw, to be read again. */
export interface RangedSource {
  readonly digests: Digests;
  /** As `Body.readAt`. */
  readAt(buffer: Uint8Array, position: number, length: number): Promise<number>;
  /** What to throw where other bytes are there than the first pass saw. */
  changed(bytesRead: number): Promise<TaskflowError>;
}

export interface RangedFeed extends PartFeed {
  /** Bytes of a part. */
  lengthOf(number: number): number;
  /** CRC32 as the first pass saw it; `null`: there is no such part. */
  crcOf(number: number): number | null;
  read(number: number, buffer: Buffer): Promise<Part>;
  /** These are not to be read any more. */
  leaveOut(numbers: ReadonlySet<number>): void;
}

/**
 * Each part is compared with its CRC32 of the first pass, unless `isProven`: the store does that, with the CRC32 that
 * goes with the part.
 */
export function byPosition(source: RangedSource, partSize: number, { isProven }: { isProven: boolean }): RangedFeed {
  const { size } = source.digests;
  const { parts: crcs, whole } = partDigests(source.digests, partSize);
  let waiting = crcs.map((_, index) => index + 1);
  const lengthOf = (number: number): number => Math.min(partSize, size - (number - 1) * partSize);

  async function read(number: number, buffer: Buffer): Promise<Part> {
    const position = (number - 1) * partSize;
    const length = lengthOf(number);
    const bytesRead = await source.readAt(buffer, position, length);
    if (bytesRead !== length) throw await source.changed(position + bytesRead);
    const bytes = buffer.subarray(0, length);
    const crc = crcs[number - 1] ?? 0;
    const check = async (): Promise<void> => {
      if (crc32(bytes) !== crc) throw await source.changed(size);
    };
    if (isProven) return { number, bytes, crc, check };
    await check();
    return { number, bytes, crc };
  }

  return {
    get left() {
      return waiting.length;
    },
    async next(buffer) {
      const number = waiting.shift();
      return number === undefined ? null : await read(number, buffer);
    },
    whole: () => whole,
    lengthOf,
    crcOf: (number) => crcs[number - 1] ?? null,
    read,
    leaveOut(numbers) {
      waiting = waiting.filter((number) => !numbers.has(number));
    },
  };
}

export interface StreamedFeed extends PartFeed {
  /** What came, once all was read. */
  taken(): { readonly size: number; readonly sha256: string };
  /** Leaves the stream. */
  close(): Promise<void>;
}

/** In the order of the stream, which is read once; `size` is what it announces. */
export function inOrder(chunks: AsyncIterable<Uint8Array>, size: number, partSize: number): StreamedFeed {
  const iterator = chunks[Symbol.asyncIterator]();
  const hash = createHash("sha256");
  let rest: Uint8Array = new Uint8Array();
  let taken = 0;
  let ended = false;
  let number = 0;
  let whole = 0;
  let turn: Promise<unknown> = Promise.resolve();

  async function fill(buffer: Buffer): Promise<Part | null> {
    let filled = 0;
    while (filled < partSize && !ended) {
      if (rest.length === 0) {
        const next = await iterator.next();
        if (next.done === true) ended = true;
        else rest = next.value;
        continue;
      }
      const piece = rest.subarray(0, partSize - filled);
      buffer.set(piece, filled);
      rest = rest.subarray(piece.length);
      filled += piece.length;
      taken += piece.length;
      // More than was announced would never end; that it is too many is told by their number.
      if (taken > size) ended = true;
    }
    if (filled === 0) return null;
    const bytes = buffer.subarray(0, filled);
    hash.update(bytes);
    const crc = crc32(bytes);
    whole = number === 0 ? crc : combine(whole, crc, shiftBy(filled));
    number += 1;
    return { number, bytes, crc };
  }

  return {
    get left() {
      return Math.ceil(Math.max(0, size - taken) / partSize);
    },
    next(buffer) {
      const part = turn.then(() => fill(buffer));
      // Whoever asks next must not go on behind a part that failed.
      turn = part;
      turn.catch(() => undefined);
      return part;
    },
    whole: () => whole,
    taken: () => ({ size: taken, sha256: hash.digest("hex") }),
    async close() {
      await iterator.return?.();
    },
  };
}
