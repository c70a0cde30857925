/**
 * What lifecycle rules will do to a version, and when: a function of rules, facts and time, and nothing else. Where a
 * fact is missing and would matter, the answer says so instead of guessing.
 */
import type {
  CurrentVersion,
  LoneMarker,
  NoncurrentVersion,
  Tags,
  UnfinishedUpload,
} from "../../storage/lifecycle/lifecycle.ts";
import { dueAfter, dueOn } from "./due.ts";
import { matchOf } from "./filter.ts";
import { outcomeOf } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import type { Plan, Timing } from "./plan.ts";
import type { Dated, Forecast } from "./types.ts";

/** `tags`: `null` where they were not read. `plan`: `null` where the rules may not be read. */
export function forecast(
  plan: Plan | null,
  version: CurrentVersion | NoncurrentVersion,
  tags: Tags | null,
  now: Date,
): Forecast {
  if (plan === null) return { notMoved: { reason: "unknown", rule: null, missing: "rules" } };
  const assume = (doubtful: boolean, undoable: boolean): Outcome =>
    outcomeOf(plan, version, tags, now, { doubtful, undoable });
  const undoable = isUndoable(version);
  const most = assume(true, undoable ?? true);
  if (most.doubts.length === 0 && undoable !== null) return certain(version, most);
  const undoables = undoable === null ? [true, false] : [undoable];
  return agreed(
    version,
    most,
    undoables.flatMap((each) => [assume(true, each), assume(false, each)]),
  );
}

/** When rules abort an upload; `null`: none does. */
export function abortOf(plan: Plan, { key, startedAt }: UnfinishedUpload): Dated | null {
  const dates = plan.rules.flatMap(({ id, enabled, filter, abortDays }) =>
    enabled && abortDays !== null && key.startsWith(filter.prefix)
      ? [{ date: dueAfter(startedAt, abortDays), rule: id }]
      : [],
  );
  return earliest(dates);
}

/** When rules remove a delete marker that hides nothing any more; `null`: none does. */
export function markerEnd(plan: Plan, { key, modifiedAt }: LoneMarker): Dated | null {
  const dates = plan.rules.flatMap(({ id, enabled, filter, markers }) => {
    // A marker has neither tags nor a size.
    const applies = enabled && markers !== null && matchOf(filter, { key, size: 0, tags: {} }) === "yes";
    return applies ? [{ date: dateOf(markers, modifiedAt), rule: id }] : [];
  });
  return earliest(dates);
}

/** Of equal dates the rule that stands first. */
function earliest(dates: readonly Dated[]): Dated | null {
  return dates.reduce<Dated | null>((best, each) => (best === null || each.date < best.date ? each : best), null);
}

function dateOf({ days, date }: Timing, since: Date): Date {
  return date === null ? dueAfter(since, days ?? 0) : dueOn(date, since);
}

function isUndoable(version: CurrentVersion | NoncurrentVersion): boolean | null {
  return version.state === "current" ? version.undoable : true;
}

function certain({ state }: CurrentVersion | NoncurrentVersion, { next, removal, notMoved }: Outcome): Forecast {
  const end = state === "current" ? { next, expires: removal } : { next, purge: removal };
  return notMoved === null ? end : { ...end, notMoved };
}

/** What holds whatever the missing facts are. */
function agreed(version: CurrentVersion | NoncurrentVersion, most: Outcome, others: readonly Outcome[]): Forecast {
  const isSame = (part: (outcome: Outcome) => unknown): boolean =>
    others.every((other) => JSON.stringify(part(other)) === JSON.stringify(part(most)));
  const { next, ...end } = certain(version, { ...most, notMoved: null });
  const [doubt = { rule: null, missing: "versioning" as const }] = most.doubts;
  const why = isSame(({ notMoved }) => notMoved) ? most.notMoved : ({ reason: "unknown", ...doubt } as const);
  return {
    ...(isSame((outcome) => outcome.next) ? { next } : {}),
    ...(isSame(({ removal }) => removal) ? end : {}),
    ...(why === null ? {} : { notMoved: why }),
  };
}
