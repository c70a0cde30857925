/** Undelete: the rename of a delete, back. */
import { rename } from "node:fs/promises";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { KeyResult, StoredObject } from "../driver.ts";
import { batches } from "./batches.ts";
import { describe, lookAtLive } from "./describe.ts";
import { removeIfEmpty } from "./durable.ts";
import { asTaskflowError, isErrno } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { look, lookAtFile } from "./levels.ts";
import { syncMoves } from "./moves.ts";
import type { Move } from "./moves.ts";
import { pathFor, placeOf } from "./paths.ts";
import type { Place } from "./paths.ts";
import { readTrash, versionsOf } from "./trash.ts";
import type { TrashIndex, Version } from "./trash.ts";

/** As `Versions.headDeleted`. */
export async function headDeleted(
  folder: Folder,
  key: string,
  signal: AbortSignal,
): Promise<StoredObject & { deletedAt: Date }> {
  const { layout } = folder;
  const place = placeOf(layout, key);
  if (place === null || lookAtLive(layout, place) !== null) throw notDeleted(key);
  const [known] = (await folder.readTrash(place.directory, signal)).get(place.base) ?? [];
  const isThere = known !== undefined && lookAtFile(known.path) !== null;
  const version = isThere ? known : (await versionsOf(layout, place))[0];
  const status = version === undefined ? null : lookAtFile(version.path);
  if (version === undefined || status === null) throw notDeleted(key);
  return { ...describe(layout, place, status), deletedAt: version.entry.deletedAt };
}

/** As `Versions.undelete`. A signal stops it between batches. */
export async function* undeleteKeys(
  folder: Folder,
  keys: Iterable<string>,
  signal: AbortSignal,
): AsyncGenerator<KeyResult> {
  const indexOf = trashOfCall(folder, signal);
  for (const batch of batches(keys)) {
    throwIfAborted(signal);
    const moved = await Promise.all(batch.map((key) => bringBack(folder, key, indexOf)));
    const moves = moved.flatMap(({ move }) => (move === null ? [] : [move]));
    const failures = await syncMoves(folder, moves, "tasks");
    await Promise.all([...new Set(moves.map(({ entry }) => entry))].map((entry) => removeIfEmpty(entry)));
    for (const { key, move, error } of moved) {
      const failure = error ?? (move === null ? undefined : failures.get(move.directory));
      yield failure === undefined ? { key } : { key, error: failure };
    }
  }
}

/** The trash of each directory, read once a call: a look for each key into each entry would be their product. */
export function trashOfCall({ layout }: Folder, signal: AbortSignal): (directory: string) => Promise<TrashIndex> {
  const indexes = new Map<string, Promise<TrashIndex>>();
  return (directory) => {
    const index = indexes.get(directory) ?? readTrash(layout, directory, signal);
    indexes.set(directory, index);
    return index;
  };
}

export function notDeleted(key: string): TaskflowError {
  return new TaskflowError("not_found", `there is no deleted ${key}`, { context: { key } });
}

interface Moved {
  readonly key: string;
  /** `null`: it was not moved. */
  readonly move: Move | null;
  readonly error?: TaskflowError;
}

async function bringBack(
  folder: Folder,
  key: string,
  indexOf: (directory: string) => Promise<TrashIndex>,
): Promise<Moved> {
  const { layout } = folder;
  const place = placeOf(layout, key);
  if (place === null) return { key, move: null, error: notDeleted(key) };
  try {
    const version = await moveBack(folder, place, (await indexOf(place.directory)).get(place.base) ?? []);
    return { key, move: { directory: place.directory, entry: version.entry.path } };
  } catch (error) {
    return { key, move: null, error: asTaskflowError(error, `undelete ${key}`, layout.root) };
  }
}

/** The version that is live now. `known` may be out of date: then the trash itself is asked, until it says nothing. */
async function moveBack(folder: Folder, place: Place, known: readonly Version[]): Promise<Version> {
  const { layout, durable } = folder;
  let candidates = known;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    for (const version of candidates) {
      // A rename would replace what is there.
      if (lookAtLive(layout, place) !== null || look(place.data) !== null) throw isLive(place.key);
      if (lookAtFile(version.path) === null) continue;
      await durable.ensureDirectory(layout.tasks);
      await durable.ensureDirectory(pathFor(layout.tasks, place.directory));
      try {
        await rename(version.path, place.data);
        return version;
      } catch (error) {
        if (!isErrno(error, "ENOENT")) throw error;
        // Another undelete, or a purge, was faster; or somebody removed the directory.
        durable.forget();
      }
    }
    if (lookAtLive(layout, place) !== null) throw isLive(place.key);
    candidates = await versionsOf(layout, place);
    if (candidates.length === 0) throw look(place.data) === null ? notDeleted(place.key) : isLive(place.key);
  }
  throw new TaskflowError("io", `cannot undelete ${place.key}: others delete and undelete it all the time`);
}

const ATTEMPTS = 100;

function isLive(key: string): TaskflowError {
  return new TaskflowError("exists", `cannot undelete ${key}: it is not deleted`, { context: { key } });
}
