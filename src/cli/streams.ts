/** stdin, stdout and stderr as commands have them, over Node's streams. */
import type { Readable, Writable } from "node:stream";
import { TaskflowError } from "../errors.ts";
import { unlessAborted } from "../storage/abortable.ts";

export interface InputStream {
  readonly isTerminal: boolean;
  /** Waiting for them ends when the signal is aborted, with its reason. Leaving the loop closes the stream. */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface OutputStream {
  readonly isTerminal: boolean;
  /** Width of the terminal in columns; 80 where there is none. */
  columns(): number;
  /** Resolves once the bytes are taken. A reader that has gone makes it `closed`, a full disk rejects with `io`. */
  write(data: string | Uint8Array): Promise<void>;
  /** The reader is gone (`| head -1`): writing goes on to nowhere. */
  readonly closed: boolean;
}

/** After the signal, a reader that takes nothing for this long counts as gone. */
export const LAST_WRITE_MS = 1000;

/** A pipe may stay silent for ever; so nothing here waits for its next byte to get away from it. */
export function inputChunks(stream: Readable, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
      return {
        next: () => unlessAborted(iterator.next().catch(cannotRead), signal),
        return() {
          stream.destroy();
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

function cannotRead(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new TaskflowError("io", `cannot read stdin: ${reason}`, { cause: error });
}

/**
 * An OutputStream over a Node stream: waits for it, and tells a reader that has gone from a disk that is full. Once the
 * signal is aborted, a reader that takes nothing more is as good as gone.
 */
export function outputStream(
  stream: Writable & { isTTY?: boolean; columns?: number },
  signal: AbortSignal | null = null,
): OutputStream {
  let failure: TaskflowError | null = null;
  let closed = false;
  const fail = (error: NodeJS.ErrnoException): void => {
    // EIO is what a terminal says that was closed.
    const gone = ["EPIPE", "ERR_STREAM_DESTROYED", ...(stream.isTTY === true ? ["EIO"] : [])];
    if (gone.includes(error.code ?? "")) closed = true;
    else failure ??= new TaskflowError("io", `cannot write the output: ${error.message}`, { cause: error });
  };
  stream.on("error", fail);
  return {
    isTerminal: stream.isTTY === true,
    columns: () => (stream.columns !== undefined && stream.columns > 0 ? stream.columns : 80),
    get closed() {
      return closed;
    },
    async write(data) {
      if (failure !== null) throw failure;
      if (closed || data.length === 0) return;
      await new Promise<void>((resolve) => {
        const stopWaiting = afterAbort(signal, LAST_WRITE_MS, () => {
          closed = true;
          resolve();
        });
        stream.write(data, (error) => {
          stopWaiting();
          if (error) fail(error);
          resolve();
        });
      });
      // `fail` may have set it meanwhile.
      const after = failure as TaskflowError | null;
      if (after !== null) throw after;
    },
  };
}

/** A stream whose failures are nobody's concern: what people may not read changes nothing of what is done. */
export function forPeople(stream: OutputStream): OutputStream {
  return {
    isTerminal: stream.isTerminal,
    columns: stream.columns,
    get closed() {
      return stream.closed;
    },
    write: (data) => stream.write(data).catch(() => undefined),
  };
}

/** Calls `act` so long after the abort; never once the function it returns was called. */
function afterAbort(signal: AbortSignal | null, milliseconds: number, act: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(act, milliseconds);
  };
  if (signal?.aborted === true) start();
  else signal?.addEventListener("abort", start, { once: true });
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", start);
  };
}
