/**
 * Deleted objects: `.taskflow/trash/<directory>/<epoch-ms>-<random>/<base>`. One entry holds what one call of `delete`
 * deleted of a directory, so that deleting many costs a rename each and few syncs.
 */
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { breathe, pacer, unlessAborted } from "../abortable.ts";
import { isErrno } from "./errors.ts";
import { levelsExist, look, lookAtFile, ownLevels } from "./levels.ts";
import { isObjectName, pathFor } from "./paths.ts";
import type { Layout, Place } from "./paths.ts";

export interface TrashEntry {
  /** Absolute path of its directory. */
  readonly path: string;
  readonly deletedAt: Date;
}

/** One deleted content of a key. */
export interface Version {
  readonly path: string;
  readonly entry: TrashEntry;
}

/** What is in the trash of one directory. A base's versions are in order, the one deleted last first. */
export type TrashIndex = ReadonlyMap<string, readonly Version[]>;

export function newEntry(layout: Layout, directory: string, now: Date): TrashEntry {
  const name = `${now.getTime()}-${randomBytes(8).toString("hex")}`;
  return { path: pathFor(layout.trash, directory, name), deletedAt: now };
}

/** Reads all names of a directory's trash: some 10 µs an entry. */
export async function readTrash(layout: Layout, directory: string, signal: AbortSignal): Promise<TrashIndex> {
  const index = new Map<string, Version[]>();
  let count = 0;
  for (const entry of entriesOf(layout, directory)) {
    for (const base of namesIn(entry.path)) {
      if (!isObjectName(base)) continue;
      const versions = index.get(base);
      const version = { path: pathFor(entry.path, base), entry };
      if (versions === undefined) index.set(base, [version]);
      else versions.push(version);
    }
    count += 1;
    if (count % SLICE === 0) await breathe(signal);
  }
  return index;
}

/**
 * `readTrash` for looks at many keys in turn: the directory looked at last is read again only when entries came or
 * went. What it tells may be out of date: a version that is gone, or a key that it doesn't know, must be looked up.
 */
export function trashReader(layout: Layout): (directory: string, signal: AbortSignal) => Promise<TrashIndex> {
  let known: { readonly directory: string; readonly stamp: string; readonly index: Promise<TrashIndex> } | null = null;
  return async (directory, signal) => {
    const status = look(pathFor(layout.trash, directory));
    const stamp = `${status?.ino ?? 0} ${status?.mtimeMs ?? 0}`;
    if (known?.directory !== directory || known.stamp !== stamp) {
      // Several callers may wait for it: one that is aborted leaves it to the others.
      const index = readTrash(layout, directory, NEVER);
      known = { directory, stamp, index };
      index.catch(() => (known = null));
    }
    return await unlessAborted(known.index, signal);
  };
}

/** One key's versions that are there now, the one deleted last first: a look into every entry. */
export async function versionsOf(layout: Layout, place: Place): Promise<Version[]> {
  const versions: Version[] = [];
  let count = 0;
  for (const entry of entriesOf(layout, place.directory)) {
    const path = pathFor(entry.path, place.base);
    if (lookAtFile(path) !== null) versions.push({ path, entry });
    count += 1;
    if (count % SLICE === 0) await breathe(NEVER);
  }
  return versions;
}

/** The directories that have trash, in no order. */
export function trashDirectories(layout: Layout): string[] {
  if (!levelsExist(layout.own, layout.trash)) return [];
  return readdirSync(layout.trash, { withFileTypes: true })
    .filter((found) => found.isDirectory() && isObjectName(found.name))
    .map((found) => found.name);
}

/** Entries with nothing in them: an undelete or a purge that crashed leaves them. */
export async function* emptyEntries(layout: Layout, signal: AbortSignal): AsyncGenerator<TrashEntry, void, undefined> {
  const pace = pacer(SLICE);
  for (const directory of trashDirectories(layout)) {
    for (const entry of entriesOf(layout, directory)) {
      await pace(signal);
      if (namesIn(entry.path).length === 0) yield entry;
    }
  }
}

/** Entries between two turns of the event loop. */
const SLICE = 256;
const ENTRY_NAME = /^(\d{1,15})-[0-9a-f]{8,32}$/;
const NEVER = new AbortController().signal;

/** The one made last first. Other names are none of ours. */
function entriesOf(layout: Layout, directory: string): TrashEntry[] {
  if (!levelsExist(...ownLevels(layout, "trash", directory))) return [];
  const folder = pathFor(layout.trash, directory);
  const entries: { name: string; time: number }[] = [];
  for (const found of readdirSync(folder, { withFileTypes: true })) {
    const time = ENTRY_NAME.exec(found.name)?.[1];
    if (time !== undefined && found.isDirectory()) entries.push({ name: found.name, time: Number(time) });
  }
  entries.sort((a, b) => b.time - a.time || (a.name < b.name ? 1 : -1));
  return entries.map(({ name, time }) => ({ path: pathFor(folder, name), deletedAt: new Date(time) }));
}

/** Nothing, where another process has just removed the entry. */
function namesIn(entry: string): string[] {
  try {
    return readdirSync(entry);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}
