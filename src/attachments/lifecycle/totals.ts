/** What is there, and what will happen to it, in numbers: a few for any number of attachments. */
import { monthlyCost } from "./prices.ts";
import type { Watched } from "./survey.ts";
import type { Dated, NextStep } from "./types.ts";

export interface ClassTotal extends Amount {
  readonly storageClass: string;
  readonly state: Watched["state"];
  /** USD, an estimate; `null`: no price is known. */
  readonly monthlyUsd: number | null;
}

export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** What one rule does on one day. */
export interface Upcoming extends Amount {
  /** `clean`: removes delete markers that hide nothing any more. */
  readonly action: NextStep["action"] | "clean";
  readonly to: string | null;
  /** The earliest, of what is pending. */
  readonly date: Date;
  readonly rule: string;
  readonly pending: boolean;
}

export interface Totals {
  add(one: Watched): void;
  /** A delete marker that hides nothing any more. */
  addMarker(end: Dated | null): void;
  /** By class as S3 lists them, live before deleted. */
  classes(): ClassTotal[];
  /** In the order of time, what is pending first. */
  upcoming(): Upcoming[];
  /** Deleted ones and older versions: destroyed sometime, or never. */
  waiting(): Amount;
  /** Attachments of which it isn't known what happens next. */
  unknown(): number;
}

/** `until`: what comes later is left out. `isPriced`: classes are more than labels. */
export function createTotals(options: { now: Date; until: Date; isPriced: boolean }): Totals {
  const classes = new Map<string, Counted<ClassTotal>>();
  const upcoming = new Map<string, Counted<Upcoming>>();
  let unknown = 0;

  function addStep({ action, to, date, rule, pending }: Step, bytes: number): void {
    if (date > options.until) return;
    const id = `${action} ${to ?? ""} ${pending ? "" : date.getTime()} ${rule}`;
    let known = upcoming.get(id);
    if (known === undefined) upcoming.set(id, (known = { action, to, date, rule, pending, count: 0, bytes: 0 }));
    if (date < known.date) known.date = date;
    count(known, bytes);
  }

  return {
    add({ state, version: { storageClass, size }, forecast: { next, expires, purge } }) {
      const id = `${state} ${storageClass}`;
      let known = classes.get(id);
      if (known === undefined) classes.set(id, (known = { storageClass, state, count: 0, bytes: 0, monthlyUsd: null }));
      count(known, size);
      if (next === undefined) unknown += 1;
      else if (next !== null) addStep(next, size);
      const end = expires ?? purge ?? null;
      if (end !== null && next?.action === "transition") addStep(asStep(end, state, options.now), size);
    },
    addMarker(end) {
      if (end !== null) addStep({ ...end, action: "clean", to: null, pending: end.date <= options.now }, 0);
    },
    classes: () =>
      [...classes.values()]
        .map((total) => ({
          ...total,
          monthlyUsd: options.isPriced ? monthlyCost(total.storageClass, total.bytes) : null,
        }))
        .toSorted(
          (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || compare(a.storageClass, b.storageClass),
        ),
    upcoming: () =>
      [...upcoming.values()].toSorted(
        (a, b) =>
          Number(b.pending) - Number(a.pending) || a.date.getTime() - b.date.getTime() || compare(a.rule, b.rule),
      ),
    waiting: () =>
      [...classes.values()]
        .filter(({ state }) => state !== "live")
        .reduce((sum, total) => ({ count: sum.count + total.count, bytes: sum.bytes + total.bytes }), {
          count: 0,
          bytes: 0,
        }),
    unknown: () => unknown,
  };
}

type Step = Omit<Upcoming, keyof Amount>;

/** Grows in place: of millions of attachments each copy would be garbage. */
type Counted<T> = { -readonly [Member in keyof T]: T[Member] };

function count(amount: Counted<Amount>, bytes: number): void {
  amount.count += 1;
  amount.bytes += bytes;
}

const STATES: readonly Watched["state"][] = ["live", "deleted", "older"];

function asStep(end: Dated, state: Watched["state"], now: Date): NextStep {
  return { ...end, action: state === "live" ? "expire" : "purge", to: null, pending: end.date <= now };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
