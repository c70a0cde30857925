/** Rules as the forecast takes them: read once, then asked for each version. */
import type { LifecycleRules } from "../../storage/lifecycle/lifecycle.ts";
import type { LifecycleRule, NoncurrentExpiration } from "../../storage/lifecycle/rules.ts";
import { filterOf, matchOf } from "./filter.ts";
import type { Filter } from "./filter.ts";

export interface Plan {
  readonly rules: readonly PlannedRule[];
  readonly minimumSize: LifecycleRules["minimumSize"];
}

export interface PlannedRule {
  readonly id: string;
  readonly enabled: boolean;
  readonly filter: Filter;
  readonly current: Schedule;
  readonly noncurrent: Schedule;
  /** Removes a delete marker that hides nothing. */
  readonly markers: Timing | null;
  /** Days after which an unfinished upload is aborted. */
  readonly abortDays: number | null;
}

export interface Schedule {
  readonly moves: readonly Move[];
  readonly end: Timing | null;
}

/** One of the two: so long after a version's time, or on a day. */
export interface Timing {
  readonly days: number | null;
  /** ISO 8601. */
  readonly date: string | null;
  /** So many of the newest noncurrent versions are left alone. */
  readonly spared: number;
}

export interface Move extends Timing {
  readonly to: string;
}

export function planOf({ rules, minimumSize }: LifecycleRules): Plan {
  return { minimumSize, rules: rules.map(plannedRule) };
}

/** Whether what happens depends on the tags. */
export function needsTags({ rules }: Plan, { key, size }: { readonly key: string; readonly size: number }): boolean {
  return rules.some(({ enabled, filter }) => enabled && matchOf(filter, { key, size, tags: null }) === "tags");
}

/** A rule's id, or its place where it has none (S3 gives one to each; a file needn't). */
export function ruleId({ ID }: LifecycleRule, index: number): string {
  return ID === undefined || ID === "" ? `#${index + 1}` : ID;
}

function plannedRule(rule: LifecycleRule, index: number): PlannedRule {
  const { Expiration, NoncurrentVersionExpiration: noncurrentEnd, AbortIncompleteMultipartUpload: abort } = rule;
  const end = timing(Expiration?.Days, Expiration?.Date);
  return {
    id: ruleId(rule, index),
    enabled: rule.Status === "Enabled",
    filter: filterOf(rule),
    current: { moves: moves(rule.Transitions), end },
    noncurrent: {
      moves: moves(rule.NoncurrentVersionTransitions),
      end: timing(noncurrentDays(noncurrentEnd), undefined, noncurrentEnd?.NewerNoncurrentVersions),
    },
    // An expiry of live ones clears away markers of that age, too.
    markers: Expiration?.ExpiredObjectDeleteMarker === true ? AT_ONCE : end,
    abortDays: abort?.DaysAfterInitiation ?? null,
  };
}

/** S3 asks for days; other servers (MinIO) take a number of versions alone, and destroy the older ones at once. */
function noncurrentDays({ NoncurrentDays: days, NewerNoncurrentVersions: spared }: NoncurrentExpiration = {}) {
  return days ?? (spared === undefined ? undefined : 0);
}

/** A day before all objects. */
const AT_ONCE: Timing = { days: null, date: "1970-01-01T00:00:00.000Z", spared: 0 };

interface RawMove {
  readonly Days?: number;
  readonly Date?: string;
  readonly NoncurrentDays?: number;
  readonly NewerNoncurrentVersions?: number;
  readonly StorageClass?: string;
}

function moves(transitions: readonly RawMove[] = []): Move[] {
  return transitions.flatMap(({ Days, NoncurrentDays, Date: date, NewerNoncurrentVersions, StorageClass: to }) => {
    const when = timing(Days ?? NoncurrentDays, date, NewerNoncurrentVersions);
    return when === null || to === undefined ? [] : [{ ...when, to }];
  });
}

function timing(days: number | undefined, date?: string, spared = 0): Timing | null {
  if (days === undefined && date === undefined) return null;
  return { days: days ?? null, date: date ?? null, spared };
}
