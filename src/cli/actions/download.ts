import { stat } from "node:fs/promises";
import path from "node:path";
import { downloadFile, downloadTo } from "../../attachments/download.ts";
import type { DownloadedFile } from "../../attachments/download.ts";
import { safeName } from "../../attachments/name.ts";
import { TaskflowError, isTaskflowError, throwIfAborted } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { DownloadOptions } from "../commands/download.ts";
import type { Context } from "../context.ts";
import { count, formatSize } from "../output/format.ts";
import { tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { workInOrder } from "../map-in-order.ts";
import { runSession } from "../session.ts";
import type { Session } from "../session.ts";
import { checkOperands, placeOf, selectAttachments } from "./items.ts";
import type { Selected, Selection } from "./items.ts";

const FILES_AT_ONCE = 8;

type Place = { readonly file: string } | { readonly folder: string };

export function runDownload(ctx: Context, operands: readonly string[], options: DownloadOptions): Promise<number> {
  const view: View<DownloadedFile> = {
    json: (file) => ({ ...attachmentJson(file.attachment), path: file.path, verified: file.verified }),
    line: ({ path: written }) =>
      tsvField(path.relative(ctx.cwd, written).startsWith("..") ? written : relative(ctx, written)),
    done: ({ path: written }) => written,
  };
  return runSession(ctx, "download", options, view, async (session) => {
    const toStdout = options.output === "-";
    if (toStdout && (options.json === true || options.ndjson === true)) {
      throw new TaskflowError("usage", "-o - writes the bytes to stdout, so there is no room for JSON", { hint: null });
    }
    const selection: Selection = {
      whole: {},
      among: "live",
      several: "newest",
      task: options.task,
      withoutItems: "or a TASK, for all that is attached to it",
    };
    checkOperands(ctx, operands, selection);
    const driver = await session.openStore();
    const selected = selectAttachments(ctx, driver, session.report, operands, selection);
    const whole = wholeTask(operands, options.task);
    if (toStdout) {
      if ((await intoStdout(session, driver, selected, options)) === 0 && whole !== null) throw nothingOn(whole);
      return undefined;
    }
    const place = await targetOf(ctx, options.output);
    // A whole task comes newest first, and may be long.
    const wanted = whole !== null && "folder" in place ? suffixed(selected) : await named(selected, place);
    if ((await intoFiles(session, driver, wanted, place, options)) === 0 && whole !== null) throw nothingOn(whole);
    return undefined;
  });
}

/** Gives how many there were to fetch. */
async function intoFiles(
  { ctx, report }: Session<DownloadedFile>,
  driver: StorageDriver,
  wanted: AsyncIterable<Wanted> | Iterable<Wanted>,
  place: Place,
  options: DownloadOptions,
): Promise<number> {
  const progress = report.progress("downloading");
  let found = 0;
  const outcomes = workInOrder(
    wanted,
    async ({ selected: { attachment }, suffix }) => {
      progress.expect(attachment.size, 1);
      progress.at(attachment.name);
      return await downloadFile(driver, attachment.key, {
        ...place,
        ...(suffix === null ? {} : { suffix }),
        ...(options.ifExists === undefined ? {} : { ifExists: options.ifExists }),
        verify: options.verify !== false,
        signal: ctx.signal,
        onBytes: (bytes) => progress.advance(bytes),
      });
    },
    { concurrency: FILES_AT_ONCE, backpressure: 2 * FILES_AT_ONCE, signal: ctx.signal },
  );
  const sum: Sum = { files: 0, bytes: 0, skipped: 0, unrecorded: 0 };
  try {
    for await (const outcome of outcomes) {
      found += 1;
      progress.itemDone();
      if ("error" in outcome) await report.failure(outcome.error, placeOf(outcome.item.selected));
      else await tell(outcome.result);
    }
  } finally {
    progress.stop();
    // Interrupted too: what is written is told.
    if (sum.files + sum.skipped > 0) report.summary(summaryText(sum));
  }
  if (sum.unrecorded > 0) await report.warning(notVerified(sum.unrecorded));
  return found;

  async function tell(file: DownloadedFile): Promise<void> {
    if (file.skipped) {
      sum.skipped += 1;
      await report.skipped();
      return;
    }
    const { size } = file.attachment;
    sum.files += 1;
    sum.bytes += size;
    if (file.verified === "unrecorded") sum.unrecorded += 1;
    await report.item(file, size);
  }
}

interface Sum {
  files: number;
  bytes: number;
  skipped: number;
  unrecorded: number;
}

function summaryText({ files, bytes, skipped }: Sum): string {
  return `downloaded ${count(files, "file")} (${formatSize(bytes)})${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** The task, where the operands name no items of it. */
function wholeTask(operands: readonly string[], option: string | undefined): string | null {
  const [first, ...others] = option === undefined ? operands : [option, ...operands];
  return first === undefined || first === "-" || first.includes("/") || others.length > 0 ? null : first;
}

/** Whoever wants the files of a task has mistaken its id, or is early; an empty folder would not tell. */
function nothingOn(task: string): TaskflowError {
  return new TaskflowError("not_found", `nothing is attached to ${task}`, {
    hint: `taskflow attach list ${task} --deleted shows what was deleted`,
  });
}

/** As `intoFiles`. */
async function intoStdout(
  { ctx, report }: Session<DownloadedFile>,
  driver: StorageDriver,
  selected: AsyncIterable<Selected>,
  options: DownloadOptions,
): Promise<number> {
  const all: Selected[] = [];
  for await (const one of selected) {
    all.push(one);
    if (all.length > 1) throw new TaskflowError("usage", "-o - takes a single attachment", { hint: "name one ITEM" });
  }
  const [only] = all;
  if (only === undefined) return 0;
  const progress = ctx.stdout.isTerminal ? null : report.progress("downloading");
  progress?.expect(only.attachment.size, 1);
  progress?.at(only.attachment.name);
  try {
    const { verified } = await downloadTo(driver, only.attachment.key, (chunk) => writeOrStop(ctx, chunk), {
      verify: options.verify !== false,
      signal: ctx.signal,
      onBytes: (bytes) => progress?.advance(bytes),
    });
    if (verified === "unrecorded") await report.warning(notVerified(1));
  } catch (error) {
    if (error === READER_GONE) return 1;
    if (isTaskflowError(error) && error.code === "checksum_mismatch") {
      await report.note("throw away what was written: it is not what was attached");
    }
    throw error;
  } finally {
    progress?.stop();
  }
  return 1;
}

/** `| head -c 1`: no need to read on, and no failure. */
const READER_GONE = new TaskflowError("internal", "the reader of stdout is gone");

async function writeOrStop(ctx: Context, chunk: Uint8Array): Promise<void> {
  await ctx.stdout.write(chunk);
  throwIfAborted(ctx.signal);
  if (ctx.stdout.closed) throw READER_GONE;
}

/** A folder where it ends with a slash or is one; else the file itself. */
async function targetOf(ctx: Context, output: string | undefined): Promise<Place> {
  if (output === undefined) return { folder: ctx.cwd };
  if (output.includes("\0")) throw new TaskflowError("usage", "--output holds a NUL byte", { hint: null });
  const absolute = path.resolve(ctx.cwd, output);
  const isFolder = output.endsWith("/") || (await stat(absolute).catch(() => null))?.isDirectory() === true;
  return isFolder ? { folder: absolute } : { file: absolute };
}

interface Wanted {
  readonly selected: Selected;
  /** Tells it apart from a newer one of the same name in this run. */
  readonly suffix: string | null;
}

/** Gives the older of two with one name a suffix. */
async function named(selected: AsyncIterable<Selected>, place: Place): Promise<Wanted[]> {
  const all: Selected[] = [];
  for await (const one of selected) all.push(withoutDetails(one));
  if ("file" in place && all.length > 1) {
    throw new TaskflowError("usage", `${place.file} can hold one attachment, not ${all.length}`, {
      hint: "end -o with a / to have a folder made for them",
    });
  }
  const newestFirst = [...all].sort((a, b) => b.attachment.createdAt.getTime() - a.attachment.createdAt.getTime());
  const suffixes = new Map<Selected, string | null>();
  const names = new Set<string>();
  for (const one of newestFirst) suffixes.set(one, suffixFor(one, names));
  return all.map((one) => ({ selected: one, suffix: suffixes.get(one) ?? null }));
}

/** Of keys from stdin there may be many. */
function withoutDetails(selected: Selected): Selected {
  const { details: _, ...attachment } = selected.attachment;
  return { ...selected, attachment };
}

/** As `named`, for attachments that come newest first. */
async function* suffixed(selected: AsyncIterable<Selected>): AsyncGenerator<Wanted, void, undefined> {
  const names = new Set<string>();
  for await (const one of selected) yield { selected: one, suffix: suffixFor(one, names) };
}

function suffixFor({ attachment }: Selected, names: Set<string>): string | null {
  // As the file will be called: a foreign name, and the true one where it was read, are cleaned yet.
  const name = safeName(attachment.name);
  if (names.has(name)) return attachment.id.slice(0, 8);
  names.add(name);
  return null;
}

function relative(ctx: Context, written: string): string {
  return path.relative(ctx.cwd, written);
}

function notVerified(files: number): string {
  return files === 1
    ? "no checksum was recorded for it: not verified"
    : `no checksum was recorded for ${files} files: not verified`;
}
