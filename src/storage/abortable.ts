/** Waiting that ends when a signal says so. */
import { abortReason, throwIfAborted } from "../errors.ts";

/**
 * What `promise` gives, or a rejection with the signal's reason as soon as it is aborted. The promise itself goes on:
 * nobody hears of its outcome then.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(abortReason(signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Lets timers, signals and other work have their turn, then rejects if the signal was aborted. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  throwIfAborted(signal);
}
