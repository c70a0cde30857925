/** Who may read and write the store. What is inside a folder that is closed to others is closed to them. */
import { access, constants } from "node:fs/promises";
import { TaskflowError } from "../../../errors.ts";
import { ok, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import { isErrno } from "../errors.ts";
import type { Folder } from "../folder.ts";
import { look } from "../levels.ts";

/** Errors: `permission` where others can write into it, or this user can't. */
export async function checkModes({ layout }: Folder, uid: number | null): Promise<Finding> {
  const { root, own, tasks } = layout;
  const status = look(root);
  if (status === null) throw new TaskflowError("no_store", `${root} vanished meanwhile`);
  const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
  if ((status.mode & 0o022) !== 0) {
    throw new TaskflowError("permission", `${root} can be written by others (mode ${mode})`, {
      hint: `chmod go-rwx ${root}`,
      context: { path: root, mode },
    });
  }
  for (const folder of [root, own, tasks]) if (look(folder) !== null) await demandWritable(folder);
  if (uid !== null && status.uid !== uid) {
    return warn(`${root} belongs to another user (uid ${status.uid})`, `run as that user, or chown it to uid ${uid}`);
  }
  if ((status.mode & 0o055) !== 0) return warn(`others may look into ${root} (mode ${mode})`, `chmod go-rwx ${root}`);
  return ok(`nobody else may look into it (mode ${mode})`);
}

async function demandWritable(folder: string): Promise<void> {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!isErrno(error, "EACCES", "EPERM", "EROFS")) throw error;
    const why = isErrno(error, "EROFS") ? "the file system is read-only" : "permission denied";
    throw new TaskflowError("permission", `this user can't write into ${folder}: ${why}`, { cause: error });
  }
}
