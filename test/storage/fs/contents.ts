/** Bytes that belong to a key, so that whoever finds them can tell whether they are whole. */
import { bytesOf } from "../../conformance/bodies.ts";

/** In the name of what is moved to another class meanwhile: it has either. */
export const MOVING = "moving";

/** Between 70 and 170 KB: more than one chunk. */
export function contentOf(key: string): Uint8Array {
  const seed = Buffer.from(key).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
  return bytesOf(70_000 + (seed % 100_000), seed);
}
