/** What `--fix` may clear: an upload that goes on for longer is not known to anybody. */
import type { Stats } from "node:fs";
import type { Folder } from "../folder.ts";

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Whether nothing was written to it for a day. */
export function isOld({ now }: Folder, { mtimeMs }: Pick<Stats, "mtimeMs">): boolean {
  return now().getTime() - mtimeMs > DAY_MS;
}
