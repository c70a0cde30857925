/** The first pass over what is uploaded: the record goes before the bytes, so the digest has to be known by then. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { combine, shiftBy } from "./crc32.ts";
import { MiB } from "../store.ts";

/** Each part is some of these, so that parts may be cut once the size is known. */
export const BLOCK = 8 * MiB;

export interface Digests {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** CRC32 of each block; the last may be short. */
  readonly blocks: readonly number[];
}

export interface Digester {
  update(chunk: Uint8Array): void;
  end(): Digests;
}

export function createDigester(): Digester {
  const hash = createHash("sha256");
  const blocks: number[] = [];
  let size = 0;
  return {
    update(chunk) {
      hash.update(chunk);
      let at = 0;
      while (at < chunk.length) {
        const within = size % BLOCK;
        const piece = chunk.subarray(at, at + BLOCK - within);
        if (within === 0) blocks.push(crc32(piece));
        else blocks.push(crc32(piece, blocks.pop() ?? 0));
        at += piece.length;
        size += piece.length;
      }
    },
    end: () => ({ size, sha256: hash.digest("hex"), blocks }),
  };
}

/** S3's limit (User Guide, "Amazon S3 multipart upload limits"). */
export const MAX_PARTS = 10_000;

/** From here on parts are of two blocks at least: half the requests, and little to send again after a cut all the same. */
const MANY_BLOCKS = 64;

/** Bytes of a part: whole blocks, so many that `MAX_PARTS` are enough. */
export function partSizeFor(size: number, least = BLOCK): number {
  const blocks = Math.ceil(size / BLOCK);
  return Math.max(least, BLOCK * Math.ceil(blocks / MAX_PARTS), blocks > MANY_BLOCKS ? 2 * BLOCK : BLOCK);
}

export interface PartDigests {
  readonly parts: readonly number[];
  readonly whole: number;
}

/** CRC32 of each part and of the whole, of the blocks'. */
export function partDigests({ size, blocks }: Digests, partSize: number): PartDigests {
  const perPart = partSize / BLOCK;
  const shiftByBlock = shiftBy(BLOCK);
  const shiftByLast = shiftBy(size - (blocks.length - 1) * BLOCK);
  const joined = (from: number, to: number): number =>
    blocks
      .slice(from, to)
      .reduce((crc, block, at) => combine(crc, block, from + at === blocks.length - 1 ? shiftByLast : shiftByBlock), 0);
  const parts = Array.from({ length: Math.ceil(blocks.length / perPart) }, (_, n) =>
    joined(n * perPart, (n + 1) * perPart),
  );
  return { parts, whole: joined(0, blocks.length) };
}
