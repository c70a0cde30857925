/** What a crash leaves under names that nobody sees: parts of uploads, and entries of the trash with nothing in them. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { pacer } from "../../abortable.ts";
import { ok, several, some, warn } from "../../check.ts";
import type { CheckOptions, Finding } from "../../check.ts";
import { removeFile, removeIfEmpty } from "../durable.ts";
import type { Folder } from "../folder.ts";
import { levelsExist, look, lookAtFile } from "../levels.ts";
import { pathFor } from "../paths.ts";
import { emptyEntries } from "../trash.ts";
import { DAY_MS, isOld } from "./age.ts";

/** `<uuid>.part`; those of probes have more before it. */
const PART = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

interface Leftovers {
  readonly parts: string[];
  readonly entries: string[];
  bytes: number;
  young: number;
  readonly strange: string[];
}

export async function checkLeftovers(folder: Folder, { fix, signal }: CheckOptions): Promise<Finding> {
  const found = await find(folder, signal);
  const { parts, entries, bytes, young, strange } = found;
  const what = [
    ...(parts.length > 0 ? [`${several(parts.length, "part")} of uploads (${bytes} bytes)`] : []),
    ...(entries.length > 0 ? [`${several(entries.length, "empty entry", "empty entries")} of the trash`] : []),
  ].join(" and ");
  if (fix) await clear(folder, found);
  const told = [
    ...(what === "" ? [] : [`${fix ? "removed " : ""}${what}, older than a day`]),
    ...(young === 0 ? [] : [`${several(young, "part")} younger than a day, perhaps under way`]),
    ...(strange.length === 0 ? [] : [`not taskflow's: ${some(strange)}`]),
  ].join("; ");
  if (what !== "" && !fix) return warn(told, "taskflow attach doctor --fix clears what is older than a day");
  if (strange.length > 0) return warn(told, `look into ${folder.layout.staging}: taskflow leaves such things alone`);
  return ok(told === "" ? "none" : told);
}

async function clear({ durable }: Folder, { parts, entries }: Leftovers): Promise<void> {
  for (const part of parts) await removeFile(part);
  for (const entry of entries) await removeIfEmpty(entry);
  const places = new Set([...parts, ...entries].map((gone) => path.dirname(gone)));
  for (const place of places) await durable.syncDirectory(place);
}

async function find(folder: Folder, signal: AbortSignal): Promise<Leftovers> {
  const { layout } = folder;
  const found: Leftovers = { parts: [], entries: [], bytes: 0, young: 0, strange: [] };
  const names = levelsExist(layout.own, layout.staging) ? readdirSync(layout.staging) : [];
  const pace = pacer(512);
  for (const name of names) {
    await pace(signal);
    const part = pathFor(layout.staging, name);
    const status = lookAtFile(part);
    if (status === null || !PART.test(name)) {
      // Gone meanwhile is no find.
      if (look(part) !== null) found.strange.push(name);
    } else if (isOld(folder, status)) {
      found.parts.push(part);
      found.bytes += status.size;
    } else found.young += 1;
  }
  for await (const { path: entry, deletedAt } of emptyEntries(layout, signal)) {
    if (folder.now().getTime() - deletedAt.getTime() > DAY_MS) found.entries.push(entry);
  }
  return found;
}
