/** Whether everything is where it belongs, and what is there that isn't the store's. */
import { readdirSync } from "node:fs";
import type { Dirent } from "node:fs";
import { pacer } from "../../abortable.ts";
import { ok, several, some, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import { notADirectory } from "../errors.ts";
import type { Folder } from "../folder.ts";
import { readFormat } from "../format.ts";
import { levelsExist } from "../levels.ts";
import { isObjectName, pathFor } from "../paths.ts";
import type { Layout } from "../paths.ts";

/** What taskflow puts into `.taskflow`, now or in a later version of this format. */
const OWN = new Set(["format", "tmp", "meta", "class", "trash", "used", "quarantine", "lifecycle.json"]);

/** Errors: `bad_config` where a level of the store is a link or a file, or the format is damaged. */
export async function checkLayout({ layout }: Folder, signal: AbortSignal): Promise<Finding> {
  const hasOwn = levelsExist(layout.own);
  const strangeOwn = hasOwn ? strangeInOwn(layout) : [];
  const { attachments, tasks, strange } = await countTasks(layout, signal);
  const holds = `${several(attachments, "attachment")} on ${several(tasks, "task")}`;
  const all = [...strangeOwn, ...strange];
  if (all.length > 0) {
    return warn(
      `${holds}; no attachment and nothing of taskflow's: ${some(all)}`,
      "taskflow leaves such things alone, and never lists them; move them elsewhere",
    );
  }
  return ok(hasOwn ? holds : `${holds}, all put there by other programs: the first upload makes .taskflow`);
}

function strangeInOwn(layout: Layout): string[] {
  readFormat(layout);
  for (const level of [layout.staging, layout.sidecars, layout.labels, layout.trash, layout.quarantine]) {
    levelsExist(level);
  }
  return readdirSync(layout.own)
    .filter((name) => !OWN.has(name))
    .map((name) => `.taskflow/${name}`);
}

interface Counted {
  attachments: number;
  /** With attachments. */
  tasks: number;
  readonly strange: string[];
}

async function countTasks(layout: Layout, signal: AbortSignal): Promise<Counted> {
  const counted: Counted = { attachments: 0, tasks: 0, strange: [] };
  const pace = pacer(1);
  for (const entry of visible(layout.tasks)) {
    await pace(signal);
    // Listings refuse it: to leave it out would be a shorter list than the truth.
    if (entry.isSymbolicLink()) throw notADirectory(pathFor(layout.tasks, entry.name), true);
    if (!entry.isDirectory() || !isObjectName(entry.name)) {
      counted.strange.push(`tasks/${entry.name}`);
      continue;
    }
    const inside = visible(pathFor(layout.tasks, entry.name));
    const files = inside.filter((each) => each.isFile());
    counted.attachments += files.length;
    if (files.length > 0) counted.tasks += 1;
    for (const each of inside) if (!each.isFile()) counted.strange.push(`tasks/${entry.name}/${each.name}`);
  }
  return counted;
}

/** Names with a dot before them are nobody's business: editors and file managers leave them. */
function visible(folder: string): Dirent[] {
  if (!levelsExist(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith("."));
}
