/** Whose a key is: the sidecar's name, made with O_EXCL, is the claim. */
import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import { TaskflowError } from "../../errors.ts";
import { createFile, removeFile, removeQuietly } from "./durable.ts";
import { isErrno } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { levelsExist, look, ownLevels, taskLevels } from "./levels.ts";
import { pathFor } from "./paths.ts";
import type { Place } from "./paths.ts";
import { versionsOf } from "./trash.ts";

/** Errors: `exists` where the key is taken: live, deleted, or claimed by an upload under way. */
export async function refuseTaken(folder: Folder, place: Place): Promise<void> {
  const { layout } = folder;
  if (levelsExist(...taskLevels(layout, place.directory)) && look(place.data) !== null) throw taken(place);
  if (!levelsExist(...ownLevels(layout, "sidecars", place.directory))) return;
  if (look(place.sidecar) !== null && !(await isAbandoned(folder, place))) throw taken(place);
}

/**
 * Claims a key with this sidecar, durably. Of many at once one wins; the claim of a crashed upload is moved to
 * quarantine after an hour. Errors: `exists`.
 */
export async function claim(folder: Folder, place: Place, sidecar: Uint8Array): Promise<Claim> {
  const { layout, durable } = folder;
  await durable.ensureDirectory(layout.sidecars);
  await durable.ensureDirectory(pathFor(layout.sidecars, place.directory));
  const inode = await createSidecar(folder, place, sidecar);
  try {
    await durable.syncDirectory(pathFor(layout.sidecars, place.directory));
  } catch (error) {
    await removeQuietly(place.sidecar);
    throw error;
  }
  // A process that was stopped for an hour may find that another took over.
  return { holds: () => look(place.sidecar)?.ino === inode };
}

export interface Claim {
  /** Whether the key is still this caller's. */
  holds(): boolean;
}

export function taken(place: Place): TaskflowError {
  return new TaskflowError("exists", `cannot store ${place.key}: this key is taken, and is written only once`, {
    context: { key: place.key },
  });
}

async function createSidecar(folder: Folder, place: Place, sidecar: Uint8Array): Promise<number> {
  try {
    return (await createFile(place.sidecar, sidecar)).ino;
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
  if (!(await isAbandoned(folder, place))) throw taken(place);
  await quarantineClaim(folder, place);
  try {
    return (await createFile(place.sidecar, sidecar)).ino;
  } catch (error) {
    throw isErrno(error, "EEXIST") ? taken(place) : error;
  }
}

/** Far longer than the moment between a claim and its commit, in which no byte of the source is read. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/** Whether a claim is all that is left of an upload that crashed, or of a purge. */
export async function isAbandoned(
  { layout, now }: Folder,
  place: Place,
  afterMs = ABANDONED_AFTER_MS,
): Promise<boolean> {
  const status = look(place.sidecar);
  if (status === null) return true;
  if (now().getTime() - status.mtimeMs <= afterMs) return false;
  if (look(place.data) !== null) return false;
  if ((await versionsOf(layout, place)).length > 0) return false;
  // Once more: an undelete may have moved it past both looks.
  return look(place.data) === null;
}

/** Moves a claim and its label out of the way. That it is abandoned is the caller's to know. */
export async function quarantineClaim({ layout, durable }: Folder, place: Place): Promise<void> {
  await durable.ensureDirectory(layout.quarantine);
  const name = `claim-${randomBytes(8).toString("hex")}.json`;
  try {
    await rename(place.sidecar, pathFor(layout.quarantine, name));
  } catch (error) {
    // Another writer was faster.
    if (!isErrno(error, "ENOENT")) throw error;
  }
  await removeFile(place.label);
}
