/** The directories between the root and a file: plain ones, or nothing is touched. */
import { lstatSync } from "node:fs";
import type { Stats } from "node:fs";
import { notADirectory } from "./errors.ts";
import { pathFor } from "./paths.ts";
import type { Layout } from "./paths.ts";

/**
 * Whether these levels are all there, each below the one before; the first missing one ends the look.
 * Errors: `bad_config` where one is a symlink or a file, because what lies behind it may be outside the store.
 *
 * Synchronous, like every look at a name here: it costs 3 µs so, and ten times that through the thread pool.
 */
export function levelsExist(...levels: string[]): boolean {
  for (const level of levels) {
    const status = look(level);
    if (status === null) return false;
    if (!status.isDirectory()) throw notADirectory(level, status.isSymbolicLink());
  }
  return true;
}

/** `tasks/<directory>`. */
export function taskLevels(layout: Layout, directory: string): [string, string] {
  return [layout.tasks, pathFor(layout.tasks, directory)];
}

/** `.taskflow/<kind>/<directory>`, for sidecars, labels and trash. */
export function ownLevels(layout: Layout, kind: "sidecars" | "labels" | "trash", directory: string): string[] {
  return [layout.own, layout[kind], pathFor(layout[kind], directory)];
}

/** The status of a name itself, `null` where nothing has it. */
export function look(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null;
}

/** The status of a regular file, `null` where there is none: other things at a key's place are no objects. */
export function lookAtFile(path: string): Stats | null {
  const status = look(path);
  return status?.isFile() === true ? status : null;
}
