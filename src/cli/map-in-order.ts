/** Several items at once, their outcomes in the order of the items. */
import { pMapIterable } from "p-map";

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
