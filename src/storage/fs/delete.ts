/** Delete: one rename into the trash, so that of two at once one wins and every state in between is whole. */
import { rename } from "node:fs/promises";
import { throwIfAborted } from "../../errors.ts";
import type { TaskflowError } from "../../errors.ts";
import type { DeleteResult } from "../driver.ts";
import { batches } from "./batches.ts";
import { lookAtLive } from "./describe.ts";
import { createFile, removeIfEmpty } from "./durable.ts";
import { asTaskflowError, isErrno } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { levelsExist, look, ownLevels } from "./levels.ts";
import { syncMoves } from "./moves.ts";
import { pathFor, placeOf } from "./paths.ts";
import type { Place } from "./paths.ts";
import { encodeUnrecorded } from "./sidecar.ts";
import { newEntry } from "./trash.ts";
import type { TrashEntry } from "./trash.ts";

/** As `StorageDriver.delete`. A signal stops it between batches: what a batch has begun it finishes and tells. */
export async function* deleteKeys(
  folder: Folder,
  keys: Iterable<string>,
  signal: AbortSignal,
): AsyncGenerator<DeleteResult> {
  const entries = new Map<string, OpenEntry>();
  try {
    for (const batch of batches(keys)) {
      throwIfAborted(signal);
      yield* await deleteBatch(folder, batch, entries);
    }
  } finally {
    for (const entry of entries.values()) await removeIfEmpty(entry.path);
  }
}

/** The entry that this call moves a directory's files into. */
interface OpenEntry extends TrashEntry {
  readonly directory: string;
  readonly bases: Set<string>;
  made: Promise<void> | null;
}

/** How one key fared before its directories were synced. */
interface Moved {
  readonly key: string;
  /** `null`: it was not moved. */
  readonly entry: OpenEntry | null;
  readonly error?: TaskflowError;
}

async function deleteBatch(
  folder: Folder,
  batch: readonly string[],
  entries: Map<string, OpenEntry>,
): Promise<DeleteResult[]> {
  const moved = await Promise.all(batch.map((key) => moveToTrash(folder, key, entries)));
  const moves = moved.flatMap(({ entry }) =>
    entry === null ? [] : [{ directory: entry.directory, entry: entry.path }],
  );
  const failures = await syncMoves(folder, moves, "trash");
  return moved.map(({ key, entry, error }): DeleteResult => {
    const failure = error ?? (entry === null ? undefined : failures.get(entry.directory));
    const deletedAt = entry?.deletedAt ?? folder.now();
    if (failure !== undefined) return { key, error: failure, existed: null, undoable: false, deletedAt };
    return { key, existed: entry !== null, undoable: entry !== null, deletedAt };
  });
}

async function moveToTrash(folder: Folder, key: string, entries: Map<string, OpenEntry>): Promise<Moved> {
  const { layout } = folder;
  const place = placeOf(layout, key);
  try {
    if (place === null || lookAtLive(layout, place) === null) return { key, entry: null };
    await folder.prepare();
    const entry = entryFor(folder, place, entries);
    await claimUnrecorded(folder, place);
    const moved = await moveInto(folder, place, entry);
    return { key, entry: moved ? entry : null };
  } catch (error) {
    return { key, entry: null, error: asTaskflowError(error, `delete ${key}`, layout.root) };
  }
}

/** One entry a directory and call, or another where this base is in it already: a rename would replace that. */
function entryFor({ layout, now }: Folder, place: Place, entries: Map<string, OpenEntry>): OpenEntry {
  let entry = entries.get(place.directory);
  if (entry === undefined || entry.bases.has(place.base)) {
    entry = { ...newEntry(layout, place.directory, now()), directory: place.directory, bases: new Set(), made: null };
    entries.set(place.directory, entry);
  }
  entry.bases.add(place.base);
  return entry;
}

/** Whether there was something to move, and it was this call that moved it. */
async function moveInto(folder: Folder, place: Place, entry: OpenEntry): Promise<boolean> {
  const { durable } = folder;
  const target = pathFor(entry.path, place.base);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const made = (entry.made ??= makeEntry(folder, place, entry));
    await made;
    try {
      await rename(place.data, target);
      return true;
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
    // A network file system may have done it and lost the reply: nobody else puts files into this entry.
    if (look(target) !== null) return true;
    if (look(place.data) === null) return false;
    // An undelete of what was in the entry removed it, being empty, at this moment.
    durable.forget();
    if (entry.made === made) entry.made = null;
  }
  return false;
}

/** Each attempt that fails means that another process removed the entry in between: a few are already unlikely. */
const ATTEMPTS = 100;

async function makeEntry({ layout, durable }: Folder, place: Place, entry: OpenEntry): Promise<void> {
  const directory = pathFor(layout.trash, place.directory);
  await durable.ensureDirectory(layout.trash);
  await durable.ensureDirectory(directory);
  levelsExist(...ownLevels(layout, "trash", place.directory));
  await durable.makeDirectory(entry.path);
}

/**
 * Where an object has no sidecar another program put it there, and its key looks free once it is in the trash. The
 * claim keeps it: an undelete finds its place as it was.
 */
async function claimUnrecorded({ layout, durable }: Folder, place: Place): Promise<void> {
  if (look(place.sidecar) !== null) return;
  await durable.ensureDirectory(layout.sidecars);
  await durable.ensureDirectory(pathFor(layout.sidecars, place.directory));
  try {
    await createFile(place.sidecar, encodeUnrecorded(place.key));
  } catch (error) {
    // Another delete of it was faster.
    if (!isErrno(error, "EEXIST")) throw error;
  }
}
