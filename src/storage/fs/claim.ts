/** Whose a key is: the sidecar's name, made with O_EXCL, is the claim. */
import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { TaskflowError } from "../../errors.ts";
import { unlessAborted } from "../abortable.ts";
import type { PutOptions } from "../driver.ts";
import { createFile, removeFile, removeQuietly } from "./durable.ts";
import { isErrno } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { levelsExist, look, ownLevels, taskLevels } from "./levels.ts";
import { pathFor } from "./paths.ts";
import type { Layout, Place } from "./paths.ts";
import { readSidecar } from "./sidecar.ts";
import { readSmall } from "./small-file.ts";
import { versionsOf } from "./trash.ts";

/**
 * Errors: `exists` where the key is taken: live, deleted, or claimed by an upload under way. A claim that may be of a
 * copy of the same object, cut off, is left to `claim` to judge, which knows all that is to be recorded.
 */
export async function refuseTaken(folder: Folder, place: Place, options: Copied): Promise<void> {
  const { layout } = folder;
  if (levelsExist(...taskLevels(layout, place.directory)) && look(place.data) !== null) throw taken(place);
  if (!levelsExist(...ownLevels(layout, "sidecars", place.directory))) return;
  if (look(place.sidecar) === null) return;
  if (mayBeSame(layout, place, options) && !(await isKept(folder, place))) return;
  if (!(await isAbandoned(folder, place))) throw taken(place);
}

type Copied = Pick<PutOptions, "record" | "sha256">;

function mayBeSame(layout: Layout, place: Place, { record, sha256 }: Copied): boolean {
  const { record: claimed, damaged } = readSidecar(layout, place);
  if (claimed === null) return damaged !== undefined;
  const isBegunAlike = claimed.name === record.name && claimed.createdAt.getTime() === record.createdAt.getTime();
  return isBegunAlike && (sha256 === undefined || claimed.sha256 === sha256);
}

/**
 * Claims a key with this sidecar, durably. Of many at once one wins; the claim of a crashed upload is moved to
 * quarantine after an hour, after seconds where it says the same: of a copy that was cut off, and is run again.
 * Errors: `exists`.
 */
export async function claim(folder: Folder, place: Place, sidecar: Uint8Array, signal: AbortSignal): Promise<Claim> {
  const { layout, durable } = folder;
  await durable.ensureDirectory(layout.sidecars);
  await durable.ensureDirectory(pathFor(layout.sidecars, place.directory));
  const { inode, tookOver } = await createSidecar(folder, place, sidecar, signal);
  try {
    await durable.syncDirectory(pathFor(layout.sidecars, place.directory));
  } catch (error) {
    await removeQuietly(place.sidecar);
    throw error;
  }
  // A process that was stopped for an hour may find that another took over.
  return { holds: () => look(place.sidecar)?.ino === inode, tookOver };
}

export interface Claim {
  /** Whether the key is still this caller's. */
  holds(): boolean;
  /** Another claimed the key with the same sidecar before, seconds ago: it may be alive, and commit. */
  readonly tookOver: boolean;
}

export function taken(place: Place): TaskflowError {
  return new TaskflowError("exists", `cannot store ${place.key}: this key is taken, and is written only once`, {
    context: { key: place.key },
  });
}

async function createSidecar(
  folder: Folder,
  place: Place,
  sidecar: Uint8Array,
  signal: AbortSignal,
): Promise<{ inode: number; tookOver: boolean }> {
  try {
    return { inode: (await createFile(place.sidecar, sidecar)).ino, tookOver: false };
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
  const tookOver = await isCutOffCopy(folder, place, sidecar, signal);
  if (!tookOver && !(await isAbandoned(folder, place))) throw taken(place);
  await quarantineClaim(folder, place);
  try {
    return { inode: (await createFile(place.sidecar, sidecar)).ino, tookOver };
  } catch (error) {
    throw isErrno(error, "EEXIST") ? taken(place) : error;
  }
}

/** Longer than a commit takes, unless the process is stopped; and then nothing is lost, for both say the same. */
const CUT_OFF_AFTER_MS = 10_000;
const LOOK_AGAIN_MS = 250;

/** Whether a claim says the same as this sidecar, as far as it was written, and nobody commits it: waits to see. */
async function isCutOffCopy(folder: Folder, place: Place, sidecar: Uint8Array, signal: AbortSignal): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
    const claimed = readSmall(place.sidecar);
    if (typeof claimed !== "string" || !Buffer.from(sidecar).toString().startsWith(claimed)) return false;
    if (await isAbandoned(folder, place, CUT_OFF_AFTER_MS)) return true;
    if (waitedMs > CUT_OFF_AFTER_MS || (await isKept(folder, place))) return false;
    await unlessAborted(sleep(LOOK_AGAIN_MS), signal);
  }
}

/** Whether the object is there, live or deleted. */
async function isKept({ layout }: Folder, place: Place): Promise<boolean> {
  return look(place.data) !== null || (await versionsOf(layout, place)).length > 0;
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
