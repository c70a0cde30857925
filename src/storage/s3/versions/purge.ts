/**
 * Purge. What is live gets a marker first, then the data go, and only once they are gone the markers, in a request of
 * their own: in any other order what is left over in between, or for good where something fails, would be live again.
 */
import pMap from "p-map";
import { TaskflowError, isLacking, throwIfAborted, toTaskflowError } from "../../../errors.ts";
import type { KeyResult } from "../../driver.ts";
import { KEYS_AT_ONCE, KEYS_A_BATCH, batches } from "./batches.ts";
import { deleteAll, failuresOf } from "./bulk.ts";
import type { Outcome, Target } from "./bulk.ts";
import { withGrace } from "../client/grace.ts";
import { head } from "../read/head.ts";
import { explainLock } from "./lock.ts";
import { NULL_VERSION, versionsOfKeys } from "./key-versions.ts";
import type { EntriesOf } from "./key-versions.ts";
import type { S3Store } from "../store.ts";

/**
 * As `Versions.purge`. A signal stops it between batches: what a batch has begun it finishes, as far as a grace goes, and
 * tells.
 */
export async function* purgeKeys(
  store: S3Store,
  keys: Iterable<string>,
  signal: AbortSignal,
): AsyncGenerator<KeyResult, void, undefined> {
  throwIfAborted(signal);
  for (const batch of batches(keys, KEYS_A_BATCH)) {
    throwIfAborted(signal);
    yield* await purgeBatch(store, batch, signal);
  }
  throwIfAborted(signal);
}

/** What is there of one key, and how far its purge has come. */
interface Doomed {
  readonly key: string;
  readonly isLive: boolean;
  readonly data: readonly string[];
  readonly markers: readonly string[];
  /** Why its versions can't be listed, where the store is taken for one that knows none. */
  readonly unlisted?: TaskflowError;
  readonly error?: TaskflowError;
}

async function purgeBatch(store: S3Store, keys: readonly string[], signal: AbortSignal): Promise<KeyResult[]> {
  const entriesOf = await versionsOfKeys(store, keys, signal);
  const found = await pMap(keys, (key) => find(store, key, entriesOf, signal), { concurrency: KEYS_AT_ONCE });
  throwIfAborted(signal);
  const grace = withGrace(signal);
  try {
    return await destroy(store, found, grace.signal);
  } finally {
    grace.done();
  }
}

/** A result for each, whatever happens: of some there is less by then. What the signal has cut is `interrupted`. */
async function destroy(store: S3Store, found: readonly Doomed[], signal: AbortSignal): Promise<KeyResult[]> {
  let doomed = found;
  const live = await deleteAll(
    store,
    targetsOf(doomed, ({ isLive }) => (isLive ? [undefined] : [])),
    signal,
  );
  // Without its marker it is as live as before.
  doomed = withMarkers(
    withFailures(doomed, live, () => ""),
    live,
  );
  const data = await deleteAll(
    store,
    targetsOf(doomed, (one) => one.data),
    signal,
  );
  const explained = await pMap(data, (outcome) => explainLock(store, outcome, signal), { concurrency: KEYS_AT_ONCE });
  doomed = withFailures(doomed, explained, leftOver);
  const markers = await deleteAll(
    store,
    targetsOf(doomed, (one) => one.markers),
    signal,
  );
  doomed = withFailures(doomed, markers, leftOver);
  return doomed.map(({ key, error }) => (error === undefined ? { key } : { key, error }));
}

async function find(store: S3Store, key: string, entriesOf: EntriesOf, signal: AbortSignal): Promise<Doomed> {
  const none = { key, isLive: false, data: [], markers: [] };
  let unlisted: TaskflowError;
  try {
    const entries = await entriesOf(key);
    const idsOf = (isMarker: boolean): string[] =>
      entries.filter((entry) => entry.isMarker === isMarker).map(({ versionId }) => versionId);
    if (entries.length === 0) return { ...none, error: notThere(key) };
    return { key, isLive: entries[0]?.isMarker === false, data: idsOf(false), markers: idsOf(true) };
  } catch (error) {
    throwIfAborted(signal);
    unlisted = toTaskflowError(error);
    if (!isLacking(unlisted)) return { ...none, error: unlisted };
  }
  // A store that knows no versions has the object, or nothing.
  return await head(store, key, { signal }).then(
    () => ({ ...none, isLive: true, unlisted }),
    (error: unknown) => ({ ...none, error: toTaskflowError(error) }),
  );
}

/** `undefined` among the ids stands for the live object. */
function targetsOf(
  doomed: readonly Doomed[],
  idsOf: (one: Doomed) => readonly (string | undefined)[],
): readonly Target[] {
  return doomed.flatMap((one) =>
    one.error === undefined
      ? idsOf(one).map((versionId) => ({ key: one.key, ...(versionId === undefined ? {} : { versionId }) }))
      : [],
  );
}

/** The markers that the first step made are to go last. Over versions that can't be listed they stay, and hide them. */
function withMarkers(doomed: readonly Doomed[], live: readonly Outcome[]): Doomed[] {
  const made = new Map(live.map(({ target, markerId }) => [target.key, markerId]));
  return doomed.map((one) => {
    const markerId = made.get(one.key) ?? null;
    if (markerId === null) return one;
    if (one.unlisted !== undefined) return { ...one, error: versionsStay(one.key, one.unlisted) };
    // While versioning is suspended the marker has taken the place, and the name, of the data.
    const data = markerId === NULL_VERSION ? one.data.filter((id) => id !== NULL_VERSION) : one.data;
    return { ...one, data, markers: [...one.markers, markerId] };
  });
}

/** What was cut may be done as well. */
function leftOver(remaining: number, { code }: TaskflowError): string {
  const versions = remaining === 1 ? "1 version" : `${remaining} versions`;
  const stay = code === "interrupted" ? "may remain" : remaining === 1 ? "remains" : "remain";
  return `; it is deleted, but ${versions} ${stay}`;
}

/** A key that failed goes no further. `state`: how it stays, with so many that were to go. */
function withFailures(
  doomed: readonly Doomed[],
  outcomes: readonly Outcome[],
  state: (remaining: number, failure: TaskflowError) => string,
): Doomed[] {
  const failures = failuresOf(outcomes);
  return doomed.map((one) => {
    const failure = failures.get(one.key);
    if (failure === undefined || one.error !== undefined) return one;
    const left = outcomes.filter(({ target, error }) => target.key === one.key && error !== undefined).length;
    const error = new TaskflowError(failure.code, `${failure.message}${state(left, failure)}`, {
      hint: failure.hint,
      retryable: failure.retryable,
      requestId: failure.requestId,
      exit: failure.exit,
      context: { ...failure.context, remaining: left },
      cause: failure,
    });
    return { ...one, error };
  });
}

/** A store that makes a marker keeps versions, whatever it says of listing them. */
function versionsStay(key: string, unlisted: TaskflowError): TaskflowError {
  const { hint, requestId, context } = unlisted;
  const message = `cannot purge ${key}: its versions can't be listed; it is deleted, but its versions remain`;
  return new TaskflowError("unsupported", message, { hint, requestId, context: { ...context, key }, cause: unlisted });
}

function notThere(key: string): TaskflowError {
  return new TaskflowError("not_found", `there is no ${key}, live or deleted`, { context: { key } });
}
