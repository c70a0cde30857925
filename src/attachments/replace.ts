/** `upload --replace`: what has the name already, and what of it goes once the new one is stored. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectInfo, StorageDriver } from "../storage/driver.ts";
import { parseKey, taskPrefix } from "./key.ts";
import { cleanName } from "./name.ts";

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
}

/** The live attachments that this name has on the task. */
export async function namesakes(driver: StorageDriver, { task, name, signal }: NameOnTask): Promise<ObjectInfo[]> {
  const clean = cleanName(name);
  const same: ObjectInfo[] = [];
  for await (const object of driver.list(taskPrefix(task), { signal })) {
    if (parseKey(object.key)?.name === clean) same.push(object);
  }
  return same;
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
 * sees them all, so exactly one is left.
 */
export async function replaceOlder(
  driver: StorageDriver,
  stored: ObjectInfo,
  request: NameOnTask,
  before: readonly ObjectInfo[],
): Promise<Replaced> {
  const known = new Set(before.map(({ key }) => key));
  const now = await namesakes(driver, request);
  const rivals = now.filter(({ key }) => !known.has(key) && key !== stored.key);
  // By the time that the others see it at: two who compare by different ones could both give way.
  const own = now.find(({ key }) => key === stored.key) ?? stored;
  const winner = [own, ...rivals].reduce((best, one) => (isNewer(one, best) ? one : best));
  const losers = [...before, ...rivals, stored].map(({ key }) => key).filter((key) => key !== winner.key);
  const replaced: string[] = [];
  for await (const result of driver.delete(losers, { signal: request.signal })) {
    if (result.error !== undefined) throw result.error;
    if (result.existed !== false && result.key !== stored.key) replaced.push(result.key);
  }
  return { replaced, ...(winner.key === stored.key ? {} : { supersededBy: winner.key }) };
}

function isNewer(one: ObjectInfo, other: ObjectInfo): boolean {
  const difference = one.modifiedAt.getTime() - other.modifiedAt.getTime();
  return difference > 0 || (difference === 0 && one.key > other.key);
}
