/** The bytes of an upload as they arrive, from a client that may stall, drip or vanish. */
import type { IncomingMessage } from "node:http";
import { TaskflowError } from "../errors.ts";
import type { Limits } from "./limits.ts";

/**
 * Ends when the body does. Rejects with `network` where no byte comes for `idleMs`, where fewer than `floorBytes` came
 * in a window, and where the connection breaks. `begin` is called before the first byte is waited for. Leaving it early
 * keeps the connection, so that it can still be answered.
 */
export async function* uploadChunks(
  req: IncomingMessage,
  limits: Limits,
  begin: () => void,
  clock: () => number = () => performance.now(),
): AsyncGenerator<Uint8Array, void, undefined> {
  begin();
  const chunks = req.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  let windowEnds = clock() + limits.floorWindowMs;
  let inWindow = 0;
  try {
    for (;;) {
      const next = await within(chunks.next(), limits.idleMs);
      if (next.done === true) return;
      inWindow += next.value.length;
      if (clock() >= windowEnds) {
        if (inWindow < limits.floorBytes) {
          throw tooSlow(`${inWindow} bytes in ${limits.floorWindowMs / 1000} s, ${limits.floorBytes} are the least`);
        }
        windowEnds = clock() + limits.floorWindowMs;
        inWindow = 0;
      }
      yield next.value;
    }
  } finally {
    // Not awaited: a reading that waits for a silent client answers only when it speaks.
    void chunks.return?.().catch(() => undefined);
  }
}

function within<T>(promise: Promise<T>, idleMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow(`nothing for ${idleMs / 1000} s`)), idleMs);
    promise.then(resolve, (error: unknown) => {
      reject(new TaskflowError("network", "the connection broke during an upload", { cause: error }));
    });
    promise.finally(() => clearTimeout(timer)).catch(() => undefined);
  });
}

function tooSlow(how: string): TaskflowError {
  return new TaskflowError("network", `an upload came too slowly: ${how}`);
}
