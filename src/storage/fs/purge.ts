/** Purge: the bytes first, durably, then what is known of them. A record without bytes is invisible. */
import path from "node:path";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { KeyResult } from "../driver.ts";
import { batches } from "./batches.ts";
import { lookAtLive } from "./describe.ts";
import { removeFile, removeIfEmpty } from "./durable.ts";
import { asTaskflowError } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { levelsExist, lookAtFile, ownLevels } from "./levels.ts";
import { placeOf } from "./paths.ts";
import type { Layout, Place } from "./paths.ts";
import { versionsOf } from "./trash.ts";
import type { TrashIndex, Version } from "./trash.ts";
import { trashOfCall } from "./undelete.ts";

/** As `Versions.purge`. A signal stops it between batches. */
export async function* purgeKeys(
  folder: Folder,
  keys: Iterable<string>,
  signal: AbortSignal,
): AsyncGenerator<KeyResult> {
  const indexOf = trashOfCall(folder, signal);
  for (const batch of batches(keys)) {
    throwIfAborted(signal);
    yield* await purgeEach(folder, batch, (one) => destroy(folder.layout, one, indexOf));
  }
}

/** How far the purge of a key is. */
export interface Purged {
  readonly key: string;
  readonly place: Place | null;
  /** Directories that its files were removed from. */
  readonly emptied: readonly string[];
  /** Other bytes of the key are there, and what is known of it stays. */
  readonly remains?: boolean;
  readonly error?: TaskflowError;
}

const ATTEMPTS = 100;

/** Removes bytes of each key as `remove` does, and then what is known of it; each step is durable before the next. */
export async function purgeEach(
  folder: Folder,
  batch: readonly string[],
  remove: (one: Purged) => Promise<Purged>,
): Promise<KeyResult[]> {
  const { layout } = folder;
  let purged = await Promise.all(
    batch.map((key) => step(folder, { key, place: placeOf(layout, key), emptied: [] }, remove)),
  );
  purged = await syncEach(folder, purged, ({ emptied }) => emptied);
  purged = await Promise.all(purged.map((one) => step(folder, one, (it) => forget(layout, it))));
  purged = await syncEach(folder, purged, ({ place, remains = false }) =>
    place === null || remains ? [] : [path.dirname(place.sidecar)],
  );
  const entries = new Set(
    purged.flatMap(({ emptied }) => emptied.filter((at) => at.startsWith(layout.trash + path.sep))),
  );
  await Promise.all([...entries].map((entry) => removeIfEmpty(entry)));
  return purged.map(({ key, error }) => (error === undefined ? { key } : { key, error }));
}

/** One step of one key; once a step failed the others are left out. */
async function step({ layout }: Folder, one: Purged, run: (one: Purged) => Promise<Purged>): Promise<Purged> {
  if (one.error !== undefined) return one;
  try {
    return await run(one);
  } catch (error) {
    return { ...one, error: asTaskflowError(error, `purge ${one.key}`, layout.root) };
  }
}

/** Each directory once, then every key fails whose directory did. */
async function syncEach(
  folder: Folder,
  purged: readonly Purged[],
  directoriesOf: (one: Purged) => readonly string[],
): Promise<Purged[]> {
  const syncs = new Map<string, Promise<void>>();
  function sync(directory: string): Promise<void> {
    const known = syncs.get(directory) ?? folder.durable.syncDirectory(directory);
    syncs.set(directory, known);
    return known;
  }
  return await Promise.all(
    purged.map((one) =>
      step(folder, one, async (it) => {
        await Promise.all(directoriesOf(it).map((directory) => sync(directory)));
        return it;
      }),
    ),
  );
}

/** Removes the bytes of a key, wherever they are while others move them about. */
async function destroy(
  layout: Layout,
  one: Purged,
  indexOf: (directory: string) => Promise<TrashIndex>,
): Promise<Purged> {
  const { key, place } = one;
  if (place === null) throw notThere(key);
  const emptied = new Set<string>();
  let versions: readonly Version[] = (await indexOf(place.directory)).get(place.base) ?? [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (lookAtLive(layout, place) !== null && (await removeFile(place.data))) emptied.add(path.dirname(place.data));
    for (const version of versions) {
      if (lookAtFile(version.path) !== null && (await removeFile(version.path))) emptied.add(version.entry.path);
    }
    if (emptied.size > 0) return { ...one, emptied: [...emptied] };
    versions = await versionsOf(layout, place);
    if (versions.length === 0 && lookAtLive(layout, place) === null) throw notThere(key);
  }
  throw new TaskflowError("io", `cannot purge ${key}: others delete and undelete it all the time`);
}

/** Only after its own removal of the bytes: another purge's record is not this one's to remove. */
async function forget(layout: Layout, one: Purged): Promise<Purged> {
  const { place, remains = false } = one;
  if (place === null || remains) return one;
  if (levelsExist(...ownLevels(layout, "labels", place.directory))) await removeFile(place.label);
  if (levelsExist(...ownLevels(layout, "sidecars", place.directory))) await removeFile(place.sidecar);
  return one;
}

function notThere(key: string): TaskflowError {
  return new TaskflowError("not_found", `there is no ${key}, live or deleted`, { context: { key } });
}
