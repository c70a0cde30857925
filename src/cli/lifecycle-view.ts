/** The faces of what `lifecycle status` tells: attachments with their forecast, and the lines of the totals. */
import type { Due } from "../attachments/lifecycle/apply.ts";
import { ruleId } from "../attachments/lifecycle/plan.ts";
import type { Unfinished, Watched } from "../attachments/lifecycle/survey.ts";
import type { ClassTotal, Upcoming } from "../attachments/lifecycle/totals.ts";
import type { Dated, Forecast, NextStep } from "../attachments/lifecycle/types.ts";
import type { LifecycleRules } from "../storage/lifecycle/lifecycle.ts";
import { attachmentJson, shortId } from "./attachment-view.ts";
import { archiveJson } from "./inspection-view.ts";
import { notMovedInWords, ruleInWords, stepInWords } from "./lifecycle-words.ts";
import { formatLocalTime, formatSize, formatUtc, groupDigits } from "./output/format.ts";
import type { Json, JsonObject } from "./output/json-document.ts";
import { tsvField } from "./output/printable.ts";
import type { View } from "./output/report.ts";
import type { Column } from "./output/table.ts";

/** A row of the one table or the other. */
export interface StatusRow {
  /** Of an attachment; what the others tell stands in members of the document. */
  json(): JsonObject;
  fields(): readonly (string | number)[];
  cells(): readonly string[];
}

export function statusView({ ofTask }: { readonly ofTask: boolean }): View<StatusRow> {
  return {
    listing: true,
    json: (row) => row.json(),
    line: (row) => row.fields().join("\t"),
    table: { columns: ofTask ? TASK_COLUMNS : TOTALS_COLUMNS, cells: (row) => row.cells() },
  };
}

const UNKNOWN = "unknown";

const TASK_COLUMNS: readonly Column[] = [
  { title: "ID" },
  { title: "NAME", flexible: true },
  { title: "CLASS", dropOrder: 1 },
  { title: "NEXT" },
  { title: "WHEN" },
  { title: "ENDS", dropOrder: 3 },
  { title: "WHY IT STAYS", dropOrder: 2 },
];

const TOTALS_COLUMNS: readonly Column[] = [
  { title: "WHAT", flexible: true },
  { title: "COUNT", align: "right" },
  { title: "SIZE", align: "right" },
  { title: "USD/MONTH", align: "right", dropOrder: 2 },
  { title: "WHEN" },
  { title: "RULE", dropOrder: 1 },
];

export function watchedRow(watched: Watched): StatusRow {
  const { attachment, forecast, archive, state } = watched;
  const { next, notMoved } = forecast;
  return {
    json: () => watchedJson(watched),
    fields() {
      const step = next === undefined ? [UNKNOWN, "", "", ""] : stepFields(next);
      const ends = endOf(forecast, state, formatUtc);
      const why = notMoved === undefined ? "" : notMovedInWords(notMoved);
      return [
        tsvField(attachment.key),
        attachment.id,
        attachment.storageClass,
        ...step,
        ends,
        archive?.state ?? "",
        tsvField(why),
      ];
    },
    cells() {
      const name = state === "deleted" ? `${attachment.name} (deleted)` : attachment.name;
      const storageClass = archive ? `${attachment.storageClass}, ${archive.state}` : attachment.storageClass;
      const step = next === undefined ? [UNKNOWN, ""] : stepCells(next);
      // The rule's name would take the room of another column.
      const short = notMoved === undefined ? "" : notMovedInWords({ ...notMoved, rule: null });
      return [shortId(attachment), name, storageClass, ...step, endOf(forecast, state, formatLocalTime), short];
    },
  };
}

export function totalRow({ state, storageClass, count, bytes, monthlyUsd }: ClassTotal): StatusRow {
  const cost = monthlyUsd === null ? "" : monthlyUsd.toFixed(2);
  return {
    json: () => ({}),
    fields: () => ["total", state, storageClass, count, bytes, monthlyUsd ?? "", "", ""],
    cells: () => [`${state}, ${storageClass}`, groupDigits(count), formatSize(bytes), cost, "", ""],
  };
}

export function eventRow(event: Upcoming): StatusRow {
  const { action, to, count, bytes, date, rule, pending } = event;
  const what = stepInWords(action, to);
  return {
    json: () => ({}),
    fields: () => {
      const name = pending ? `${action} pending` : action;
      return ["event", name, to ?? "", count, bytes, "", formatUtc(date), tsvField(rule)];
    },
    cells: () => [what, groupDigits(count), formatSize(bytes), "", whenOf(event), rule],
  };
}

export function uploadRow({ key, uploadId, size, abort }: Unfinished): StatusRow {
  const rule = abort?.rule ?? "";
  return {
    json: () => ({}),
    fields() {
      const end = abort === undefined ? UNKNOWN : dateOf(abort);
      return ["upload", tsvField(key), tsvField(uploadId), 1, size ?? UNKNOWN, "", end, tsvField(rule)];
    },
    cells() {
      const end = abort === undefined ? UNKNOWN : abort === null ? "never" : formatLocalTime(abort.date);
      return [`abort of ${key}`, "1", size === null ? UNKNOWN : formatSize(size), "", end, rule];
    },
  };
}

/** Of `lifecycle apply`: what was done, or is due. */
export function dueJson({ watched, next }: Due): JsonObject {
  return { ...attachmentJson(watched.attachment), next: nextJson(next) };
}

export function rulesJson(rules: LifecycleRules | null): Json {
  if (rules === null) return null;
  return rules.rules.map((rule, n) => ({
    id: ruleId(rule, n),
    enabled: rule.Status === "Enabled",
    text: ruleInWords(rule, n),
    rule: rule as unknown as JsonObject,
  }));
}

export function eventJson({ action, to, date, rule, pending, count, bytes }: Upcoming): JsonObject {
  return { action, to, date: formatUtc(date), rule, pending, count, bytes };
}

export function uploadJson({ key, uploadId, startedAt, size, abort }: Unfinished): JsonObject {
  const end = abort === undefined ? {} : { abort: datedJson(abort) };
  return { key, uploadId, startedAt: formatUtc(startedAt), size, ...end };
}

function watchedJson({ attachment, forecast, archive }: Watched): JsonObject {
  const { next, expires, purge, notMoved } = forecast;
  return {
    ...attachmentJson(attachment),
    ...(next === undefined ? {} : { next: next === null ? null : nextJson(next) }),
    ...(expires === undefined ? {} : { expires: datedJson(expires) }),
    ...(purge === undefined ? {} : { purge: datedJson(purge) }),
    ...(archive === undefined ? {} : { archive: archive === null ? null : archiveJson(archive) }),
    ...(notMoved === undefined
      ? {}
      : { notMoved: { reason: notMoved.reason, rule: notMoved.rule, text: notMovedInWords(notMoved) } }),
  };
}

function nextJson({ action, to, date, rule, pending }: NextStep): JsonObject {
  return { action, to, date: formatUtc(date), rule, pending };
}

function datedJson(dated: Dated | null): JsonObject | null {
  return dated === null ? null : { date: formatUtc(dated.date), rule: dated.rule };
}

function stepFields(next: NextStep | null): string[] {
  if (next === null) return ["", "", "", ""];
  return [next.action, next.to ?? "", formatUtc(next.date), next.pending ? "pending" : ""];
}

function stepCells(next: NextStep | null): string[] {
  return next === null ? ["", ""] : [stepInWords(next.action, next.to), whenOf(next)];
}

function endOf({ expires, purge }: Forecast, state: Watched["state"], format: (date: Date) => string): string {
  const end = state === "live" ? expires : purge;
  if (end === undefined) return UNKNOWN;
  return end === null ? "" : format(end.date);
}

function dateOf(dated: Dated | null): string {
  return dated === null ? "" : formatUtc(dated.date);
}

function whenOf({ date, pending }: { readonly date: Date; readonly pending: boolean }): string {
  return pending ? "pending" : formatLocalTime(date);
}
