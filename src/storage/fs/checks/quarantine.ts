/** What was moved out of the way, by `--fix` or by an upload that found a crashed one's claim. Never cleared here. */
import { readdirSync } from "node:fs";
import { ok, several, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { Folder } from "../folder.ts";
import { levelsExist } from "../levels.ts";

export function checkQuarantine({ layout: { own, quarantine } }: Folder): Finding {
  const kept = levelsExist(own, quarantine) ? readdirSync(quarantine) : [];
  if (kept.length === 0) return ok("empty");
  return warn(
    `${several(kept.length, "thing")} moved out of the way`,
    `look at ${quarantine}, and remove by hand what nobody misses`,
  );
}
