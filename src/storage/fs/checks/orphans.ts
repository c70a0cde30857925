/** Records without bytes: the claims of uploads that crashed, and what a purge that crashed left. */
import { readdirSync } from "node:fs";
import { pacer } from "../../abortable.ts";
import { ok, several, some, warn } from "../../check.ts";
import type { CheckOptions, Finding } from "../../check.ts";
import { isAbandoned, quarantineClaim } from "../claim.ts";
import type { Folder } from "../folder.ts";
import { levelsExist, lookAtFile, ownLevels } from "../levels.ts";
import { isObjectName, pathFor, placeOf } from "../paths.ts";
import type { Layout, Place } from "../paths.ts";
import { keyInSidecar } from "../sidecar.ts";
import { DAY_MS, isOld } from "./age.ts";

export async function checkOrphans(folder: Folder, { fix, signal }: CheckOptions): Promise<Finding> {
  let old = 0;
  let moved = 0;
  let young = 0;
  const strange: string[] = [];
  for await (const { file, place } of orphansOf(folder, signal)) {
    const status = lookAtFile(file);
    if (status === null) continue;
    if (place === null) strange.push(file);
    else if (!isOld(folder, status)) young += 1;
    else if (fix && (await isAbandoned(folder, place, DAY_MS))) {
      await quarantineClaim(folder, place);
      moved += 1;
    } else old += 1;
  }
  const told = [
    ...(moved === 0 ? [] : [`moved ${records(moved)} to quarantine`]),
    ...(old === 0 ? [] : [`${records(old)}, older than a day`]),
    ...(young === 0 ? [] : [`${records(young)} younger than a day, perhaps under way`]),
    ...(strange.length === 0 ? [] : [`records of nothing that is known: ${some(strange)}`]),
  ].join("; ");
  if (old > 0) return warn(told, "taskflow attach doctor --fix moves what is older than a day to quarantine");
  if (strange.length > 0) return warn(told, "look at them: taskflow leaves such things alone");
  return ok(told === "" ? "none" : told);
}

function records(number: number): string {
  return several(number, "record without an attachment", "records without attachments");
}

interface Orphan {
  readonly file: string;
  /** `null`: it isn't known whose record it is. */
  readonly place: Place | null;
}

/** A directory at a time. */
async function* orphansOf({ layout, readTrash }: Folder, signal: AbortSignal): AsyncGenerator<Orphan, void, undefined> {
  if (!levelsExist(layout.own, layout.sidecars)) return;
  const pace = pacer(512);
  for (const entry of readdirSync(layout.sidecars, { withFileTypes: true })) {
    if (!entry.isDirectory() || !levelsExist(...ownLevels(layout, "sidecars", entry.name))) continue;
    const folder = pathFor(layout.sidecars, entry.name);
    const names = readdirSync(folder);
    const deleted = await readTrash(entry.name, signal);
    for (const name of names) {
      await pace(signal);
      const file = pathFor(folder, name);
      const place = placeOfSidecar(layout, entry.name, name, file);
      const isLive = place !== null && lookAtFile(place.data) !== null;
      if (place === null || !(isLive || deleted.has(place.base))) yield { file, place };
    }
  }
}

/** The name tells its base, but for long ones: of those only the record does. */
function placeOfSidecar(layout: Layout, directory: string, name: string, file: string): Place | null {
  if (!name.endsWith(".json") || !isObjectName(directory)) return null;
  const base = name.slice(0, -".json".length);
  const byName = placeOf(layout, `tasks/${directory}/${base}`);
  if (!/^[0-9a-f]{64}$/.test(base)) return byName?.sidecar === file ? byName : null;
  const key = keyInSidecar(file);
  const byKey = key === null ? byName : placeOf(layout, key);
  return byKey?.sidecar === file ? byKey : null;
}
