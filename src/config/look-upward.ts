/** How far up the tree a command looks for things that belong to where it runs. */
import { realpathSync, statSync, type Stats } from "node:fs";
import path from "node:path";

/**
 * The folders to look in, nearest first: from `cwd` up to the root of its repository (a folder that holds `.git`), else
 * up to HOME; outside both `cwd` alone, for what lies above (`/`, `/tmp`) belongs to nobody in particular.
 */
export function foldersUpward(cwd: string, home: string | null): readonly [string, ...string[]] {
  const start = path.resolve(cwd);
  const homes = homeFolders(home);
  const folders: [string, ...string[]] = [start];
  for (let folder = start; ;) {
    if (homes.includes(folder) || statOrNull(path.join(folder, ".git")) !== null) return folders;
    const parent = path.dirname(folder);
    if (parent === folder) return [start];
    folders.push(parent);
    folder = parent;
  }
}

/** What is at the path, links followed; `null` where there is nothing that this user can see. */
export function statOrNull(file: string): Stats | null {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? null;
  } catch {
    // EACCES, ELOOP, ENOTDIR, ENAMETOOLONG: nothing here that could be used.
    return null;
  }
}

/** `~` and `~/x` under HOME, for texts that no shell has seen; anything else as it is. */
export function expandHome(text: string, home: string | null): string {
  if (home === null || !(text === "~" || text.startsWith("~/"))) return text;
  return path.join(home, text.slice(1));
}

/** HOME as it is written and as it really is: the working directory is always the real one. */
function homeFolders(home: string | null): readonly string[] {
  if (home === null || home === "") return [];
  const written = path.resolve(home);
  try {
    return [written, realpathSync(written)];
  } catch {
    // A HOME that does not exist, as in many containers.
    return [written];
  }
}
