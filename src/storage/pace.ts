/** `--limit-rate`: so many bytes a second, all transfers of a store together. */
import { setTimeout as sleep } from "node:timers/promises";
import { abortReason } from "../errors.ts";
import type { Body, StorageDriver } from "./driver.ts";

export interface Pace {
  readonly bytesPerSecond: number;
  /** Takes the time that these bytes need, and tells in how many milliseconds they may go: after those before them. */
  reserve(bytes: number): number;
}

export function createPace(bytesPerSecond: number): Pace {
  let freeMs = 0;
  return {
    bytesPerSecond,
    reserve(bytes) {
      const nowMs = performance.now();
      const beginMs = Math.max(freeMs, nowMs);
      freeMs = beginMs + (bytes / bytesPerSecond) * 1000;
      return beginMs - nowMs;
    },
  };
}

/** Reads are held back here. So are puts, but where the driver takes a body faster than it stores it: `pacesPuts`. */
export function paced(
  driver: StorageDriver,
  pace: Pace,
  { pacesPuts }: { readonly pacesPuts: boolean },
): StorageDriver {
  return {
    ...driver,
    put: (key, body, options) => driver.put(key, pacesPuts ? body : pacedBody(body, pace), options),
    async get(key, options) {
      const { object, chunks } = await driver.get(key, options);
      return { object, chunks: pacedChunks(chunks, pace, options.signal) };
    },
  };
}

function pacedBody(body: Body, pace: Pace): Body {
  return {
    ...body,
    chunks: (signal) => pacedChunks(body.chunks(signal), pace, signal),
    settle: (bytesRead) => body.settle(bytesRead),
  };
}

/** By hand: a generator that was never begun would not hear that it is left. */
function pacedChunks(chunks: AsyncIterable<Uint8Array>, pace: Pace, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = chunks[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await iterator.next();
          if (result.done !== true) await wait(pace.reserve(result.value.length), signal);
          return result;
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds === 0) return;
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    throw abortReason(signal);
  }
}
