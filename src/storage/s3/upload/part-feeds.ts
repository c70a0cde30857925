/** How a large object is cut: by position, so that parts are read at once and in any order, or as a stream brings them. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { TaskflowError } from "../../../errors.ts";
import { combine, shiftBy } from "./crc32.ts";
import { partDigests } from "./digest.ts";
import type { Digests } from "./digest.ts";
import { inMemory } from "../client/part-body.ts";
import type { PartBody } from "../client/part-body.ts";

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly body: PartBody;
  readonly crc: number;
  /** Of all of it, in hex; reads it. */
  digest(algorithm: "md5" | "sha256"): Promise<string>;
  /** Rejects with `changed` where these are other bytes than the first pass saw. Absent: they were compared. */
  readonly check?: () => Promise<void>;
}

export interface PartFeed {
  /** How many are still to come, at most. */
  readonly left: number;
  /** Bytes of the buffer that each part wants for itself while it is sent. */
  readonly bufferSize: number;
  /** The next part, which is read into the buffer; `null`: that was all. Several at once are fine. */
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
  part(number: number, buffer: Buffer): Part;
  /** These are not to be read any more. */
  leaveOut(numbers: ReadonlySet<number>): void;
}

/** What is read of a part at once: as much as is sent at once, whatever the part's own size. */
const READ_SIZE = 1024 * 1024;

/**
 * Parts are read as they are sent. Each is compared with its CRC32 of the first pass before its last bytes go, unless
 * `isProven`: the store does that, with the CRC32 that goes with the part.
 */
export function byPosition(source: RangedSource, partSize: number, { isProven }: { isProven: boolean }): RangedFeed {
  const { size } = source.digests;
  const { parts: crcs, whole } = partDigests(source.digests, partSize);
  let waiting = crcs.map((_, index) => index + 1);
  const lengthOf = (number: number): number => Math.min(partSize, size - (number - 1) * partSize);

  function part(number: number, buffer: Buffer): Part {
    const begin = (number - 1) * partSize;
    const length = lengthOf(number);
    const crc = crcs[number - 1] ?? 0;
    const read = oneAtATime(async (position: number, most: number) => {
      const bytes = buffer.subarray(0, Math.min(most, length - position));
      const bytesRead = await source.readAt(bytes, begin + position, bytes.length);
      if (bytesRead !== bytes.length) throw await source.changed(begin + position + bytesRead);
      return bytes;
    });
    async function check(): Promise<void> {
      let seen = 0;
      await forEachPiece(length, read, (bytes) => void (seen = crc32(bytes, seen)));
      if (seen !== crc) throw await source.changed(size);
    }
    async function digest(algorithm: "md5" | "sha256"): Promise<string> {
      const hash = createHash(algorithm);
      await forEachPiece(length, read, (bytes) => hash.update(bytes));
      return hash.digest("hex");
    }
    if (isProven) return { number, body: { length, read }, crc, digest, check };
    let seen = 0;
    const body: PartBody = {
      length,
      async read(position, most) {
        const bytes = await read(position, most);
        seen = crc32(bytes, position === 0 ? 0 : seen);
        if (position + bytes.length === length && seen !== crc) throw await source.changed(size);
        return bytes;
      },
    };
    return { number, body, crc, digest };
  }

  return {
    get left() {
      return waiting.length;
    },
    bufferSize: Math.min(READ_SIZE, partSize, size),
    next(buffer) {
      const number = waiting.shift();
      return Promise.resolve(number === undefined ? null : part(number, buffer));
    },
    whole: () => whole,
    lengthOf,
    crcOf: (number) => crcs[number - 1] ?? null,
    part,
    leaveOut(numbers) {
      waiting = waiting.filter((number) => !numbers.has(number));
    },
  };
}

type Read = (position: number, most: number) => Promise<Uint8Array>;

/** A request that was given up may have left a read of the same buffer behind: it must not fill it later. */
function oneAtATime(read: Read): Read {
  let last: Promise<unknown> = Promise.resolve();
  return (position, most) => {
    const next = last.then(() => read(position, most));
    last = next.catch(() => undefined);
    return next;
  };
}

async function forEachPiece(length: number, read: Read, take: (bytes: Uint8Array) => void): Promise<void> {
  for (let at = 0; at < length;) {
    const bytes = await read(at, READ_SIZE);
    take(bytes);
    at += bytes.length;
  }
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
    return {
      number,
      body: inMemory(bytes),
      crc,
      digest: (algorithm) => Promise.resolve(createHash(algorithm).update(bytes).digest("hex")),
    };
  }

  return {
    get left() {
      return Math.ceil(Math.max(0, size - taken) / partSize);
    },
    bufferSize: Math.min(partSize, size),
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
