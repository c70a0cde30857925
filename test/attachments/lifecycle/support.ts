/** Versions and rules for the tests of forecasts. */
import { forecast } from "../../../src/attachments/lifecycle/forecast.ts";
import { planOf } from "../../../src/attachments/lifecycle/plan.ts";
import type { Forecast } from "../../../src/attachments/lifecycle/types.ts";
import type {
  CurrentVersion,
  LifecycleRules,
  NoncurrentVersion,
  Tags,
} from "../../../src/storage/lifecycle/lifecycle.ts";
import type { LifecycleRule } from "../../../src/storage/lifecycle/rules.ts";

export const MiB = 1024 * 1024;
export const ALL: Pick<LifecycleRule, "Status" | "Filter"> = { Status: "Enabled", Filter: {} };

export function live(createdAt: string, more: Partial<CurrentVersion> = {}): CurrentVersion {
  return {
    state: "current",
    key: "tasks/T-1/a.pdf",
    size: MiB,
    modifiedAt: new Date(createdAt),
    storageClass: "STANDARD",
    undoable: true,
    ...more,
  };
}

/** Deleted, or replaced, then. */
export function hidden(since: string, more: Partial<NoncurrentVersion> = {}): NoncurrentVersion {
  return {
    state: "noncurrent",
    key: "tasks/T-1/a.pdf",
    size: MiB,
    modifiedAt: new Date("2014-01-01T10:30:00Z"),
    storageClass: "STANDARD",
    noncurrentSince: new Date(since),
    newer: 0,
    ...more,
  };
}

export interface Situation {
  readonly rules: readonly LifecycleRule[];
  readonly version: CurrentVersion | NoncurrentVersion;
  /** Absent: long before anything is due. */
  readonly now?: string;
  /** Absent: none. `null`: not read. */
  readonly tags?: Tags | null;
  readonly minimumSize?: LifecycleRules["minimumSize"];
}

export function forecastOf({
  rules,
  version,
  now = "2000-01-01T00:00:00Z",
  tags = {},
  minimumSize,
}: Situation): Forecast {
  const plan = planOf({ rules, minimumSize: minimumSize ?? "all_storage_classes_128K" });
  return forecast(plan, version, tags, new Date(now));
}

/** `transition GLACIER 2014-01-19 [rule]`, `pending` where it is; `?` where it isn't known, `-` where nothing is. */
export function inShort({ next, expires, purge, notMoved }: Forecast): string {
  const day = (date: Date): string => date.toISOString().replace("T00:00:00.000Z", "");
  const parts: string[] = [];
  if (next === undefined) parts.push("?");
  else if (next === null) parts.push("-");
  else {
    const to = next.to === null ? "" : ` ${next.to}`;
    parts.push(`${next.action}${to} ${day(next.date)} [${next.rule}]${next.pending ? " pending" : ""}`);
  }
  for (const [name, end] of Object.entries({ expires, purge })) {
    if (end !== undefined && end !== null) parts.push(`${name} ${day(end.date)} [${end.rule}]`);
  }
  if (notMoved !== undefined) {
    const { reason, rule, missing } = notMoved;
    parts.push(`stays: ${reason}${missing === undefined ? "" : ` (${missing})`}${rule === null ? "" : ` [${rule}]`}`);
  }
  return parts.join(", ");
}
