/**
 * How a command tells what it did. Commands hand over rows, failures, warnings and notes; the report renders them as
 * a table, as lines, as one JSON document or as events, all from the same row type, and knows the exit status.
 */
import type { TaskflowError } from "../../errors.ts";
import { ERRORS, toTaskflowError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { reachingStore } from "../store-options.ts";
import type { StoreOptions } from "../store-options.ts";
import { isLive, paint, wantsColor } from "./colors.ts";
import { errorText } from "./error-text.ts";
import { documentWriter, eventWriter } from "./json-document.ts";
import type { ErrorEntry, JsonObject, JsonWriter } from "./json-document.ts";
import { printableLines } from "./printable.ts";
import { createProgress } from "./progress.ts";
import type { Progress } from "./progress.ts";
import { gather } from "./gather.ts";
import { redact } from "./redact.ts";
import { rowPrinter } from "./rows.ts";
import type { Column } from "./table.ts";
import { createUnwritten } from "./unwritten.ts";

/** The faces of one row. */
export interface View<Row> {
  json(row: Row): JsonObject;
  /** The line off a terminal, without its end; `null` prints none. Strangers' text in it must be escaped already. */
  line(row: Row): string | null;
  /** A listing: rows leave in large writes. Absent: each row leaves at once, for it tells that something was done. */
  readonly listing?: boolean;
  /**
   * Of a command that changes something: what names the thing that was done. Where stdout can't take a row, the work goes
   * on, and this is said on stderr.
   */
  done?(row: Row): string;
  /** What the rows are called in a document; absent: items. */
  readonly member?: string;
  /** The table on a terminal; absent: lines there too. Cells are escaped by the report. */
  readonly table?: { readonly columns: readonly Column[]; cells(row: Row): readonly string[] };
}

export interface ReportOptions {
  readonly command: string;
  readonly json: boolean;
  readonly ndjson: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** `false` for `--no-color`. */
  readonly color: boolean;
  /** What was typed to reach the store: the commands of hints have it too. */
  readonly typed: StoreOptions;
}

export interface FailurePlace {
  readonly index?: number;
  readonly item?: string;
}

export interface ReportEnding {
  readonly next?: string | null;
  readonly extra?: JsonObject;
  /** Further numbers of the summary, by command. */
  readonly counts?: Readonly<Record<string, number>>;
  /** The status is that of the first failure, whatever was done beside it. */
  readonly firstFailure?: boolean;
}

export interface Report<Row> {
  /** Where the work is done; known only once the store is open. */
  setStore(location: string): void;
  /** What must never be told, to the letter: known once the settings are read. */
  hide(secrets: readonly string[]): void;
  /** One thing done; `bytes` count into the summary. */
  item(row: Row, bytes?: number): Promise<void>;
  /** One thing that was left as it was, rightly. With a row it is listed too. */
  skipped(row?: Row): Promise<void>;
  /** One thing that failed while others may go on. With a row it is listed too. */
  failure(error: unknown, place?: FailurePlace, row?: Row): Promise<void>;
  /** One thing that was looked at; with an error it counts as failed, which on a terminal its row alone tells. */
  finding(row: Row, error: TaskflowError | null, place: FailurePlace): Promise<void>;
  /** What ended the whole command; its status wins over what was done before. */
  fatal(error: unknown): Promise<void>;
  /** As `fatal`, where that is how it was meant to end: a server that is told to stop says no error. */
  stopped(error: TaskflowError): Promise<void>;
  warning(text: string): Promise<void>;
  /** For people only: stderr, not with --quiet. Line ends stay, all else of strangers' text is escaped. */
  note(text: string): Promise<void>;
  /** As a note, but after the last row. */
  summary(text: string): void;
  progress(verb: string): Progress;
  /** The reader of stdout has gone: a command that only reads may stop. */
  readonly unread: boolean;
  /** Prints what is left to print and tells the exit status. */
  finish(ending?: ReportEnding): Promise<number>;
}

export function createReport<Row>(ctx: Context, view: View<Row>, options: ReportOptions): Report<Row> {
  const asJson = options.json || options.ndjson;
  const isDocument = options.json && !options.ndjson;
  const color = wantsColor(ctx, options.color);
  let store: string | null = null;
  let secrets: readonly string[] = [];
  let progress: Progress | null = null;
  const errors: ErrorEntry[] = [];
  const warnings: string[] = [];
  const summaries: string[] = [];
  let fatal: TaskflowError | null = null;
  let done = 0;
  let skipped = 0;
  let bytesDone = 0;

  const clean = (text: string): string => redact(text, secrets);
  const hintOf = ({ hint }: TaskflowError): string | null =>
    hint === null ? null : reachingStore(hint, options.typed);
  const say = async (text: string): Promise<void> => {
    progress?.clear();
    await ctx.stderr.write(clean(text));
  };
  const out = gather(ctx.stdout, view.listing === true || (options.json && !options.ndjson));
  const writer: JsonWriter | null = asJson
    ? (options.ndjson ? eventWriter : documentWriter)(out.write, options.command, () => store, view.member)
    : null;
  const rows = writer === null ? rowPrinter(ctx, view, color, out.write, () => progress?.clear()) : null;
  const textOf = (error: TaskflowError): string => errorText(error, hintOf(error), options.debug, color.stderr);
  const unwritten =
    view.done === undefined
      ? null
      : createUnwritten(out, say, async (error) => {
          if (fatal === null) await say(textOf(error));
        });
  const settle = (writing: Promise<void> | undefined): Promise<void> | undefined =>
    unwritten?.settle(writing) ?? writing;

  // Promises are handed through here and below, not awaited: of a long list each await is a tenth of the time.
  const print = (row: Row): Promise<void> => {
    if (writer !== null) return writer.item(view.json(row));
    return rows?.print(row) ?? Promise.resolve();
  };
  const show = (row: Row): Promise<void> => {
    const printing = print(row);
    return unwritten?.settle(printing, view.done?.(row)) ?? printing;
  };
  const addError = async (raw: unknown, place: FailurePlace, aloud = true): Promise<TaskflowError> => {
    const error = toTaskflowError(raw);
    const entry = { error: keptOf(error, hintOf(error), clean), index: place.index ?? null, item: place.item ?? null };
    errors.push(isDocument ? entry : { index: entry.index, item: null, error: toldOf(error) });
    if (aloud) await say(textOf(error));
    await settle(writer?.error(entry));
    return error;
  };

  return {
    setStore(location) {
      store = location;
    },
    hide(values) {
      secrets = values;
    },
    item(row, bytes = 0) {
      done += 1;
      bytesDone += bytes;
      return show(row);
    },
    async skipped(row) {
      skipped += 1;
      if (row !== undefined) await show(row);
    },
    async failure(error, place = {}, row) {
      await addError(error, place);
      if (row !== undefined) await show(row);
    },
    async finding(row, error, place) {
      if (error === null) done += 1;
      else await addError(error, place, !ctx.stdout.isTerminal);
      await show(row);
    },
    async fatal(error) {
      if (fatal !== null) return;
      fatal = toTaskflowError(error);
      try {
        await addError(fatal, {});
      } catch {
        // An event can't be written either where the output is what failed; it was said on stderr.
      }
    },
    async stopped(error) {
      fatal ??= error;
      await addError(error, {}, false);
    },
    async warning(raw) {
      const text = clean(raw);
      warnings.push(text);
      if (!options.quiet) await say(`${paint("warning:", 33, color.stderr)} ${printableLines(text)}\n`);
      await settle(writer?.warning(text));
    },
    async note(text) {
      if (!options.quiet) await say(`${printableLines(text)}\n`);
    },
    summary(text) {
      summaries.push(text);
    },
    progress(verb) {
      progress = createProgress(ctx, {
        verb,
        live: !options.quiet && isLive(ctx),
        color: color.stderr,
        line: (text) => {
          if (!options.quiet) void ctx.stderr.write(`${text}\n`);
        },
        ...(options.ndjson ? { event: (data) => void settle(writer?.progress(data)) } : {}),
      });
      return progress;
    },
    get unread() {
      return ctx.stdout.closed;
    },
    async finish(ending = {}) {
      progress?.stop();
      // The order of the operands, whatever order the failures came in.
      errors.sort((a, b) => (a.index ?? Infinity) - (b.index ?? Infinity) || 0);
      const others = ending.firstFailure === true ? 0 : done + skipped;
      const status = fatal === null ? statusOf(errors, others) : fatal.exit;
      const end = async (): Promise<void> => {
        await rows?.end();
        await writer?.end({
          errors,
          warnings,
          next: ending.next ?? null,
          extra: ending.extra ?? {},
          summary: { done, skipped, failed: errors.length, bytes: bytesDone, ...ending.counts },
          ok: status === 0,
        });
        await out.flush();
      };
      try {
        await settle(end());
      } catch (error) {
        const failure = fatal ?? toTaskflowError(error);
        if (fatal === null) await say(textOf(failure));
        return failure.exit;
      }
      if (!options.quiet) for (const text of summaries) await say(`${printableLines(text)}\n`);
      return fatal?.exit ?? unwritten?.failure?.exit ?? status;
    },
  };
}

/** What a document says of an error at the end. There may be one for each attachment of a store: no stacks, no causes. */
function keptOf(error: TaskflowError, hint: string | null, clean: (text: string) => string): ErrorEntry["error"] {
  const { code, exit, message, requestId } = error;
  return { code, exit, message: clean(message), hint: hint === null ? null : clean(hint), requestId };
}

/** What is left to know of an error that was told already. */
function toldOf({ code, exit }: TaskflowError): ErrorEntry["error"] {
  return { code, exit, message: "", hint: null, requestId: null };
}

/** 0; or 8 if any bytes were wrong; or 7 if some were done; or the status of the first failure in order. */
function statusOf(errors: readonly ErrorEntry[], done: number): number {
  const first = errors[0];
  if (first === undefined) return 0;
  const interrupted = errors.find(({ error }) => error.code === "interrupted");
  if (interrupted !== undefined) return interrupted.error.exit;
  if (errors.some(({ error }) => error.code === "checksum_mismatch")) return ERRORS.checksum_mismatch.exit;
  return done > 0 ? 7 : first.error.exit;
}
