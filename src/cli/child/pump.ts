/** Moves a command's output on, chunk by chunk, as fast as the slowest of those who get it. */
import type { Readable } from "node:stream";
import type { OutputStream } from "../streams.ts";

/** How long something may still come from processes that the command left behind: they may hold its pipes for ever. */
const LINGER_MS = 5000;

/** What pipes can hold at most: what comes beyond it after the end was not written by the command itself. */
const PIPE_BYTES = 1024 * 1024;

/**
 * Hands each chunk to `write` and waits for it. Ends with the stream; or, with `false`, when somebody destroys the stream,
 * and after `ended` once nothing comes for a while, or a lot came for a while.
 */
export async function pump(
  stream: Readable,
  write: (chunk: Uint8Array) => Promise<void>,
  ended: Promise<unknown>,
): Promise<boolean> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  let endedAt: number | null = null;
  let onEnd: (() => void) | null = null;
  let since = 0;
  const noteEnd = async (): Promise<void> => {
    await ended;
    endedAt = performance.now();
    onEnd?.();
  };
  void noteEnd();

  /** `null`: nothing came for too long. */
  const next = (): Promise<IteratorResult<Uint8Array, undefined> | null> =>
    new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const watch = (): void => {
        timer = setTimeout(() => resolve(null), LINGER_MS);
      };
      if (endedAt === null) onEnd = watch;
      else watch();
      void chunks
        .next()
        .then(resolve, (error: Error) => (stream.errored === null ? resolve(null) : reject(error)))
        .finally(() => {
          onEnd = null;
          clearTimeout(timer);
        });
    });

  for (;;) {
    const one = await next();
    if (one?.done === true) return true;
    if (one === null || (endedAt !== null && since > PIPE_BYTES && performance.now() - endedAt > LINGER_MS)) {
      stream.destroy();
      return false;
    }
    if (endedAt !== null) since += one.value.length;
    await write(one.value);
  }
}

export interface Passage {
  write(chunk: Uint8Array): Promise<void>;
  /** Waits no longer for a reader that takes nothing. */
  abandon(): void;
  /** Whether the next text would begin in the middle of a line. */
  midLine(): boolean;
}

const NEWLINE = 0x0a;

/** One of our own streams as a place for output: whatever becomes of it, the command goes on. */
export function passTo(stream: OutputStream): Passage {
  let open = true;
  let last = NEWLINE;
  let release: (() => void) | null = null;
  return {
    midLine: () => last !== NEWLINE,
    abandon() {
      open = false;
      release?.();
    },
    async write(chunk) {
      if (!open) return;
      last = chunk.at(-1) ?? last;
      await new Promise<void>((resolve) => {
        release = resolve;
        stream.write(chunk).then(resolve, () => {
          open = false;
          resolve();
        });
      });
    },
  };
}
