/** Undelete: the delete marker is removed, or where that is refused the version is copied back. */
import pMap from "p-map";
import { TaskflowError, isTaskflowError, throwIfAborted, toTaskflowError } from "../../../errors.ts";
import type { KeyResult } from "../../driver.ts";
import { KEYS_AT_ONCE, KEYS_A_BATCH, batches } from "./batches.ts";
import { deleteAll, failuresOf } from "./bulk.ts";
import type { Target } from "./bulk.ts";
import { withGrace } from "../client/grace.ts";
import { copyBack } from "./copy-back.ts";
import { headRaw } from "../read/head.ts";
import { versionsOfKeys } from "./key-versions.ts";
import type { EntriesOf } from "./key-versions.ts";
import { keptOf, notDeleted } from "./list-deleted.ts";
import type { Kept } from "./list-deleted.ts";
import type { S3Store } from "../store.ts";
import { requireVersions } from "./versioning.ts";

/**
 * As `Versions.undelete`. A signal stops it between batches: what a batch has begun it finishes, as far as a grace goes,
 * and tells.
 */
export async function* undeleteKeys(
  store: S3Store,
  keys: Iterable<string>,
  signal: AbortSignal,
): AsyncGenerator<KeyResult, void, undefined> {
  throwIfAborted(signal);
  for (const batch of batches(keys, KEYS_A_BATCH)) {
    throwIfAborted(signal);
    yield* await undeleteBatch(store, batch, signal);
  }
  throwIfAborted(signal);
}

interface Found {
  readonly key: string;
  readonly kept: Kept | null;
  readonly error?: TaskflowError;
}

async function undeleteBatch(store: S3Store, keys: readonly string[], signal: AbortSignal): Promise<KeyResult[]> {
  const entriesOf = await versionsOfKeys(store, keys, signal);
  const found = await pMap(keys, (key) => find(store, key, entriesOf, signal), { concurrency: KEYS_AT_ONCE });
  throwIfAborted(signal);
  const grace = withGrace(signal);
  try {
    return await bringBack(store, found, grace.signal);
  } finally {
    grace.done();
  }
}

/** A result for each, whatever happens: some may be live by then. What the signal has cut is `interrupted`. */
async function bringBack(store: S3Store, found: readonly Found[], signal: AbortSignal): Promise<KeyResult[]> {
  const markers = found.flatMap(({ key, kept, error }): Target[] =>
    error === undefined && kept !== null ? kept.markers.map(({ versionId }) => ({ key, versionId })) : [],
  );
  const failures = failuresOf(await deleteAll(store, markers, signal));
  return await pMap(
    found,
    async ({ key, kept, error }): Promise<KeyResult> => {
      if (error !== undefined || kept === null) return { key, error: error ?? notDeleted(key) };
      try {
        const refused = failures.get(key);
        if (refused === undefined) await confirm(store, key, signal);
        else if (refused.code === "access_denied" || refused.code === "retained")
          await copyBack(store, kept.version, signal);
        else throw refused;
        return { key };
      } catch (thrown) {
        return { key, error: toTaskflowError(thrown) };
      }
    },
    { concurrency: KEYS_AT_ONCE },
  );
}

async function find(store: S3Store, key: string, entriesOf: EntriesOf, signal: AbortSignal): Promise<Found> {
  try {
    const kept = keptOf(await entriesOf(key));
    if (kept === null) {
      await requireVersions(store, signal);
      return { key, kept, error: notDeleted(key) };
    }
    return kept.markers.length > 0 ? { key, kept } : { key, kept, error: isLive(key) };
  } catch (error) {
    throwIfAborted(signal);
    return { key, kept: null, error: toTaskflowError(error) };
  }
}

/**
 * A delete or a purge at the same time may have come in between. Who may not look, or has no time to, believes the reply.
 */
async function confirm(store: S3Store, key: string, signal: AbortSignal): Promise<void> {
  try {
    await headRaw(store, key, { signal });
  } catch (error) {
    if (signal.aborted || (isTaskflowError(error) && error.code === "access_denied")) return;
    throw error;
  }
}

function isLive(key: string): TaskflowError {
  return new TaskflowError("exists", `cannot undelete ${key}: it is not deleted`, { context: { key } });
}
