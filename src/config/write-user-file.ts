/** Writing the user file. Apart, because `conf` takes longer to load than most commands to run. */
import { chmodSync, closeSync, mkdirSync, openSync, unlinkSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Conf from "conf";
import { TaskflowError } from "../errors.ts";

/**
 * Sets a key of the JSON file, or removes it with `null`; the rest stays as it is. The file is replaced whole, 0600 in
 * a folder of 0700, and of two changes at once neither is lost. Throws what the disk says; `io` where another writer
 * takes longer than 3 seconds.
 */
export async function writeUserFile(file: string, name: string, value: string | null): Promise<void> {
  makePrivateFolder(path.dirname(file));
  await withLock(`${file}.lock`, () => {
    const conf = new Conf<Record<string, unknown>>({
      cwd: path.dirname(file),
      configName: path.basename(file, ".json"),
      projectSuffix: "",
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
    });
    if (value === null) conf.delete(name);
    else conf.set(name, value);
  });
}

/** Makes the folder and what is missing above it, each 0700 whatever the umask is; another process may do the same. */
function makePrivateFolder(folder: string): void {
  if (makeFolder(folder)) return;
  makePrivateFolder(path.dirname(folder));
  if (!makeFolder(folder)) throw new TaskflowError("io", `cannot make ${folder}: what is above it went away`);
}

/** `false` where the folder above is missing. */
function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    chmodSync(folder, 0o700);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return true;
    if (code === "ENOENT" && path.dirname(folder) !== folder) return false;
    throw error;
  }
}

/** One writer at a time, so that of two changes at once none is lost. */
async function withLock(lock: string, run: () => void): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      closeSync(openSync(lock, "wx", 0o600));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (attempt === 150) {
        throw new TaskflowError("io", `another taskflow is writing the user file: ${lock} exists`, {
          hint: "if none is running, remove that file",
          cause: error,
        });
      }
    }
    await sleep(20);
  }
  try {
    run();
  } finally {
    unlinkSync(lock);
  }
}
