import { copyOne, copyable, pairs } from "../../attachments/copy.ts";
import type { Copied, Pair, Stores } from "../../attachments/copy.ts";
import { parseTask } from "../../attachments/task.ts";
import { parseStore } from "../../config/parse-setting.ts";
import { optionValue } from "../../config/parse-values.ts";
import { TaskflowError, isTaskflowError } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { Location } from "../../storage/location.ts";
import { formatLocation } from "../../storage/location.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { CopyOptions } from "../commands/copy.ts";
import type { Context } from "../context.ts";
import { workInOrder } from "../map-in-order.ts";
import { count, formatSize } from "../output/format.ts";
import { printable, tsvField } from "../output/printable.ts";
import type { Progress } from "../output/progress.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";
import type { Session } from "../session.ts";
import { reachingStore } from "../store-options.ts";
import { createOthers } from "./others.ts";

type Row = Extract<Copied, { outcome: "copied" }>;

const AT_ONCE = 8;

/** What the next attachment would meet too: the same command goes on once it is over. */
const ENDS_ALL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "no_credentials",
  "expired_credentials",
  "no_such_bucket",
  "wrong_region",
  "network",
  "throttled",
]);

function endsAll(error: unknown): boolean {
  return isTaskflowError(error) && ENDS_ALL.has(error.code);
}

export function runCopy(ctx: Context, operands: readonly string[], options: CopyOptions): Promise<number> {
  const dryRun = options.dryRun === true;
  const view: View<Row> = {
    json: ({ attachment, adopted }) => ({ ...attachmentJson(attachment), ...(adopted ? { adopted } : {}) }),
    line: ({ attachment }) => tsvField(attachment.key),
    ...(dryRun ? {} : { done: ({ attachment }: Row) => attachment.key }),
  };
  return runSession(ctx, "copy", options, view, async (session) => {
    const places = namedPlaces(ctx, operands, options);
    const task = options.task === undefined ? null : parseTask(options.task);
    const from = await session.openNamed(places.from, "--from", "fail");
    const progress = session.report.progress(dryRun ? "checking" : "copying");
    // Before the other is made: there may be nothing to copy, or no such bucket.
    const what = await expectAll(session, from, task, progress);
    const to = await session.openNamed(places.to, "--to", dryRun ? "pretend" : "create");
    if (from.location === to.location) throw sameStore(from.location);
    await session.report.note(`${what} in ${printable(from.location)}, to be in ${printable(to.location)}`);
    const stores: Stores = { from, to };
    await copyAll(session, stores, pairs(stores, task, ctx.signal), options, progress);
    return { extra: { from: from.location, ...(dryRun ? { dryRun: true } : {}) } };
  });
}

/** Errors: `usage`, before any store is opened. */
function namedPlaces(
  ctx: Context,
  operands: readonly string[],
  { from, to, store }: CopyOptions,
): { from: Location; to: Location } {
  const hint = "taskflow attach copy --from ./uploads --to s3://BUCKET";
  if (store !== undefined) throw new TaskflowError("usage", "copy takes --from and --to, not --store", { hint });
  if (operands.length > 0) {
    throw new TaskflowError("usage", "copy takes no operands; one task is --task ID", { hint });
  }
  if (from === undefined || to === undefined) {
    throw new TaskflowError("usage", `${from === undefined ? "--from" : "--to"} is missing`, { hint });
  }
  const placeOf = (flag: string, text: string): Location =>
    optionValue(flag, text, (given) => parseStore(given, { folder: ctx.cwd, home: ctx.home }));
  const places = { from: placeOf("--from", from), to: placeOf("--to", to) };
  if (formatLocation(places.from) === formatLocation(places.to)) throw sameStore(formatLocation(places.from));
  return places;
}

function sameStore(location: string): TaskflowError {
  return new TaskflowError("usage", `--from and --to are one store: ${location}`, { hint: null });
}

/** How much there is, which takes a listing of its own: of millions nobody wants to wait without an end in sight. */
async function expectAll(
  { ctx, report }: Session<Row>,
  from: StorageDriver,
  task: string | null,
  progress: Progress,
): Promise<string> {
  let files = 0;
  let bytes = 0;
  const others = createOthers();
  const looking = { signal: ctx.signal, onOther: (key: string) => others.see(key) };
  for await (const { size } of copyable({ from }, task, looking)) {
    files += 1;
    bytes += size;
  }
  await others.tell(report);
  if (files === 0 && task !== null) {
    throw new TaskflowError("not_found", `nothing is attached to ${task} in ${from.location}`);
  }
  progress.expect(bytes, files);
  return `${count(files, "attachment")} (${formatSize(bytes)})`;
}

async function copyAll(
  { ctx, report }: Session<Row>,
  stores: Stores,
  all: AsyncIterable<Pair>,
  options: CopyOptions,
  progress: Progress,
): Promise<void> {
  const dryRun = options.dryRun === true;
  const atOnce = options.concurrency ?? AT_ONCE;
  const sum: Sum = { copied: 0, bytes: 0, adopted: 0, there: 0, gone: 0, failed: 0 };
  const outcomes = workInOrder(
    all,
    (pair) => {
      progress.at(pair.attachment.name);
      const onBytes = (bytes: number): void => progress.advance(bytes);
      return copyOne(stores, pair, { dryRun, signal: ctx.signal, onBytes });
    },
    { concurrency: atOnce, backpressure: 4 * atOnce, signal: ctx.signal, endsAll },
  );
  let isWhole = false;
  try {
    for await (const outcome of outcomes) {
      progress.itemDone();
      if ("error" in outcome) {
        sum.failed += 1;
        await report.failure(withStore(outcome.error, stores), { item: outcome.item.attachment.key });
      } else await tell(outcome.result);
    }
    isWhole = true;
  } finally {
    progress.stop();
    report.summary(summaryText(sum, { dryRun, isWhole, to: printable(stores.to.location) }));
  }

  async function tell(copied: Copied): Promise<void> {
    const { size } = copied.attachment;
    if (copied.outcome === "copied") {
      sum.copied += 1;
      sum.bytes += size;
      if (copied.adopted) sum.adopted += 1;
      await report.item(copied, size);
      return;
    }
    if (copied.outcome === "skipped") sum.there += 1;
    else sum.gone += 1;
    progress.skip(size);
    await report.skipped();
  }
}

/** The way out names the store that failed: what is archived is so in the one that is read, others name theirs. */
function withStore(error: unknown, stores: Stores): unknown {
  if (!isTaskflowError(error) || error.hint === null) return error;
  const { code, message, hint, requestId, context } = error;
  // One name may be the beginning of the other.
  const [longer, shorter] = [stores.from.location, stores.to.location].toSorted((a, b) => b.length - a.length);
  const store =
    code === "archived" ? stores.from.location : [longer, shorter].find((name) => message.includes(name ?? ""));
  return new TaskflowError(code, message, {
    hint: reachingStore(hint, store === undefined ? {} : { store }),
    requestId,
    context,
    cause: error,
  });
}

interface Sum {
  copied: number;
  bytes: number;
  adopted: number;
  there: number;
  gone: number;
  failed: number;
}

/** `copied 9,988 attachments (1.2 GiB) to s3://acme, 12 were there already` */
function summaryText(sum: Sum, told: { dryRun: boolean; isWhole: boolean; to: string }): string {
  const verb = told.dryRun ? "would copy" : "copied";
  const parts = [`${verb} ${count(sum.copied, "attachment")} (${formatSize(sum.bytes)}) to ${told.to}`];
  if (sum.there > 0) parts.push(`${count(sum.there, "was", "were")} there already`);
  if (sum.adopted > 0) parts.push(`${count(sum.adopted, "has a digest", "have a digest")} now that had none`);
  if (sum.gone > 0) parts.push(`${count(sum.gone, "was", "were")} deleted meanwhile`);
  if (sum.failed > 0) parts.push(`${count(sum.failed, "was", "were")} not copied`);
  return `${parts.join(", ")}${told.isWhole ? "" : "; the same command copies the rest"}`;
}
