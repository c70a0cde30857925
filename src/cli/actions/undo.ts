/** How what was deleted comes back: by which command, and until when. */
import { setTimeout as sleep } from "node:timers/promises";
import { isUuid } from "../../attachments/key.ts";
import { RULES_UNREAD, readUndoLimit } from "../../attachments/lifecycle/undo-limit.ts";
import type { UndoLimit, Until } from "../../attachments/lifecycle/undo-limit.ts";
import type { Attachment } from "../../attachments/types.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { Context } from "../context.ts";
import { formatLocalDay, formatUtc, shellQuote } from "../output/format.ts";
import type { JsonObject } from "../output/json-document.ts";
import { printable } from "../output/printable.ts";
import { typedStore } from "../store-options.ts";
import type { StoreOptions } from "../store-options.ts";

export interface Undo {
  readonly command: string;
  readonly until: Until;
}

export type Deleted = Attachment & { readonly deletedAt: Date };

/** How long the rules are waited for once something was deleted: the answer is worth more. */
const PATIENCE_MS = 3000;

export interface Limit {
  /** Begins to read the rules, beside the first deletion. */
  ask(): void;
  known(): Promise<UndoLimit>;
  stop(): void;
}

export function limitOf({ signal }: Context, driver: StorageDriver): Limit {
  const stop = new AbortController();
  let reading: Promise<UndoLimit> | null = null;
  let known: Promise<UndoLimit> | null = null;
  const ask = (): Promise<UndoLimit> => (reading ??= readUndoLimit(driver, AbortSignal.any([signal, stop.signal])));
  return {
    ask: () => void ask(),
    known: () => (known ??= Promise.race([ask(), later(PATIENCE_MS, RULES_UNREAD, stop.signal)])),
    stop: () => stop.abort(),
  };
}

/** Resolves after so long, or at once where the signal is aborted. */
function later<T>(ms: number, value: T, signal: AbortSignal): Promise<T> {
  return sleep(ms, value, { signal }).catch(() => value);
}

/** What holds for both: not known where one isn't. */
export function earlier(a: Until, b: Until): Until {
  if (isUnknown(a)) return a;
  if (isUnknown(b)) return b;
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function isUnknown(until: Until): until is { readonly unknown: string } {
  return until !== null && "unknown" in until;
}

export function limitInWords(until: Until): string {
  if (until === null) return "until it is purged";
  return isUnknown(until) ? `limit unknown (${printable(until.unknown)})` : `until ${formatLocalDay(until)}`;
}

/** What isn't known is left out. */
export function undoJson({ command, until }: Undo): JsonObject {
  if (isUnknown(until)) return { command };
  return { command, until: until === null ? null : formatUtc(until) };
}

/** The id of a foreign key may be that of several, and a key with control characters can't be printed as it is. */
export function undoOne({ id, task, key, deletedAt }: Deleted, options: StoreOptions): string {
  if (isUuid(id)) return `taskflow attach undelete ${task} ${id}${typedStore(options)}`;
  return printable(key) === key
    ? `taskflow attach undelete ${shellQuote(key)}${typedStore(options)}`
    : undoSince(task, deletedAt, options);
}

/** So many ids are a line that can still be copied. */
const IDS_AT_MOST = 10;

export interface UndoOfAll {
  add(gone: Deleted): void;
  /** One a task, in the order in which the first of each came. */
  commands(): string[];
}

/**
 * What brings back all that was deleted: of a few exactly those, else what was deleted on each task since the first of
 * it went, which may be another's too.
 */
export function createUndoOfAll(options: StoreOptions): UndoOfAll {
  const oldest = new Map<string, Date>();
  /** The first ones, and one more than are a few. */
  const first: Deleted[] = [];
  return {
    add(gone) {
      const known = oldest.get(gone.task);
      if (known === undefined || gone.deletedAt < known) oldest.set(gone.task, gone.deletedAt);
      if (first.length <= IDS_AT_MOST) first.push(gone);
    },
    commands() {
      const few = first.length <= IDS_AT_MOST ? first : [];
      return [...oldest].map(([task, since]) => {
        const those = few.filter((gone) => gone.task === task);
        return undoOfThose(task, those, options) ?? undoSince(task, since, options);
      });
    },
  };
}

/** `null` where they have no ids of their own. */
function undoOfThose(task: string, those: readonly Deleted[], options: StoreOptions): string | null {
  const [one, ...more] = those;
  if (one !== undefined && more.length === 0) return undoOne(one, options);
  return undoOfIds(
    task,
    those.map(({ id }) => id),
    options,
  );
}

/** `null` where these are no ids of a single attachment each. */
export function undoOfIds(task: string, ids: readonly string[], options: StoreOptions): string | null {
  if (ids.length === 0 || !ids.every(isUuid) || new Set(ids).size < ids.length) return null;
  return `taskflow attach undelete ${task} ${ids.join(" ")}${typedStore(options)}`;
}

function undoSince(task: string, since: Date, options: StoreOptions): string {
  return `taskflow attach undelete ${task} --since ${since.toISOString()}${typedStore(options)}`;
}
