/** Signals: many listeners on one, and requests that are better finished than cut. */
import { setMaxListeners } from "node:events";

/** The signal: Node warns on stderr of more than ten listeners, and each operation in flight has some. */
export function hearMany(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}

/**
 * Aborted so long after `signal`, with its reason: whoever cuts a write doesn't know whether it happened. Call `done` once it is no longer needed.
 */
export function withGrace(
  signal: AbortSignal,
  milliseconds: number = GRACE_MS,
): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => controller.abort(signal.reason), milliseconds);
    timer.unref();
  };
  if (signal.aborted) start();
  else signal.addEventListener("abort", start, { once: true });
  return {
    signal: controller.signal,
    done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", start);
    },
  };
}

/** A person who pressed Ctrl-C waits no longer than this. */
export const GRACE_MS = 2000;
