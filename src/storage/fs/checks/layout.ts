/** Whether everything is where it belongs, and what is there that isn't the store's. */
import { readdirSync } from "node:fs";
import type { Dirent } from "node:fs";
import { pacer } from "../../abortable.ts";
import { ok, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import { notADirectory } from "../errors.ts";
import type { Folder } from "../folder.ts";
import { readFormat } from "../format.ts";
import { levelsExist } from "../levels.ts";
import { isObjectName, pathFor } from "../paths.ts";
import type { Layout } from "../paths.ts";
import { several } from "./age.ts";

/** What taskflow puts into `.taskflow`, now or in a later version of this format. */
const OWN = new Set(["format", "tmp", "meta", "class", "trash", "used", "quarantine", "lifecycle.json"]);

/** Errors: `bad_config` where a level of the store is a link or a file, or the format is damaged. */
export async function checkLayout({ layout }: Folder, signal: AbortSignal): Promise<Finding> {
  const pace = pacer(1);
  const strange: string[] = [];
  const hasOwn = levelsExist(layout.own);
  if (hasOwn) {
    readFormat(layout);
    for (const level of [layout.staging, layout.sidecars, layout.labels, layout.trash, layout.quarantine]) {
      levelsExist(level);
    }
    strange.push(
      ...readdirSync(layout.own)
        .filter((name) => !OWN.has(name))
        .map((name) => `.taskflow/${name}`),
    );
  }
  let attachments = 0;
  let tasks = 0;
  for (const entry of entriesOf(layout.tasks)) {
    await pace(signal);
    // Listings refuse it: to leave it out would be a shorter list than the truth.
    if (entry.isSymbolicLink()) throw notADirectory(pathFor(layout.tasks, entry.name), true);
    if (!entry.isDirectory() || !isObjectName(entry.name)) {
      strange.push(`tasks/${entry.name}`);
      continue;
    }
    const before = attachments;
    for (const { name, isFile } of filesOf(layout, entry.name)) {
      if (isFile) attachments += 1;
      else strange.push(`tasks/${entry.name}/${name}`);
    }
    if (attachments > before) tasks += 1;
  }
  const holds = `${several(attachments, "attachment")} on ${several(tasks, "task")}`;
  if (strange.length > 0) {
    const names = strange.slice(0, SHOWN).join(", ");
    return warn(
      `${several(strange.length, "thing")} in it ${strange.length === 1 ? "is" : "are"} no attachment and nothing of taskflow's: ${names}${strange.length > SHOWN ? ", …" : ""}`,
      "taskflow leaves such things alone, and never lists them; move them elsewhere",
    );
  }
  return ok(hasOwn ? holds : `${holds}, all put there by other programs: the first upload makes .taskflow`);
}

const SHOWN = 3;

function entriesOf(folder: string): Dirent[] {
  return levelsExist(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
}

/** Names with a dot before them are nobody's business: editors and file managers leave them. */
function filesOf(layout: Layout, task: string): { readonly name: string; readonly isFile: boolean }[] {
  return entriesOf(pathFor(layout.tasks, task))
    .filter(({ name }) => !name.startsWith("."))
    .map((entry) => ({ name: entry.name, isFile: entry.isFile() }));
}
