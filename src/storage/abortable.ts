/** Waiting that ends when a signal says so. */
import { abortReason, throwIfAborted } from "../errors.ts";

/**
 * What `promise` gives, or a rejection with the signal's reason as soon as it is aborted. The promise itself goes on:
 * nobody hears of its outcome then.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const forget = onAbort(signal, () => reject(abortReason(signal)));
    void promise.then(resolve, reject).finally(forget);
  });
}

/** Lets timers, signals and other work have their turn, then rejects if the signal was aborted. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  throwIfAborted(signal);
}

/**
 * For work that is done at once, without waiting for anything: called before each piece, it lets others have their
 * turn at the first and then after every so many. Without it a loop over such work would hold up the whole process.
 */
export function pacer(every: number): (signal: AbortSignal) => Promise<void> | undefined {
  let count = 0;
  return (signal) => {
    const isTurn = count % every === 0;
    count += 1;
    return isTurn ? breathe(signal) : undefined;
  };
}

/**
 * One listener a signal, however many wait: Node warns of a leak at the eleventh, and one signal serves a whole
 * command with all its operations in flight.
 */
const waiters = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `stop` when the signal is aborted, at once where it was. Gives what to call when that is no longer wanted. */
function onAbort(signal: AbortSignal, stop: () => void): () => void {
  if (signal.aborted) {
    stop();
    return () => undefined;
  }
  const known = waiters.get(signal);
  const all = known ?? new Set();
  if (known === undefined) {
    waiters.set(signal, all);
    signal.addEventListener("abort", () => all.forEach((call) => call()), { once: true });
  }
  all.add(stop);
  return () => all.delete(stop);
}
