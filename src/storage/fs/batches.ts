/** Many keys in steps: enough at once that syncs are shared, few enough that each result comes soon. */

/** How many keys share their syncs. */
export const BATCH = 128;

/** The keys in order. No key is twice in one batch, so that the keys of a batch can be worked on at once. */
export function batches(keys: Iterable<string>): Generator<string[], void, undefined> {
  return batchesOf(keys, (key) => key);
}

/** As `batches`, of what has a key. */
export function* batchesOf<T>(items: Iterable<T>, keyOf: (item: T) => string): Generator<T[], void, undefined> {
  let batch = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    if (batch.size >= BATCH || batch.has(key)) {
      yield [...batch.values()];
      batch = new Map();
    }
    batch.set(key, item);
  }
  if (batch.size > 0) yield [...batch.values()];
}
