/** `upload --replace`: what has the name already, and what of it goes once the new one is stored. */
import { setTimeout as sleep } from "node:timers/promises";
import { isTaskflowError, toTaskflowError } from "../errors.ts";
import type { TaskflowError } from "../errors.ts";
import type { ObjectInfo, StorageDriver } from "../storage/driver.ts";
import { parseKey, taskPrefix } from "./key.ts";
import { cleanName } from "./name.ts";
import { detailedAttachmentOf } from "./types.ts";

export interface NameOnTask {
  readonly task: string;
  readonly name: string;
  readonly signal: AbortSignal;
}

export interface Replaced {
  /** Keys that were deleted. */
  readonly replaced: readonly string[];
  /** Another upload of this name at the same time came out newer, and this one was deleted for it. */
  readonly supersededBy?: string;
  /** Why older ones are still there, all or some: the new one is stored all the same. */
  readonly failure?: TaskflowError;
}

/**
 * The live attachments of this very name on the task. Several names may have one form in keys (`a/b.txt`, `a_b.txt`), so
 * the records decide; of what has none, the key's name.
 */
export async function namesakes(driver: StorageDriver, { task, name, signal }: NameOnTask): Promise<ObjectInfo[]> {
  const clean = cleanName(name);
  const wanted = name.normalize("NFC");
  const same: ObjectInfo[] = [];
  for await (const object of driver.list(taskPrefix(task), { signal })) {
    if (parseKey(object.key)?.name !== clean) continue;
    if ((await trueName(driver, object.key, signal)) === wanted) same.push(object);
  }
  return same;
}

/** `null`: deleted since it was listed. */
async function trueName(driver: StorageDriver, key: string, signal: AbortSignal): Promise<string | null> {
  try {
    return detailedAttachmentOf(await driver.head(key, { signal }))?.name ?? null;
  } catch (error) {
    if (isTaskflowError(error) && error.code === "not_found") return null;
    throw error;
  }
}

/** More than the steps in which file systems count time. */
const CLOCK_STEP_MS = 20;

/** Waits until what is stored from now on bears a later time than these: two of one time would each give way. */
export async function untilNewer(before: readonly ObjectInfo[], { now }: { now(): Date }): Promise<void> {
  const newest = Math.max(...before.map(({ modifiedAt }) => modifiedAt.getTime()));
  const age = now().getTime() - newest;
  if (age >= 0 && age < CLOCK_STEP_MS) await sleep(CLOCK_STEP_MS - age);
}

/**
 * Deletes what had this name before, and settles with uploads that ran at the same time: each of them sees all that
 * was stored before its own listing, and the newest by the store's clock (then by key) stays. The one that lists last
 * sees them all, so exactly one is left. Never rejects: what is stored is stored, whatever comes after it.
 */
export async function replaceOlder(
  driver: StorageDriver,
  stored: ObjectInfo,
  request: NameOnTask,
  before: readonly ObjectInfo[],
): Promise<Replaced> {
  const known = new Set(before.map(({ key }) => key));
  const replaced: string[] = [];
  const failures: TaskflowError[] = [];
  let winner: ObjectInfo | undefined = stored;
  try {
    const now = await namesakes(driver, request);
    // Each by the time at which all see it: two who compare by different ones could both give way. Who isn't there any
    // more has lost already.
    [winner] = now.filter(({ key }) => !known.has(key)).toSorted(newestFirst);
    const losers = now.map(({ key }) => key).filter((key) => key !== winner?.key);
    for await (const { key, error, existed } of driver.delete(losers, { signal: request.signal })) {
      if (error !== undefined) failures.push(error);
      else if (existed !== false && key !== stored.key) replaced.push(key);
    }
  } catch (error) {
    failures.push(toTaskflowError(error));
  }
  const [failure] = failures;
  if (failure !== undefined) return { replaced, failure };
  return { replaced, ...(winner === undefined || winner.key === stored.key ? {} : { supersededBy: winner.key }) };
}

function newestFirst(one: ObjectInfo, other: ObjectInfo): number {
  return other.modifiedAt.getTime() - one.modifiedAt.getTime() || (one.key > other.key ? -1 : 1);
}
