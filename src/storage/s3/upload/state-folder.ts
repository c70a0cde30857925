/** The folder for what a later run may want, made when it is needed. */
import { mkdir } from "node:fs/promises";
import path from "node:path";

/**
 * Makes the folder and those above it, for this user alone. One by one, from below: `mkdir` with `recursive` tells of a
 * read-only file system that there is no such folder. Errors: the file system's own, for the folder that can't be made.
 */
export async function makeStateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || path.dirname(folder) === folder) throw error;
    await makeStateFolder(path.dirname(folder));
    await mkdir(folder, { mode: 0o700 }).catch(unlessThere);
  }
}

/** Two runs may begin at once. */
function unlessThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}
