/** The most keys that one DeleteObjects takes. */
export const BATCH = 1000;

/** Requests at once where each key takes its own. */
export const KEYS_AT_ONCE = 16;

/** Where each key takes requests of its own: so few that each result comes soon. */
export const KEYS_A_BATCH = 128;

/** The keys in order. No key is twice in one batch: S3 answers once for each. */
export function* batches(keys: Iterable<string>, most = BATCH): Generator<string[], void, undefined> {
  let batch = new Set<string>();
  for (const key of keys) {
    if (batch.size >= most || batch.has(key)) {
      yield [...batch];
      batch = new Set();
    }
    batch.add(key);
  }
  if (batch.size > 0) yield [...batch];
}
