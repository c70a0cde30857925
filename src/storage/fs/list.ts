/** Listings in key order. Names are read a directory at a time, statuses only of what is asked for. */
import { readdirSync } from "node:fs";
import { pacer } from "../abortable.ts";
import type { DeletedObject, ListOptions, ObjectInfo } from "../driver.ts";
import { compareKeys, sortKeys } from "../key-order.ts";
import { isErrno, notADirectory } from "./errors.ts";
import { labelsOf } from "./labels.ts";
import { levelsExist, lookAtFile, taskLevels } from "./levels.ts";
import { isObjectName, pathFor } from "./paths.ts";
import type { Layout } from "./paths.ts";
import { readTrash, trashDirectories } from "./trash.ts";

/**
 * Regular files directly under `tasks/<directory>/` whose names don't begin with a dot; everything else is none of
 * ours. What vanishes between the reading of names and its own look was deleted meanwhile, and is left out.
 */
export async function* list(layout: Layout, prefix: string, options: ListOptions): AsyncGenerator<ObjectInfo> {
  const pace = pacer(SLICE);
  await pace(options.signal);
  for (const directory of selectDirectories(prefix, options.after, () => taskDirectories(layout))) {
    if (!levelsExist(...taskLevels(layout, directory))) continue;
    const folder = pathFor(layout.tasks, directory);
    const bases = selectBases(`tasks/${directory}/`, prefix, options.after, namesIn(folder));
    const classOf = labelsOf(layout, directory);
    for (const base of bases) {
      const status = lookAtFile(`${folder}/${base}`);
      if (status !== null) {
        const { size, mtime } = status;
        yield { key: `tasks/${directory}/${base}`, size, modifiedAt: mtime, storageClass: classOf(base) };
      }
      await pace(options.signal);
    }
    await pace(options.signal);
  }
}

/** As `Versions.listDeleted`. */
export async function* listDeleted(
  layout: Layout,
  prefix: string,
  options: ListOptions,
): AsyncGenerator<DeletedObject> {
  const pace = pacer(SLICE);
  await pace(options.signal);
  for (const directory of selectDirectories(prefix, options.after, () => trashDirectories(layout))) {
    const trash = await readTrash(layout, directory, options.signal);
    const classOf = labelsOf(layout, directory);
    const live = levelsExist(...taskLevels(layout, directory));
    for (const base of selectBases(`tasks/${directory}/`, prefix, options.after, [...trash.keys()])) {
      await pace(options.signal);
      if (live && lookAtFile(pathFor(layout.tasks, directory, base)) !== null) continue;
      for (const { path, entry } of trash.get(base) ?? []) {
        const status = lookAtFile(path);
        if (status === null) continue;
        const { size, mtime } = status;
        const { deletedAt } = entry;
        yield { key: `tasks/${directory}/${base}`, size, modifiedAt: mtime, storageClass: classOf(base), deletedAt };
        break;
      }
    }
    await pace(options.signal);
  }
}

/** Looks between two turns of the event loop: some 2 ms of work. */
const SLICE = 512;
/** Directories that can hold keys with this prefix after that key, in key order: as their names with `/` sort. */
export function selectDirectories(prefix: string, after: string | undefined, all: () => string[]): string[] {
  const named = /^tasks\/([^/]+)\//.exec(prefix)?.[1];
  const names = named === undefined ? all() : [named];
  const starts = names.filter((name) => isObjectName(name)).map((name) => `tasks/${name}/`);
  return sortKeys(starts)
    .filter((start) => start.startsWith(prefix) || prefix.startsWith(start))
    .filter((start) => after === undefined || after.startsWith(start) || compareKeys(start, after) > 0)
    .map((start) => start.slice("tasks/".length, -1));
}

export function selectBases(start: string, prefix: string, after: string | undefined, names: string[]): string[] {
  const beginning = prefix.slice(start.length);
  const last = after?.startsWith(start) === true ? after.slice(start.length) : null;
  const bases = names.filter(
    (name) => isVisible(name) && name.startsWith(beginning) && (last === null || compareKeys(name, last) > 0),
  );
  return sortKeys(bases);
}

/** Names come from the file system here, so that they are plain already. */
function isVisible(name: string): boolean {
  return !name.startsWith(".");
}

export function taskDirectories(layout: Layout): string[] {
  if (!levelsExist(layout.tasks)) return [];
  const found = readdirSync(layout.tasks, { withFileTypes: true }).filter(({ name }) => isObjectName(name));
  // To leave it out would be a shorter list than the truth, to follow it would lead outside.
  const link = found.find((entry) => entry.isSymbolicLink());
  if (link !== undefined) throw notADirectory(pathFor(layout.tasks, link.name), true);
  return found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Nothing, where another process has just removed the directory. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}
