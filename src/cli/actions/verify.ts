import { list } from "../../attachments/list.ts";
import { parseOperands } from "../../attachments/operands.ts";
import type { Attachment } from "../../attachments/types.ts";
import { verify } from "../../attachments/verify.ts";
import type { Verification } from "../../attachments/verify.ts";
import { TaskflowError, isTaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { VerifyOptions } from "../commands/verify.ts";
import type { Context } from "../context.ts";
import { mapInOrder } from "../map-in-order.ts";
import { count, formatSize } from "../output/format.ts";
import { tsvField } from "../output/printable.ts";
import type { Progress } from "../output/progress.ts";
import type { Report, View } from "../output/report.ts";
import { createOthers } from "./others.ts";
import { runSession } from "../session.ts";
import { bucketOf, placeOf, selectAttachments } from "./items.ts";
import type { Selected } from "./items.ts";

/** An outcome with what could not be read among them. */
type Row = Verification | { readonly attachment: Attachment; readonly verified: "unreadable"; readonly error: unknown };

/** `null`: deleted since it was listed. */
type Outcome = { readonly selected: Selected; readonly row: Row | null };

const AT_ONCE = 8;

export function runVerify(ctx: Context, operands: readonly string[], options: VerifyOptions): Promise<number> {
  const bothTerminals = ctx.stdout.isTerminal && ctx.stderr.isTerminal;
  const view: View<Row> = {
    json: (row) => ({
      ...attachmentJson(row.attachment),
      verified: row.verified,
      ...(row.verified === "mismatch" && row.found !== null ? { foundSha256: row.found } : {}),
    }),
    // A person who sees both streams has read the error already.
    line: (row) =>
      row.verified === "sha256" || (bothTerminals && "error" in row)
        ? null
        : `${row.verified}\t${tsvField(row.attachment.key)}`,
  };
  return runSession(ctx, "verify", options, view, async ({ report, openStore }) => {
    const driver = await openStore();
    const progress = report.progress("verifying");
    const selected = await plan(ctx, driver, report, operands, options, progress);
    const counts = { verified: 0, unrecorded: 0, mismatched: 0, unreadable: 0 };
    let gone = 0;
    const atOnce = options.concurrency ?? AT_ONCE;
    const outcomes = mapInOrder(selected, (one) => verifyOne(ctx, driver, one, progress), {
      concurrency: atOnce,
      backpressure: 4 * atOnce,
    });
    for await (const { selected: one, row } of outcomes) {
      progress.itemDone();
      if (row === null) {
        gone += 1;
        await report.skipped();
        continue;
      }
      counts[COUNTED[row.verified]] += 1;
      if ("error" in row) await report.failure(row.error, placeOf(one), row);
      else await report.item(row, row.attachment.size);
    }
    progress.stop();
    if (options.strict === true && counts.unrecorded > 0) await report.failure(unproven(counts.unrecorded));
    report.summary(summaryText(counts, gone));
    return { counts };
  });
}

type Counts = Record<"verified" | "unrecorded" | "mismatched" | "unreadable", number>;

const COUNTED = {
  sha256: "verified",
  unrecorded: "unrecorded",
  mismatch: "mismatched",
  unreadable: "unreadable",
} as const satisfies Record<Row["verified"], keyof Counts>;

/**
 * What to read, once it was said how much that is. Items are few and found at once; whole tasks are listed twice, to
 * count and to read, so that memory holds a page however many they are. Keys of stdin are taken as they come.
 */
async function plan(
  ctx: Context,
  driver: StorageDriver,
  report: Report<Row>,
  operands: readonly string[],
  options: VerifyOptions,
  progress: Progress,
): Promise<AsyncIterable<Selected> | Iterable<Selected>> {
  const items = (): AsyncIterable<Selected> =>
    selectAttachments(ctx, driver, report, operands, {
      among: "live",
      several: "newest",
      task: options.task,
      withoutItems: "or a TASK, for all that is attached to it",
    });
  if (operands.includes("-")) {
    progress.expect(null, 0);
    return items();
  }
  const parsed = parseOperands(operands, options.task, bucketOf(driver));
  const whole = parsed.items.length === 0;
  const few: Selected[] = [];
  let files = 0;
  let bytes = 0;
  const others = createOthers();
  for await (const one of whole ? everything(ctx, driver, parsed.task, (key) => others.see(key)) : items()) {
    files += 1;
    bytes += one.attachment.size;
    if (!whole) few.push(one);
  }
  await others.tell(report);
  progress.expect(bytes, files);
  if (files > 0) await report.note(`verifying ${count(files, "attachment")}, up to ${formatSize(bytes)} to read`);
  return whole ? everything(ctx, driver, parsed.task) : few;
}

async function* everything(
  ctx: Context,
  driver: StorageDriver,
  task: string | null,
  onOther: (key: string) => void = () => undefined,
): AsyncGenerator<Selected, void, undefined> {
  const { attachments } = list(driver, { task, order: "key", onOther, signal: ctx.signal });
  for await (const attachment of attachments) yield { attachment, index: null, text: attachment.key };
}

async function verifyOne(
  ctx: Context,
  driver: StorageDriver,
  selected: Selected,
  progress: Progress,
): Promise<Outcome> {
  const { attachment } = selected;
  progress.at(attachment.name);
  let read = 0;
  try {
    const row = await verify(driver, attachment.key, {
      signal: ctx.signal,
      onBytes: (bytes) => {
        read += bytes;
        progress.advance(bytes);
      },
    });
    // What needn't be read was announced all the same.
    progress.advance(Math.max(0, attachment.size - read));
    return { selected, row };
  } catch (error) {
    if (isTaskflowError(error) && error.code === "interrupted") throw error;
    return { selected, row: { attachment, verified: "unreadable", error } };
  }
}

function unproven(unrecorded: number): TaskflowError {
  const what = count(unrecorded, "attachment has", "attachments have");
  return new TaskflowError("checksum_mismatch", `${what} no recorded checksum`, {
    hint: "--strict takes that for a failure; without it they only count",
  });
}

/** `1,204 ok, 3 unrecorded, 1 differs` */
function summaryText({ verified, unrecorded, mismatched, unreadable }: Counts, gone: number): string {
  const parts: readonly [number, string][] = [
    [unrecorded, "unrecorded"],
    [mismatched, mismatched === 1 ? "differs" : "differ"],
    [unreadable, "could not be read"],
    [gone, "gone meanwhile"],
  ];
  const more = parts
    .filter(([number]) => number > 0)
    .map(([number, text]) => `${number.toLocaleString("en-US")} ${text}`);
  if (verified === 0 && more.length === 0) return "nothing to verify";
  return [`${verified.toLocaleString("en-US")} ok`, ...more].join(", ");
}
