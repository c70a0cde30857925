/** Keys that are live and deleted at once, as a store has them that was copied while others worked on it: live wins. */
import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import path from "node:path";
import { pacer } from "../../abortable.ts";
import { ok, several, warn } from "../../check.ts";
import type { CheckOptions, Finding } from "../../check.ts";
import type { Folder } from "../folder.ts";
import { levelsExist, lookAtFile, taskLevels } from "../levels.ts";
import { pathFor } from "../paths.ts";
import { trashDirectories } from "../trash.ts";
import type { Version } from "../trash.ts";
import { DAY_MS } from "./age.ts";

export async function checkTwins(folder: Folder, { fix, signal }: CheckOptions): Promise<Finding> {
  let left = 0;
  let moved = 0;
  for await (const version of twinsOf(folder, signal)) {
    if (fix && folder.now().getTime() - version.entry.deletedAt.getTime() > DAY_MS) {
      await moveAway(folder, version);
      moved += 1;
    } else left += 1;
  }
  if (left > 0) {
    return warn(
      `${several(left, "deleted attachment is", "deleted attachments are")} live too`,
      "the live one counts; taskflow attach doctor --fix moves the deleted one to quarantine after a day",
    );
  }
  if (moved > 0) return ok(`moved ${several(moved, "deleted attachment")} to quarantine: live ones have their keys`);
  return ok("none");
}

async function* twinsOf({ layout, readTrash }: Folder, signal: AbortSignal): AsyncGenerator<Version, void, undefined> {
  const pace = pacer(512);
  for (const directory of trashDirectories(layout)) {
    if (!levelsExist(...taskLevels(layout, directory))) continue;
    for (const [base, versions] of await readTrash(directory, signal)) {
      await pace(signal);
      if (lookAtFile(pathFor(layout.tasks, directory, base)) === null) continue;
      yield* versions.filter((version) => lookAtFile(version.path) !== null);
    }
  }
}

/** Into a directory of its own, under its own name. */
async function moveAway({ layout, durable }: Folder, version: Version): Promise<void> {
  await durable.ensureDirectory(layout.quarantine);
  const into = pathFor(layout.quarantine, `deleted-${randomBytes(8).toString("hex")}`);
  await durable.makeDirectory(into);
  await rename(version.path, pathFor(into, path.basename(version.path)));
  await durable.syncDirectory(into);
  await durable.syncDirectory(version.entry.path);
}
