/** Whether this machine's clock is behind what was written here: deletions would be told, and expire, at wrong times. */
import { ok, several, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { Folder } from "../folder.ts";
import { look } from "../levels.ts";

const TOLERABLE_MS = 60_000;

export function checkClock({ layout: { own, tasks, staging, trash }, now }: Folder): Finding {
  const written = [own, tasks, staging, trash].map((level) => look(level)?.mtimeMs ?? 0);
  const behindMs = Math.max(...written) - now().getTime();
  if (behindMs <= TOLERABLE_MS) return ok("not behind what was written here");
  return warn(
    `this machine's clock is ${several(Math.round(behindMs / 1000), "second")} behind what was written here`,
    "set it (timedatectl set-ntp true)",
  );
}
