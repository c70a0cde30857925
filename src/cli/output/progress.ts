/**
 * How far a transfer is. On a terminal one line that moves (ora, loaded only then); elsewhere plain lines for long
 * transfers, the first after 10 s, thinning out to one a minute.
 */
import type { Context } from "../context.ts";
import { count, formatSeconds, formatSize } from "./format.ts";
import { printable } from "./printable.ts";
import type { Spinner } from "./spinner.ts";

export interface Progress {
  /** Adds to what is expected; `null` makes the total unknown for good. */
  expect(bytes: number | null, items: number): void;
  advance(bytes: number): void;
  /** Bytes that were only read, to be moved afterwards: told while nothing else moves. */
  read(bytes: number): void;
  /** Bytes that an earlier run has moved: they are done, and no measure of how fast this one is. */
  skip(bytes: number): void;
  itemDone(): void;
  /** Names what is being worked on. */
  at(name: string): void;
  /** Takes the line away, so that something else can be printed; it comes back with the next change. */
  clear(): void;
  stop(): void;
}

export interface ProgressOptions {
  /** `attaching`, `downloading`, … */
  readonly verb: string;
  readonly live: boolean;
  readonly color: boolean;
  /** Writes a plain line, off a terminal. */
  line(text: string): void;
  /** Told at most once a second and at the end, for events. */
  event?(data: {
    bytes: number;
    totalBytes: number | null;
    items: number;
    totalItems: number;
    readBytes?: number;
  }): void;
}

const TICK_MS = 100;
const FIRST_LINE_MS = 10_000;
const SLOWEST_LINE_MS = 60_000;
const SPINNER_AFTER_MS = 200;
const LONGEST_LEFT_S = 30 * 86_400;

export function createProgress(ctx: Context, options: ProgressOptions): Progress {
  const begun = ctx.now().getTime();
  let total: number | null = 0;
  let totalItems = 0;
  let bytes = 0;
  let skipped = 0;
  let read = 0;
  let moves = 0;
  const clock = createClock();
  let items = 0;
  let name = "";
  let nextLine = FIRST_LINE_MS;
  let nextEvent = 1000;
  let spinner: Spinner | null = null;
  let loading = false;
  let stopped = false;

  const elapsed = (): number => ctx.now().getTime() - begun;

  const subject = (): string => (totalItems > 1 ? `${items} of ${count(totalItems, "file")}` : printable(name));

  const verb = (): string => (clock.isReading() ? "reading" : options.verb);

  /** The most wanted first: a narrow terminal has no room for the last ones. */
  const facts = (): string[] => {
    const isReading = clock.isReading();
    const done = isReading ? read : bytes;
    const seconds = clock.seconds();
    const rate = seconds > 0.5 ? Math.max(0, isReading ? read : bytes - skipped) / seconds : 0;
    const known: string[] = [];
    if (total !== null && total > 0) {
      known.push(`${Math.floor((done / total) * 100)}%`);
      const left = rate > 0 ? (total - done) / rate : Infinity;
      // What comes after the reading takes longer, and nobody knows yet how long; nor what a handful of bytes foretells.
      if (left > 0 && left < LONGEST_LEFT_S && !isReading) known.push(`${formatSeconds(Math.max(1, left))} left`);
      known.push(`${formatSize(done)} of ${formatSize(total)}`);
    } else if (total === null) known.push(formatSize(done));
    if (rate > 0) known.push(`${formatSize(Math.round(rate))}/s`);
    return known;
  };

  const draw = async (): Promise<void> => {
    if (spinner === null) {
      if (loading || elapsed() < SPINNER_AFTER_MS) return;
      loading = true;
      const { createSpinner } = await import("./spinner.ts");
      if (stopped) return;
      spinner = createSpinner(ctx.stderrStream, options.color);
    }
    spinner.draw(verb(), subject(), facts(), ctx.stderr.columns());
  };

  const tick = (): void => {
    clock.tick(elapsed(), moves, read);
    if (options.live) {
      // Work goes on without it: `loading` stays set, so it is not tried again.
      draw().catch(() => undefined);
    } else if (elapsed() >= nextLine) {
      options.line([`${verb()} ${subject()}`, ...facts()].join("  "));
      nextLine = elapsed() + Math.min(SLOWEST_LINE_MS, nextLine);
    }
    if (options.event !== undefined && elapsed() >= nextEvent) {
      options.event({ bytes, totalBytes: total, items, totalItems, ...(read === 0 ? {} : { readBytes: read }) });
      nextEvent = elapsed() + 1000;
    }
  };
  const timer = setInterval(tick, TICK_MS);
  timer.unref();

  return {
    expect(expectedBytes, expectedItems) {
      total = expectedBytes === null || total === null ? null : total + expectedBytes;
      totalItems += expectedItems;
    },
    advance(more) {
      moves += 1;
      bytes += more;
    },
    read(more) {
      read += more;
    },
    skip(more) {
      bytes += more;
      skipped += more;
    },
    itemDone() {
      items += 1;
    },
    at(current) {
      name = current;
    },
    clear() {
      spinner?.hide();
    },
    stop() {
      stopped = true;
      clearInterval(timer);
      spinner?.hide();
    },
  };
}

/** Nothing has moved for so long: only then reading is what is going on. */
const QUIET_MS = 500;

interface Clock {
  /** So many moves and bytes read there were until now. */
  tick(nowMs: number, moves: number, read: number): void;
  isReading(): boolean;
  /** Of what is going on, without the time of the other. */
  seconds(): number;
}

/** How long was read, and how long moved: the one says nothing of how fast the other is. */
function createClock(): Clock {
  let last = { nowMs: 0, moves: 0, read: 0 };
  let movedAt = -Infinity;
  let isReading = false;
  let readingMs = 0;
  let movingMs = 0;
  return {
    tick(nowMs, moves, read) {
      if (moves !== last.moves) {
        movedAt = nowMs;
        isReading = false;
      } else if (read !== last.read && nowMs - movedAt > QUIET_MS) isReading = true;
      if (isReading) readingMs += nowMs - last.nowMs;
      else movingMs += nowMs - last.nowMs;
      last = { nowMs, moves, read };
    },
    isReading: () => isReading,
    seconds: () => (isReading ? readingMs : movingMs) / 1000,
  };
}
