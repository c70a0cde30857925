/** Many keys in steps: enough at once that syncs are shared, few enough that each result comes soon. */

/** How many keys share their syncs. */
export const BATCH = 128;

/** The keys in order. No key is twice in one batch, so that the keys of a batch can be worked on at once. */
export function* batches(keys: Iterable<string>): Generator<string[], void, undefined> {
  let batch = new Set<string>();
  for (const key of keys) {
    if (batch.size >= BATCH || batch.has(key)) {
      yield [...batch];
      batch = new Set();
    }
    batch.add(key);
  }
  if (batch.size > 0) yield [...batch];
}
