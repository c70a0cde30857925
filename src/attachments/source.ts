/** Where uploaded bytes come from: a file on disk (file-source.ts), or a stream that can be read once. */
import { unlessAborted } from "../storage/abortable.ts";
import type { Body } from "../storage/driver.ts";

/** A body with what an upload wants to know before the first byte goes out. */
export interface Source extends Body {
  /** At most `count` leading bytes; reading them takes nothing from `chunks`. */
  peek(count: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Bytes that pass once, for example a pipe. */
export async function openStreamSource(stream: AsyncIterable<Uint8Array>): Promise<Source> {
  const iterator = stream[Symbol.asyncIterator]();
  let head: Uint8Array[] = [];
  return await Promise.resolve({
    size: null,
    repeatable: false,
    async peek(count: number) {
      let have = head.reduce((sum, chunk) => sum + chunk.length, 0);
      while (have < count) {
        const next = await iterator.next();
        if (next.done === true) break;
        head.push(Buffer.from(next.value));
        have += next.value.length;
      }
      return Buffer.concat(head).subarray(0, count);
    },
    async *chunks(signal: AbortSignal) {
      const first = head;
      head = [];
      for (const chunk of first) yield chunk;
      for (;;) {
        // A silent pipe must not keep an aborted upload.
        const next = await unlessAborted(iterator.next(), signal);
        if (next.done === true) return;
        yield next.value;
      }
    },
    settle: () => Promise.resolve(),
    async close() {
      // Not awaited: a generator that waits for a silent pipe would never answer.
      void iterator.return?.().catch(() => undefined);
      return await Promise.resolve();
    },
  });
}
