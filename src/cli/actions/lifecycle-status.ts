import { PRICES } from "../../attachments/lifecycle/prices.ts";
import { openSurvey } from "../../attachments/lifecycle/survey.ts";
import type { Survey, Unfinished } from "../../attachments/lifecycle/survey.ts";
import { createTotals } from "../../attachments/lifecycle/totals.ts";
import type { Totals } from "../../attachments/lifecycle/totals.ts";
import { taskPrefix } from "../../attachments/key.ts";
import { parseOperands } from "../../attachments/operands.ts";
import { isTaskflowError, throwIfAborted } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { LifecycleStatusOptions } from "../commands/lifecycle.ts";
import type { Context } from "../context.ts";
import {
  eventJson,
  eventRow,
  rulesJson,
  statusView,
  totalRow,
  uploadJson,
  uploadRow,
  watchedRow,
} from "../lifecycle-view.ts";
import type { StatusRow } from "../lifecycle-view.ts";
import { rulesInWords } from "../lifecycle-words.ts";
import { count, formatSeconds, formatSize } from "../output/format.ts";
import type { Json, JsonObject } from "../output/json-document.ts";
import type { Report } from "../output/report.ts";
import { runSession } from "../session.ts";
import { bucketOf, checkOperands, selectAttachments } from "./items.ts";
import type { Selection } from "./items.ts";

const DEFAULT_WITHIN_SECONDS = 30 * 86_400;

/** How many unfinished uploads are told one by one. */
const MOST_UPLOADS = 1000;

export function runLifecycleStatus(
  ctx: Context,
  operands: readonly string[],
  options: LifecycleStatusOptions,
): Promise<number> {
  const isWhole = operands.length === 0 && options.task === undefined;
  return runSession(ctx, "lifecycle status", options, statusView({ ofTask: !isWhole }), async (session) => {
    const { report } = session;
    const selection: Selection = {
      among: "any",
      several: "newest",
      task: options.task,
      withoutItems: "taskflow attach list TASK shows them",
      whole: {},
    };
    if (!isWhole) checkOperands(ctx, operands, selection);
    const driver = await session.openStore();
    const now = ctx.now();
    const withinSeconds = options.within ?? DEFAULT_WITHIN_SECONDS;
    const isPriced = bucketOf(driver) !== null;
    const totals = createTotals({ now, until: new Date(now.getTime() + withinSeconds * 1000), isPriced });
    const survey = await openSurvey(driver, {
      now,
      details: !isWhole,
      onMarker: (end) => totals.addMarker(end),
      signal: ctx.signal,
    });
    await tellRules(report, survey);
    const whole = isWhole ? "tasks/" : wholeTask(operands, options, driver);
    if (whole === null) await items(ctx, driver, report, operands, selection, survey, totals);
    else await listed(ctx, report, survey, totals, whole, isWhole);
    const uploads = whole === null ? [] : await unfinishedOf(report, survey, whole);
    if (isWhole) await tellTotals(report, totals, uploads, options);
    summarize(report, totals, uploads, { withinSeconds, isPriced, isWhole });
    return { extra: documentOf(survey, totals, uploads, { withinSeconds, isPriced }) };
  });
}

/** The beginning of its keys; `null`: items are named. */
function wholeTask(
  operands: readonly string[],
  { task }: LifecycleStatusOptions,
  driver: StorageDriver,
): string | null {
  if (operands.includes("-")) return null;
  const parsed = parseOperands(operands, task, bucketOf(driver));
  return parsed.items.length === 0 && parsed.task !== null ? taskPrefix(parsed.task) : null;
}

async function tellRules(report: Report<StatusRow>, { rules }: Survey): Promise<void> {
  if (rules === null) {
    await report.warning("the lifecycle rules may not be read (s3:GetLifecycleConfiguration): what happens is unknown");
    return;
  }
  for (const line of rulesInWords(rules)) await report.note(line);
}

async function listed(
  ctx: Context,
  report: Report<StatusRow>,
  survey: Survey,
  totals: Totals,
  prefix: string,
  isWhole: boolean,
): Promise<void> {
  for await (const watched of survey.versions(prefix)) {
    if (report.unread) {
      throwIfAborted(ctx.signal);
      return;
    }
    totals.add(watched);
    if (!isWhole && watched.state !== "older") await report.item(watchedRow(watched), watched.version.size);
  }
  if (survey.onlyLive()) {
    await report.warning("what is deleted may not be listed (s3:ListBucketVersions): only live ones are counted");
  }
}

async function items(
  ctx: Context,
  driver: StorageDriver,
  report: Report<StatusRow>,
  operands: readonly string[],
  selection: Selection,
  survey: Survey,
  totals: Totals,
): Promise<void> {
  for await (const { attachment } of selectAttachments(ctx, driver, report, operands, selection)) {
    const watched = await survey.attachment(attachment.key);
    if (watched === null) continue;
    totals.add(watched);
    await report.item(watchedRow(watched), watched.version.size);
  }
}

/** `null`: they may not be listed. */
async function unfinishedOf(report: Report<StatusRow>, survey: Survey, prefix: string): Promise<Unfinished[] | null> {
  const uploads: Unfinished[] = [];
  try {
    for await (const upload of survey.unfinished(prefix)) {
      if (uploads.length === MOST_UPLOADS) {
        await report.warning(`there are more than ${MOST_UPLOADS} unfinished uploads: the others are not told`);
        break;
      }
      uploads.push(upload);
    }
    return uploads;
  } catch (error) {
    if (!isTaskflowError(error) || !["access_denied", "unsupported"].includes(error.code)) throw error;
    await report.warning("unfinished uploads may not be listed (s3:ListBucketMultipartUploads)");
    return null;
  }
}

/** As rows; in JSON they are members of the document. */
async function tellTotals(
  report: Report<StatusRow>,
  totals: Totals,
  uploads: readonly Unfinished[] | null,
  { json, ndjson }: LifecycleStatusOptions,
): Promise<void> {
  if (json === true || ndjson === true) return;
  for (const total of totals.classes()) await report.item(totalRow(total));
  for (const event of totals.upcoming()) await report.item(eventRow(event));
  for (const upload of uploads ?? []) await report.item(uploadRow(upload));
}

interface Terms {
  readonly withinSeconds: number;
  readonly isPriced: boolean;
}

function summarize(
  report: Report<StatusRow>,
  totals: Totals,
  uploads: readonly Unfinished[] | null,
  { withinSeconds, isPriced, isWhole }: Terms & { readonly isWhole: boolean },
): void {
  const classes = totals.classes();
  if (classes.length === 0) report.summary("nothing attached");
  const waiting = totals.waiting();
  if (waiting.count > 0) {
    report.summary(`${count(waiting.count, "deleted one")} (${formatSize(waiting.bytes)}) waiting to be destroyed`);
  }
  const unknown = totals.unknown();
  if (unknown > 0) {
    const advice = isWhole ? "; lifecycle status TASK looks closer" : "";
    report.summary(`what happens next to ${count(unknown, "attachment")} is not known${advice}`);
  }
  if (!isWhole) {
    for (const { key, abort } of uploads ?? []) {
      const end =
        abort === undefined ? "" : `, ${abort === null ? "never aborted" : `aborted ${abort.date.toISOString()}`}`;
      report.summary(`unfinished upload: ${key}${end}`);
    }
    return;
  }
  report.summary(`what happens is told for the next ${formatSeconds(withinSeconds)}`);
  if (isPriced && classes.length > 0) {
    report.summary(`costs are estimates: storage alone, at ${PRICES.region} list prices of ${PRICES.asOf}`);
  }
}

function documentOf(
  { rules }: Survey,
  totals: Totals,
  uploads: readonly Unfinished[] | null,
  { withinSeconds, isPriced }: Terms,
): JsonObject {
  const { region, asOf } = PRICES;
  return {
    rules: rulesJson(rules),
    minimumSize: rules === null ? null : rules.minimumSize,
    totals: totals.classes().map(({ state, storageClass, count: number, bytes, monthlyUsd }): JsonObject => {
      return { state, storageClass, count: number, bytes, monthlyUsd };
    }),
    prices: isPriced ? { currency: "USD", region, asOf } : null,
    withinSeconds,
    upcoming: totals.upcoming().map(eventJson),
    waiting: { ...totals.waiting() },
    unknown: totals.unknown(),
    unfinished: uploads === null ? null : uploads.map((upload): Json => uploadJson(upload)),
  };
}
