/** Several items at once, their outcomes in the order of the items. */
import { pMapIterable } from "p-map";
import { abortReason } from "../errors.ts";

export interface MapOptions {
  /** Items that are worked on at the same time. */
  readonly concurrency: number;
  /** Items that may be done or under way before the first of them is taken. */
  readonly backpressure: number;
}

/**
 * As p-map's, but whoever leaves early, or gets an error, waits for what is under way: the process ends with the
 * command, and half of a clean-up would be left behind.
 */
export async function* mapInOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  work: (item: Item) => Promise<Result>,
  options: MapOptions,
): AsyncGenerator<Result, void, undefined> {
  const underWay = new Set<Promise<Result>>();
  const tracked = (item: Item): Promise<Result> => {
    const promise = work(item).finally(() => underWay.delete(promise));
    underWay.add(promise);
    return promise;
  };
  try {
    // Its type leaves out p-map's own control symbols, which no work here returns.
    yield* pMapIterable(items, tracked, options) as AsyncIterable<Result>;
  } finally {
    await Promise.allSettled(underWay);
  }
}

export type Outcome<Item, Result> = { readonly item: Item } & (
  | { readonly result: Result }
  | { readonly error: unknown }
);

export interface WorkOptions extends MapOptions {
  readonly signal: AbortSignal;
  /** Tells the failures that the next item would meet too. */
  readonly endsAll?: (error: unknown) => boolean;
}

/**
 * As `mapInOrder`, for work that changes something, so that whatever was done must be told: a failure is an outcome. Once
 * the signal is aborted, or a failure ends all, no item is begun any more; what was begun is waited for, and what of it
 * was done is given. Then it throws the reason, where anything was left undone.
 */
export async function* workInOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  work: (item: Item) => Promise<Result>,
  { signal, endsAll = () => false, ...options }: WorkOptions,
): AsyncGenerator<Outcome<Item, Result>, void, undefined> {
  let end: { readonly reason: unknown } | null = null;
  async function* untilTheEnd(): AsyncGenerator<Item, void, undefined> {
    for await (const item of items) {
      if (signal.aborted) end ??= { reason: abortReason(signal) };
      if (end !== null) return;
      yield item;
    }
  }
  const outcomes = mapInOrder(
    untilTheEnd(),
    async (item): Promise<Outcome<Item, Result> | null> => {
      // p-map takes some before there is room for them.
      if (signal.aborted) end ??= { reason: abortReason(signal) };
      if (end !== null) return null;
      try {
        return { item, result: await work(item) };
      } catch (error) {
        if (!signal.aborted && !endsAll(error)) return { item, error };
        end ??= { reason: signal.aborted ? abortReason(signal) : error };
        return null;
      }
    },
    options,
  );
  for await (const outcome of outcomes) if (outcome !== null) yield outcome;
  if (end !== null) throw (end as { readonly reason: unknown }).reason;
}
