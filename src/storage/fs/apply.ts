/** Doing what lifecycle rules ask for: each step only on just the version that the forecast was made for. */
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { KeyResult } from "../driver.ts";
import type { LifecycleStep, StepResult } from "../lifecycle/lifecycle.ts";
import { batchesOf } from "./batches.ts";
import { deleteKeys } from "./delete.ts";
import { lookAtLive } from "./describe.ts";
import { removeFile } from "./durable.ts";
import { asTaskflowError } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { readLabel, replaceLabel } from "./labels.ts";
import { lookAtFile } from "./levels.ts";
import { placeOf } from "./paths.ts";
import type { Layout, Place } from "./paths.ts";
import { purgeEach } from "./purge.ts";
import type { Purged } from "./purge.ts";
import type { TrashIndex, Version } from "./trash.ts";
import { trashOfCall } from "./undelete.ts";

/** As `Lifecycle.apply`. A signal stops it between batches: what a batch has begun it finishes and tells. */
export async function* applySteps(
  folder: Folder,
  steps: Iterable<LifecycleStep>,
  signal: AbortSignal,
): AsyncGenerator<StepResult> {
  const indexOf = trashOfCall(folder, signal);
  for (const batch of batchesOf(steps, ({ version }) => version.key)) {
    throwIfAborted(signal);
    const results = new Map<string, KeyResult>();
    const ready: LifecycleStep[] = [];
    for (const step of batch) {
      const problem = await problemOf(folder.layout, step, indexOf);
      if (problem === null) ready.push(step);
      else results.set(step.version.key, { key: step.version.key, error: problem });
    }
    for await (const result of perform(folder, ready, indexOf)) results.set(result.key, result);
    for (const step of batch) {
      const error = results.get(step.version.key)?.error;
      yield error === undefined ? { step } : { step, error };
    }
  }
}

/** A batch is finished. */
const CALM = new AbortController().signal;

type IndexOf = (directory: string) => Promise<TrashIndex>;

/** One result a step, by its key, in no order. */
async function* perform(folder: Folder, steps: readonly LifecycleStep[], indexOf: IndexOf): AsyncGenerator<KeyResult> {
  const keysOf = (action: LifecycleStep["action"]): string[] =>
    steps.filter((step) => step.action === action).map(({ version }) => version.key);
  for await (const { key, error, existed } of deleteKeys(folder, keysOf("expire"), CALM)) {
    if (error !== undefined) yield { key, error };
    else yield existed === false ? { key, error: changed(key) } : { key };
  }
  const byKey = new Map(steps.map((step) => [step.version.key, step]));
  yield* await purgeEach(folder, keysOf("purge"), (one) =>
    removeVersion(folder.layout, one, byKey.get(one.key), indexOf),
  );
  for (const step of steps) if (step.action === "transition") yield await relabel(folder, step, indexOf);
}

/** Why a step isn't to be done; `null`: its version is there, as it says. */
async function problemOf(layout: Layout, step: LifecycleStep, indexOf: IndexOf): Promise<TaskflowError | null> {
  const { key, size, storageClass } = step.version;
  const place = placeOf(layout, key);
  if (place === null) return changed(key);
  try {
    const found = await statusOf(layout, place, step, indexOf);
    const isSame =
      found !== null &&
      found.size === size &&
      found.mtime.getTime() === step.version.modifiedAt.getTime() &&
      readLabel(layout, place) === storageClass;
    return isSame ? null : changed(key);
  } catch (error) {
    return asTaskflowError(error, `look at ${key}`, layout.root);
  }
}

async function statusOf(layout: Layout, place: Place, { version }: LifecycleStep, indexOf: IndexOf) {
  if (version.state === "current") return lookAtLive(layout, place);
  const trashed = await trashedOf(place, version.noncurrentSince, indexOf);
  return trashed === null ? null : lookAtFile(trashed.path);
}

async function trashedOf({ directory, base }: Place, deletedAt: Date, indexOf: IndexOf): Promise<Version | null> {
  const versions = (await indexOf(directory)).get(base) ?? [];
  return versions.find(({ entry }) => entry.deletedAt.getTime() === deletedAt.getTime()) ?? null;
}

/** Its bytes, of this one version; what is known of the key goes with its last one. */
async function removeVersion(
  layout: Layout,
  one: Purged,
  step: LifecycleStep | undefined,
  indexOf: IndexOf,
): Promise<Purged> {
  const { key, place } = one;
  if (place === null || step?.version.state !== "noncurrent") throw changed(key);
  const trashed = await trashedOf(place, step.version.noncurrentSince, indexOf);
  // Another was faster: to purge it, or to bring it back.
  if (trashed === null || !(await removeFile(trashed.path))) throw changed(key);
  const others = (await indexOf(place.directory)).get(place.base) ?? [];
  const remains = lookAtLive(layout, place) !== null || others.some(({ path }) => lookAtFile(path) !== null);
  return { ...one, emptied: [trashed.entry.path], remains };
}

async function relabel(
  folder: Folder,
  step: LifecycleStep & { action: "transition" },
  indexOf: IndexOf,
): Promise<KeyResult> {
  const { layout } = folder;
  const { key } = step.version;
  const place = placeOf(layout, key);
  if (place === null) return { key, error: changed(key) };
  try {
    const versions = (await indexOf(place.directory)).get(place.base) ?? [];
    const isThere = (): boolean =>
      lookAtLive(layout, place) !== null || versions.some(({ path }) => lookAtFile(path) !== null);
    await replaceLabel(folder, place, step.to, isThere);
    return { key };
  } catch (error) {
    return { key, error: asTaskflowError(error, `change the class of ${key}`, layout.root) };
  }
}

function changed(key: string): TaskflowError {
  return new TaskflowError("changed", `${key} is no longer as it was when the rules were looked at`, {
    hint: "run the same command again",
    context: { key },
  });
}
