/** A source that is fed as the bytes come about, by somebody who must not be held up by whoever stores them for good. */
import type { Source } from "./source.ts";

export interface FedSource extends Source {
  /** Resolves once there is room for more. What is fed after `close` is dropped. */
  write(chunk: Uint8Array): Promise<void>;
  /** No more will come. */
  end(): void;
  /** Resolves when the first bytes are asked for: whoever stores them is ready. */
  readonly wanted: Promise<void>;
}

/** Bytes that may wait; as many again may be with whoever stores them. */
const ROOM = 1024 * 1024;

export function createFedSource(): FedSource {
  let waiting: Uint8Array[] = [];
  let held = 0;
  let ended = false;
  let closed = false;
  let wake: (() => void) | null = null;
  let writers: (() => void)[] = [];
  const wanted = createGate();

  const makeRoom = (): void => {
    const released = writers;
    writers = [];
    for (const release of released) release();
  };
  const take = (): Uint8Array => {
    const [first, ...rest] = waiting;
    // Commands write line by line; one write for many of them costs the store a fraction.
    const all = first !== undefined && rest.length === 0 ? first : Buffer.concat(waiting);
    waiting = [];
    held = 0;
    makeRoom();
    return all;
  };
  const somethingComes = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });

  return {
    size: null,
    repeatable: false,
    wanted: wanted.opened,
    async peek(count) {
      for (;;) {
        if (held >= count || ended) return Buffer.concat(waiting).subarray(0, count);
        await somethingComes();
      }
    },
    async *chunks() {
      wanted.open();
      for (;;) {
        if (held > 0) yield take();
        else if (ended) return;
        else await somethingComes();
      }
    },
    settle: () => Promise.resolve(),
    async write(chunk) {
      if (closed || chunk.length === 0) return;
      waiting.push(chunk);
      held += chunk.length;
      wake?.();
      if (held < ROOM) return;
      await new Promise<void>((resolve) => {
        writers.push(resolve);
      });
    },
    end() {
      ended = true;
      wake?.();
    },
    close() {
      closed = true;
      waiting = [];
      held = 0;
      makeRoom();
      return Promise.resolve();
    },
  };
}

function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
