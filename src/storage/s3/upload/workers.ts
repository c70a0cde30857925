/** Several requests at once of one upload. */
import { throwIfAborted } from "../../../errors.ts";

/**
 * So many do the same work side by side. The first failure aborts the signal that they are given; it, or the reason of
 * the signal, is thrown once none is at work any more.
 */
export async function sideBySide(
  count: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let failure: unknown = null;
  await Promise.all(
    Array.from({ length: count }, () =>
      work(either).catch((error: unknown) => {
        failure ??= error;
        stop.abort();
      }),
    ),
  );
  throwIfAborted(signal);
  if (failure !== null) throw failure;
}
