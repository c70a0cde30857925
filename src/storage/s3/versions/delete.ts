/** Delete: a marker where the bucket keeps versions, for good where it doesn't. */
import { throwIfAborted } from "../../../errors.ts";
import type { DeleteResult } from "../../driver.ts";
import { batches } from "./batches.ts";
import { deleteBatch } from "./bulk.ts";
import { NULL_VERSION } from "./key-versions.ts";
import type { S3Store } from "../store.ts";

/**
 * As `StorageDriver.delete`. A signal stops it between batches: what a batch has begun it finishes, as far as a grace
 * goes, and tells. What the signal has cut is `interrupted`.
 */
export async function* deleteKeys(
  store: S3Store,
  keys: Iterable<string>,
  signal: AbortSignal,
): AsyncGenerator<DeleteResult, void, undefined> {
  throwIfAborted(signal);
  for (const batch of batches(keys)) {
    throwIfAborted(signal);
    const outcomes = await deleteBatch(
      store,
      batch.map((key) => ({ key })),
      signal,
    );
    for (const { target, error, markerId, at } of outcomes) {
      // S3 answers the same for a key that never was.
      const result = { key: target.key, existed: null, deletedAt: at };
      yield error === undefined
        ? { ...result, undoable: markerId !== null && markerId !== NULL_VERSION }
        : { ...result, undoable: false, error };
    }
  }
  throwIfAborted(signal);
}
