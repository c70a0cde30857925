/** Doing what the forecast calls pending, where the store doesn't do it by itself. */
import { TaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { Lifecycle, LifecycleStep } from "../../storage/lifecycle/lifecycle.ts";
import { lifecycleOf, openSurvey } from "./survey.ts";
import type { Watched } from "./survey.ts";
import type { NextStep } from "./types.ts";

/** One attachment, or older version of one, and what is due. */
export interface Due {
  readonly watched: Watched;
  readonly next: NextStep;
}

export interface Applied extends Due {
  /** Absent: it was done. `changed`: another was faster, or put other bytes there; nothing was done. */
  readonly error?: TaskflowError;
}

interface ApplyOptions {
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * What the rules ask for now: for each version its next step, if that is pending, and no more; in key order.
 * Errors: as `openSurvey`; `unsupported` where the store does it by itself, or the rules may not be read.
 */
export async function* due(driver: StorageDriver, options: ApplyOptions): AsyncGenerator<Due, void, undefined> {
  applyOf(driver);
  const survey = await openSurvey(driver, { ...options, details: true });
  for await (const watched of survey.versions("tasks/")) {
    const { next } = watched.forecast;
    if (next?.pending === true) yield { watched, next };
  }
}

/** How many steps are looked up before they are done. */
const BATCH = 1000;

/** Does what `due` tells. */
export async function* applyRules(
  driver: StorageDriver,
  options: ApplyOptions,
): AsyncGenerator<Applied, void, undefined> {
  const apply = applyOf(driver);
  const { signal } = options;
  async function* done(batch: readonly Due[]): AsyncGenerator<Applied, void, undefined> {
    const byStep = new Map(batch.map((one) => [stepOf(one), one]));
    for await (const { step, error } of apply([...byStep.keys()], { signal })) {
      const one = byStep.get(step);
      if (one !== undefined) yield error === undefined ? one : { ...one, error };
    }
  }
  let batch: Due[] = [];
  for await (const one of due(driver, options)) {
    batch.push(one);
    if (batch.length < BATCH) continue;
    yield* done(batch);
    batch = [];
  }
  yield* done(batch);
}

function applyOf(driver: StorageDriver): NonNullable<Lifecycle["apply"]> {
  const { apply } = lifecycleOf(driver);
  if (apply !== undefined) return apply;
  throw new TaskflowError("unsupported", `${driver.location} does by itself what its lifecycle rules say`, {
    hint: "taskflow attach lifecycle status tells what it will do, and when",
  });
}

function stepOf({ watched: { version }, next }: Due): LifecycleStep {
  if (next.action === "transition") return { action: "transition", version, to: next.to ?? version.storageClass };
  return version.state === "current" ? { action: "expire", version } : { action: "purge", version };
}
