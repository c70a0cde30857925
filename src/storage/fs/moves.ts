/** Making renames between an object's directory and the trash durable, many at a time. */
import type { TaskflowError } from "../../errors.ts";
import { asTaskflowError } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { pathFor } from "./paths.ts";

/** A file that was renamed between `tasks/<directory>` and a trash entry. */
export interface Move {
  readonly directory: string;
  /** Absolute path of the trash entry. */
  readonly entry: string;
}

/**
 * Syncs where the files are now before where they were: never may a power cut leave neither. Gives what failed, by
 * directory; the other directories are durable.
 */
export async function syncMoves(
  { layout, durable }: Folder,
  moves: readonly Move[],
  to: "trash" | "tasks",
): Promise<ReadonlyMap<string, TaskflowError>> {
  const entriesOf = new Map<string, Set<string>>();
  for (const { directory, entry } of moves) {
    const entries = entriesOf.get(directory) ?? new Set();
    entriesOf.set(directory, entries.add(entry));
  }
  const failures = new Map<string, TaskflowError>();
  await Promise.all(
    [...entriesOf].map(async ([directory, entries]) => {
      const tasks = [pathFor(layout.tasks, directory)];
      const [first, second] = to === "trash" ? [[...entries], tasks] : [tasks, [...entries]];
      try {
        await Promise.all(first.map((folder) => durable.syncDirectory(folder)));
        await Promise.all(second.map((folder) => durable.syncDirectory(folder)));
      } catch (error) {
        const act = `${to === "trash" ? "delete from" : "undelete to"} tasks/${directory}`;
        failures.set(directory, asTaskflowError(error, act, layout.root));
      }
    }),
  );
  return failures;
}
