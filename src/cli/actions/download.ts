import { stat } from "node:fs/promises";
import path from "node:path";
import { pMapIterable } from "p-map";
import { downloadFile, downloadTo } from "../../attachments/download.ts";
import type { DownloadedFile } from "../../attachments/download.ts";
import { TaskflowError, isTaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { DownloadOptions } from "../commands/download.ts";
import type { Context } from "../context.ts";
import { count, formatSize } from "../output/format.ts";
import { tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";
import type { Session } from "../session.ts";
import { selectAttachments } from "./items.ts";
import type { Selected } from "./items.ts";

const FILES_AT_ONCE = 8;

type Place = { readonly file: string } | { readonly folder: string };
type Outcome = { readonly selected: Selected } & ({ readonly file: DownloadedFile } | { readonly error: unknown });

export function runDownload(ctx: Context, operands: readonly string[], options: DownloadOptions): Promise<number> {
  const view: View<DownloadedFile> = {
    json: (file) => ({ ...attachmentJson(file.attachment), path: file.path, verified: file.verified }),
    line: ({ path: written }) =>
      tsvField(path.relative(ctx.cwd, written).startsWith("..") ? written : relative(ctx, written)),
  };
  return runSession(ctx, "download", options, view, async (session) => {
    const toStdout = options.output === "-";
    if (toStdout && (options.json === true || options.ndjson === true)) {
      throw new TaskflowError("usage", "-o - writes the bytes to stdout, so there is no room for JSON", { hint: null });
    }
    const driver = await session.openStore();
    const selected = selectAttachments(ctx, driver, session.report, operands, {
      whole: {},
      among: "live",
      several: "newest",
      task: options.task,
      withoutItems: "or a TASK, for all that is attached to it",
    });
    if (toStdout) return await intoStdout(session, driver, selected, options);
    const place = await placeOf(ctx, options.output);
    return await intoFiles(session, driver, await named(operands, selected, place), place, options);
  });
}

async function intoFiles(
  { ctx, report }: Session<DownloadedFile>,
  driver: StorageDriver,
  wanted: AsyncIterable<Wanted> | Iterable<Wanted>,
  place: Place,
  options: DownloadOptions,
): Promise<undefined> {
  const progress = report.progress("downloading");
  const outcomes = pMapIterable(
    wanted,
    async ({ selected, suffix }): Promise<Outcome> => {
      const { attachment } = selected;
      try {
        progress.expect(attachment.size, 1);
        progress.at(attachment.name);
        const file = await downloadFile(driver, attachment.key, {
          ...place,
          ...(suffix === null ? {} : { suffix }),
          ...(options.ifExists === undefined ? {} : { ifExists: options.ifExists }),
          verify: options.verify !== false,
          signal: ctx.signal,
          onBytes: (bytes) => progress.advance(bytes),
        });
        return { selected, file };
      } catch (error) {
        if (isTaskflowError(error) && error.code === "interrupted") throw error;
        return { selected, error };
      }
    },
    { concurrency: FILES_AT_ONCE, backpressure: 2 * FILES_AT_ONCE },
  );
  const sum = { files: 0, bytes: 0, skipped: 0, unrecorded: 0 };
  for await (const outcome of outcomes) {
    progress.itemDone();
    if ("error" in outcome) {
      const { index, text } = outcome.selected;
      await report.failure(outcome.error, { ...(index === null ? {} : { index }), item: text });
    } else if (outcome.file.skipped) {
      sum.skipped += 1;
      await report.skipped();
    } else {
      sum.files += 1;
      sum.bytes += outcome.file.attachment.size;
      if (outcome.file.verified === "unrecorded") sum.unrecorded += 1;
      await report.item(outcome.file, outcome.file.attachment.size);
    }
  }
  progress.stop();
  if (sum.unrecorded > 0) await report.warning(notVerified(sum.unrecorded));
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  if (sum.files + sum.skipped > 0)
    report.summary(`downloaded ${count(sum.files, "file")} (${formatSize(sum.bytes)})${skipped}`);
  return undefined;
}

async function intoStdout(
  { ctx, report }: Session<DownloadedFile>,
  driver: StorageDriver,
  selected: AsyncIterable<Selected>,
  options: DownloadOptions,
): Promise<undefined> {
  const all: Selected[] = [];
  for await (const one of selected) {
    all.push(one);
    if (all.length > 1) throw new TaskflowError("usage", "-o - takes a single attachment", { hint: "name one ITEM" });
  }
  const [only] = all;
  if (only === undefined) return undefined;
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
    if (error === READER_GONE) return undefined;
    if (isTaskflowError(error) && error.code === "checksum_mismatch") {
      await report.note("throw away what was written: it is not what was attached");
    }
    throw error;
  } finally {
    progress?.stop();
  }
  return undefined;
}

/** `| head -c 1`: no need to read on, and no failure. */
const READER_GONE = new TaskflowError("internal", "the reader of stdout is gone");

async function writeOrStop(ctx: Context, chunk: Uint8Array): Promise<void> {
  await ctx.stdout.write(chunk);
  if (ctx.stdout.closed) throw READER_GONE;
}

/** A folder where it ends with a slash or is one; else the file itself. */
async function placeOf(ctx: Context, output: string | undefined): Promise<Place> {
  if (output === undefined) return { folder: ctx.cwd };
  const absolute = path.resolve(ctx.cwd, output);
  const isFolder = output.endsWith("/") || (await stat(absolute).catch(() => null))?.isDirectory() === true;
  return isFolder ? { folder: absolute } : { file: absolute };
}

interface Wanted {
  readonly selected: Selected;
  /** Tells it apart from a newer one of the same name in this run. */
  readonly suffix: string | null;
}

/** Gives the older of two with one name a suffix. Named items are few and sorted for that; a task comes newest first. */
async function named(
  operands: readonly string[],
  selected: AsyncIterable<Selected>,
  place: Place,
): Promise<AsyncIterable<Wanted> | Iterable<Wanted>> {
  if (!("file" in place) && (operands.length === 1 || operands.includes("-"))) return suffixed(selected);
  const all: Selected[] = [];
  for await (const one of selected) all.push(one);
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

async function* suffixed(selected: AsyncIterable<Selected>): AsyncGenerator<Wanted, void, undefined> {
  const names = new Set<string>();
  for await (const one of selected) yield { selected: one, suffix: suffixFor(one, names) };
}

function suffixFor({ attachment }: Selected, names: Set<string>): string | null {
  if (names.has(attachment.name)) return attachment.id.slice(0, 8);
  names.add(attachment.name);
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
