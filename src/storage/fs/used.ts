/**
 * Links to upload that were used: `.taskflow/used/<uuid>`, kept until they end. Without it a link could be used again
 * once what it brought was purged: until then the sidecar refuses.
 */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createFile, removeFile } from "./durable.ts";
import { isErrno } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { levelsExist, look, lookAtFile } from "./levels.ts";
import { pathFor } from "./paths.ts";
import type { Layout } from "./paths.ts";

export function isSpent({ layout }: Folder, key: string): boolean {
  return levelsExist(layout.own, usedFolder(layout)) && look(pathFor(usedFolder(layout), nameOf(key))) !== null;
}

/** Durable when it returns. A second time is no error. */
export async function spend({ layout, durable }: Folder, key: string, endsAt: Date): Promise<void> {
  const folder = usedFolder(layout);
  await durable.ensureDirectory(layout.own);
  await durable.ensureDirectory(folder);
  try {
    await createFile(pathFor(folder, nameOf(key)), Buffer.from(`${endsAt.toISOString()}\n`));
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
  await durable.syncDirectory(folder);
}

/** Removes what has ended a day ago: a clock that was set back since must not bring a link to life. */
export async function forgetEnded({ layout }: Folder, now: Date): Promise<void> {
  const folder = usedFolder(layout);
  if (!levelsExist(layout.own, folder)) return;
  for (const name of readdirSync(folder)) {
    const file = pathFor(folder, name);
    if (lookAtFile(file) === null) continue;
    const endsAt = Date.parse((await readFile(file, "utf8")).trim());
    if (endsAt + GRACE_MS < now.getTime()) await removeFile(file);
  }
}

const GRACE_MS = 24 * 60 * 60 * 1000;

function usedFolder(layout: Layout): string {
  return pathFor(layout.own, "used");
}

/** The UUID of the key, whose own it is; of a key without one, its digest. */
function nameOf(key: string): string {
  const base = key.slice(key.lastIndexOf("/") + 1);
  const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=_)/.exec(base)?.[0];
  return uuid ?? createHash("sha256").update(key).digest("hex");
}
