/** Joins small texts into large writes, where nobody waits for the single one. */
import type { OutputStream } from "../streams.ts";

export type Write = (text: string) => Promise<void>;

const WRITE_SIZE = 32_768;
const DONE = Promise.resolve();

export interface Gathered {
  readonly write: Write;
  flush(): Promise<void>;
  /** All that was written has left. */
  readonly isEmpty: boolean;
}

/** With `joined` texts leave in writes of about 32 Ki characters and at `flush`; without it each at once. */
export function gather(stream: OutputStream, joined: boolean): Gathered {
  let pending = "";
  const flush = async (): Promise<void> => {
    const now = pending;
    pending = "";
    await stream.write(now);
  };
  return {
    flush,
    get isEmpty() {
      return pending === "";
    },
    write(text) {
      pending += text;
      return joined && pending.length < WRITE_SIZE ? DONE : flush();
    },
  };
}
