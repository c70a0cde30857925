/** Lifecycle rules, and why they leave something alone, in words. */
import { filterOf } from "../attachments/lifecycle/filter.ts";
import { ruleId } from "../attachments/lifecycle/plan.ts";
import type { Upcoming } from "../attachments/lifecycle/totals.ts";
import type { NotMoved, NotMovedReason } from "../attachments/lifecycle/types.ts";
import type { LifecycleRules } from "../storage/lifecycle/lifecycle.ts";
import type { LifecycleRule } from "../storage/lifecycle/rules.ts";
import { count, formatSize } from "./output/format.ts";

/** `live-attachments, for everything: live ones move to STANDARD_IA after 30 days`. */
export function ruleInWords(rule: LifecycleRule, index: number): string {
  const name = `${ruleId(rule, index)}${rule.Status === "Enabled" ? "" : " (disabled)"}`;
  return `${name}, for ${filterInWords(rule)}: ${actionsOf(rule).join("; ")}`;
}

/** As lines for people. */
export function rulesInWords({ rules, minimumSize }: LifecycleRules): string[] {
  if (rules.length === 0) return ["no lifecycle rules: nothing moves, and nothing is removed"];
  const minimum = MINIMUM[minimumSize];
  return [...rules.map((rule, n) => `rule ${ruleInWords(rule, n)}`), ...(minimum === null ? [] : [minimum])];
}

export function notMovedInWords({ reason, rule, missing }: NotMoved): string {
  const text = reason === "unknown" ? `unknown without the ${missing ?? "rules"}` : STAYS[reason];
  return rule === null ? text : `${text} (${rule})`;
}

/** What is done to attachments, or to markers. */
export function stepInWords(action: Upcoming["action"], to: string | null): string {
  return action === "transition" ? `move to ${to ?? ""}` : STEPS[action];
}

/** What holds for all rules; `null`: nothing to say. */
const MINIMUM: Readonly<Record<LifecycleRules["minimumSize"], string | null>> = {
  all_storage_classes_128K: "what is smaller than 128 KiB stays in its class, but for rules that filter by size",
  varies_by_storage_class:
    "what is smaller than 128 KiB moves to GLACIER and DEEP_ARCHIVE only, but for rules that filter by size",
  unknown: "which size is too small to be moved isn't known: the store doesn't say",
  none: null,
};

const STAYS: Readonly<Record<Exclude<NotMovedReason, "unknown">, string>> = {
  size: "not of the right size",
  filter: "the rule is for others",
  colder: "in that class or a colder one",
  newest: "the newest are left alone",
  removed: "it is gone before",
  disabled: "the rule is disabled",
  none: "no rule moves it",
};

const STEPS: Readonly<Record<Exclude<Upcoming["action"], "transition">, string>> = {
  expire: "expire",
  purge: "destroy",
  clean: "remove delete markers",
};

function filterInWords(rule: LifecycleRule): string {
  const { prefix, above, below, tags } = filterOf(rule);
  const parts = [
    ...(prefix === "" ? [] : [`keys that begin with ${prefix}`]),
    ...(above === null ? [] : [`more than ${formatSize(above)}`]),
    ...(below === null ? [] : [`less than ${formatSize(below)}`]),
    ...tags.map(({ Key, Value }) => `the tag ${Key}=${Value}`),
  ];
  return parts.length === 0 ? "everything" : parts.join(" and ");
}

function actionsOf(rule: LifecycleRule): string[] {
  const { Expiration: end, NoncurrentVersionExpiration: noncurrentEnd, AbortIncompleteMultipartUpload: abort } = rule;
  const moves = inOrder(rule.Transitions ?? []).map((move) => `move to ${move.StorageClass ?? "?"} ${when(move)}`);
  const noncurrent = inOrder(rule.NoncurrentVersionTransitions ?? []).map(
    (move) => `move to ${move.StorageClass ?? "?"} ${when(move)}${spared(move)}`,
  );
  const isTimed = end?.Days !== undefined || end?.Date !== undefined;
  const live = [...moves, ...(isTimed ? [`expire ${when(end)}`] : [])];
  const deleted = [
    ...noncurrent,
    ...(noncurrentEnd === undefined ? [] : [`are destroyed ${when(noncurrentEnd)}${spared(noncurrentEnd)}`]),
  ];
  const days = abort?.DaysAfterInitiation;
  return [
    ...(live.length === 0 ? [] : [`live ones ${live.join(", ")}`]),
    ...(deleted.length === 0 ? [] : [`deleted ones ${deleted.join(", ")}`]),
    ...(end?.ExpiredObjectDeleteMarker === true ? ["delete markers that hide nothing are removed"] : []),
    ...(days === undefined ? [] : [`unfinished uploads are aborted after ${count(days, "day")}`]),
  ];
}

interface When {
  readonly Days?: number;
  readonly Date?: string;
  readonly NoncurrentDays?: number;
}

/** Servers give transitions in any order. */
function inOrder<T extends When>(moves: readonly T[]): T[] {
  const time = ({ Days, NoncurrentDays, Date: date }: When): number =>
    date === undefined ? (Days ?? NoncurrentDays ?? 0) : Date.parse(date);
  return moves.toSorted((a, b) => time(a) - time(b));
}

function when({ Days, NoncurrentDays, Date: date }: When): string {
  return date === undefined ? `after ${count(Days ?? NoncurrentDays ?? 0, "day")}` : `on ${date.slice(0, 10)}`;
}

function spared({ NewerNoncurrentVersions: many }: { readonly NewerNoncurrentVersions?: number }): string {
  return many === undefined ? "" : `, but for the newest ${many}`;
}
