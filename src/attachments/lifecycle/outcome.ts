/** What rules do to one version, once all that isn't known is taken one way or the other. */
import type { CurrentVersion, NoncurrentVersion, Tags } from "../../storage/lifecycle/lifecycle.ts";
import { LEAST_DAYS, canMove, isArchive, preference } from "./classes.ts";
import { dueAfter, dueOn } from "./due.ts";
import { matchOf } from "./filter.ts";
import type { Move, Plan, PlannedRule, Schedule, Timing } from "./plan.ts";
import type { Dated, Missing, NextStep, NotMoved, NotMovedReason } from "./types.ts";

export interface Outcome {
  readonly next: NextStep | null;
  readonly removal: Dated | null;
  /** `null`: a transition lies ahead. */
  readonly notMoved: NotMoved | null;
  /** What was not known and may matter. */
  readonly doubts: readonly Doubt[];
}

export interface Doubt {
  readonly rule: string;
  readonly missing: Missing;
}

/** How to take what isn't known. */
export interface Assumptions {
  /** Rules that may apply or not do. */
  readonly doubtful: boolean;
  /** An expired one can be brought back: its expiry is a delete marker. */
  readonly undoable: boolean;
}

type Version = CurrentVersion | NoncurrentVersion;

interface Transition extends Dated {
  readonly to: string;
}

export function outcomeOf(
  plan: Plan,
  version: Version,
  tags: Tags | null,
  now: Date,
  { doubtful, undoable }: Assumptions,
): Outcome {
  const doubts: Doubt[] = [];
  const transitions: Transition[] = [];
  const refusals: NotMoved[] = [];
  let removal: Dated | null = null;
  for (const rule of plan.rules) {
    const schedule = scheduleOf(rule, version);
    const applies = appliesTo(rule, version, tags, doubts);
    if (applies === "yes" || (applies === "unknown" && doubtful)) {
      const end = endOf(schedule, version);
      if (end !== null && (removal === null || end < removal.date)) removal = { date: end, rule: rule.id };
    }
    for (const move of schedule.moves) {
      const verdict = applies === "yes" || applies === "unknown" ? judge(plan, rule, move, version, doubts) : applies;
      const unknown = applies === "unknown" || verdict === "unknown";
      if (verdict !== "yes" && verdict !== "unknown") refusals.push({ reason: verdict, rule: rule.id });
      else if (!unknown || doubtful) transitions.push({ date: dueOf(move, version), rule: rule.id, to: move.to });
    }
  }
  const ahead = transitions.filter(({ date }) => isBefore(date, removal, version, undoable));
  const isVoid = transitions.length > 0 && ahead.length === 0;
  return {
    next: nextOf(ahead, removal, version, undoable, now),
    removal,
    notMoved: ahead.length > 0 ? null : isVoid ? { reason: "removed", rule: removal?.rule ?? null } : why(refusals),
    doubts,
  };
}

function scheduleOf({ current, noncurrent }: PlannedRule, { state }: Version): Schedule {
  return state === "current" ? current : noncurrent;
}

type Applies = "yes" | "unknown" | "size" | "filter" | "disabled";

function appliesTo(
  { id, enabled, filter }: PlannedRule,
  version: Version,
  tags: Tags | null,
  doubts: Doubt[],
): Applies {
  if (!enabled) return "disabled";
  const match = matchOf(filter, { key: version.key, size: version.size, tags });
  if (match === "tags") doubts.push({ rule: id, missing: "tags" });
  if (match === "tags") return "unknown";
  return match === "other" ? "filter" : match;
}

type Verdict = "yes" | "unknown" | NotMovedReason;

/** Whether a rule that applies can make this move. */
function judge(plan: Plan, { id, filter }: PlannedRule, move: Move, version: Version, doubts: Doubt[]): Verdict {
  const possible = canMove(version.storageClass, move.to);
  if (possible === false) return "colder";
  if (isSpared(move, version)) return "newest";
  // A rule that filters by size means it.
  const large = filter.above !== null || filter.below !== null || isLargeEnough(plan.minimumSize, version, move.to);
  if (large === false) return "size";
  if (possible === null) doubts.push({ rule: id, missing: "storage class" });
  if (large === null) doubts.push({ rule: id, missing: "minimum size" });
  return possible === null || large === null ? "unknown" : "yes";
}

/** 128 KiB (API reference, PutBucketLifecycleConfiguration: TransitionDefaultMinimumObjectSize). */
const SMALL = 128 * 1024;

function isLargeEnough(minimum: Plan["minimumSize"], { size }: Version, to: string): boolean | null {
  if (size >= SMALL || minimum === "none") return true;
  if (minimum === "unknown") return isArchive(to) ? null : false;
  return minimum === "varies_by_storage_class" && isArchive(to);
}

function isSpared({ spared }: Timing, version: Version): boolean {
  return version.state === "noncurrent" && version.newer < spared;
}

function baseOf(version: Version): Date {
  return version.state === "current" ? version.modifiedAt : version.noncurrentSince;
}

function dueOf({ days, date, to }: Move, version: Version): Date {
  const since = baseOf(version);
  if (date === null) return dueAfter(since, days ?? 0);
  const least = LEAST_DAYS[to];
  return dueOn(date, least === undefined ? since : dueAfter(since, least));
}

function endOf({ end }: Schedule, version: Version): Date | null {
  if (end === null || isSpared(end, version)) return null;
  return end.date === null ? dueAfter(baseOf(version), end.days ?? 0) : dueOn(end.date, baseOf(version));
}

/** On one day a removal for good comes first, and a delete marker last. */
function isBefore(date: Date, removal: Dated | null, version: Version, undoable: boolean): boolean {
  if (removal === null || date < removal.date) return true;
  return date.getTime() === removal.date.getTime() && isMarker(version, undoable);
}

function isMarker({ state }: Version, undoable: boolean): boolean {
  return state === "current" && undoable;
}

function nextOf(
  ahead: readonly Transition[],
  removal: Dated | null,
  version: Version,
  undoable: boolean,
  now: Date,
): NextStep | null {
  const end: NextStep | null =
    removal === null
      ? null
      : {
          action: version.state === "current" ? "expire" : "purge",
          to: null,
          ...removal,
          pending: removal.date <= now,
        };
  // What is due is done together: for good before all else, and of several classes the preferred one.
  if (end?.pending === true && !isMarker(version, undoable)) return end;
  if (ahead.length === 0) return end;
  const due = ahead.filter(({ date }) => date <= now);
  const first = ahead.reduce((least, { date }) => Math.min(least, date.getTime()), Infinity);
  const candidates = due.length > 0 ? due : ahead.filter(({ date }) => date.getTime() === first);
  const [move] = candidates.toSorted(
    (a, b) => preference(b.to) - preference(a.to) || a.date.getTime() - b.date.getTime(),
  );
  if (move === undefined || (end?.pending === true && due.length === 0)) return end;
  return { action: "transition", ...move, pending: move.date <= now };
}

/** What is nearest to a move is said. */
const TELLING: readonly NotMovedReason[] = ["size", "colder", "newest", "filter", "disabled"];

function why(refusals: readonly NotMoved[]): NotMoved {
  for (const reason of TELLING) {
    const found = refusals.find((refusal) => refusal.reason === reason);
    if (found !== undefined) return found;
  }
  return { reason: "none", rule: null };
}
