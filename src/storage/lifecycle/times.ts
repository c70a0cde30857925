/** When a rule acts: its days and dates, each by itself and beside the others. */
import { Wrong, checkMembers, list, object, oneOf, optional, whole } from "./shape.ts";
import type { LifecycleRule } from "./rules.ts";

/** Where a rule can move objects to (API reference, Transition). */
const CLASSES = ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"] as const;
/** S3 keeps an object so long before it goes to one of these, and in one of these before it goes to an archive. */
const LEAST_DAYS = 30;
const INFREQUENT: ReadonlySet<string> = new Set(["STANDARD_IA", "ONEZONE_IA"]);
const ARCHIVES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);
const MOST_SPARED = 100;

type Members = Readonly<Record<string, unknown>>;

/** Throws what is wrong. */
export function checkTimes(rule: LifecycleRule, at: string): void {
  optional(rule.Expiration, (value) => checkExpiration(object(value, `${at}.Expiration`), `${at}.Expiration`));
  optional(rule.Transitions, (value) => checkTransitions(value, `${at}.Transitions`, "Days"));
  optional(rule.NoncurrentVersionTransitions, (value) =>
    checkTransitions(value, `${at}.NoncurrentVersionTransitions`, "NoncurrentDays"),
  );
  optional(rule.NoncurrentVersionExpiration, (value) => {
    const where = `${at}.NoncurrentVersionExpiration`;
    const end = object(value, where);
    checkMembers(end, where, ["NoncurrentDays", "NewerNoncurrentVersions"]);
    whole(end["NoncurrentDays"], `${where}.NoncurrentDays`, 1);
    checkSpared(end, where);
  });
  optional(rule.AbortIncompleteMultipartUpload, (value) => {
    const where = `${at}.AbortIncompleteMultipartUpload`;
    const abort = object(value, where);
    checkMembers(abort, where, ["DaysAfterInitiation"]);
    whole(abort["DaysAfterInitiation"], `${where}.DaysAfterInitiation`, 1);
  });
  checkOneKind(rule, at);
  checkEnd(rule.Transitions?.map(({ Days }) => Days) ?? [], rule.Expiration?.Days, `${at}.Expiration.Days`);
  checkEnd(
    rule.NoncurrentVersionTransitions?.map(({ NoncurrentDays }) => NoncurrentDays) ?? [],
    rule.NoncurrentVersionExpiration?.NoncurrentDays,
    `${at}.NoncurrentVersionExpiration.NoncurrentDays`,
  );
  checkSparedFilter(rule, at);
}

function checkExpiration(expiration: Members, at: string): void {
  checkMembers(expiration, at, ["Days", "Date", "ExpiredObjectDeleteMarker"]);
  exactlyOne(expiration, at, ["Days", "Date", "ExpiredObjectDeleteMarker"]);
  optional(expiration["Days"], (days) => whole(days, `${at}.Days`, 1));
  optional(expiration["Date"], (date) => checkDate(date, `${at}.Date`));
  optional(expiration["ExpiredObjectDeleteMarker"], (flag) => {
    if (typeof flag !== "boolean") throw new Wrong(`${at}.ExpiredObjectDeleteMarker is neither true nor false`);
  });
}

interface Timed {
  readonly days: number | null;
  readonly to: string;
}

function checkTransitions(value: unknown, at: string, daysName: "Days" | "NoncurrentDays"): void {
  const timed: Timed[] = [];
  for (const [n, each] of list(value, at).entries()) {
    const where = `${at}[${n}]`;
    const transition = object(each, where);
    const noncurrent = daysName === "NoncurrentDays";
    const when = noncurrent ? ["NoncurrentDays"] : ["Days", "Date"];
    checkMembers(transition, where, [...when, "StorageClass", ...(noncurrent ? ["NewerNoncurrentVersions"] : [])]);
    exactlyOne(transition, where, when);
    const to = oneOf(transition["StorageClass"], `${where}.StorageClass`, CLASSES);
    if (timed.some((other) => other.to === to)) throw new Wrong(`${at} moves to ${to} twice`);
    const least = INFREQUENT.has(to) ? LEAST_DAYS : 0;
    optional(transition["Date"], (date) => checkDate(date, `${where}.Date`));
    checkSpared(transition, where);
    const days = transition[daysName];
    timed.push({ to, days: days === undefined ? null : whole(days, `${where}.${daysName}`, least) });
  }
  for (const { to, days } of timed) {
    const before = timed.find((other) => INFREQUENT.has(other.to) && other.days !== null);
    if (!ARCHIVES.has(to) || days === null || before?.days === undefined || before.days === null) continue;
    if (days >= before.days + LEAST_DAYS) continue;
    throw new Wrong(`${at} moves to ${to} after ${days} days: S3 wants ${LEAST_DAYS} days between ${before.to} and it`);
  }
}

/** Days in one place and a date in another of the same rule are refused. */
function checkOneKind({ Expiration: end, Transitions: transitions = [] }: LifecycleRule, at: string): void {
  const parts = [...transitions, ...(end === undefined ? [] : [end])];
  if (parts.some(({ Days }) => Days !== undefined) && parts.some(({ Date: date }) => date !== undefined)) {
    throw new Wrong(`${at} has both days and dates: S3 wants one kind in a rule`);
  }
}

function checkEnd(moves: readonly (number | undefined)[], end: number | undefined, at: string): void {
  const last = Math.max(...moves.map((days) => days ?? -1), -1);
  if (end === undefined || end > last) return;
  throw new Wrong(`${at} is ${end}, and the last transition is after ${last}: the end must come later`);
}

function checkSpared(part: Members, at: string): void {
  optional(part["NewerNoncurrentVersions"], (many) => whole(many, `${at}.NewerNoncurrentVersions`, 1, MOST_SPARED));
}

/** S3's own words: an InvalidRequest without a Filter. */
function checkSparedFilter(rule: LifecycleRule, at: string): void {
  const parts = [...(rule.NoncurrentVersionTransitions ?? []), rule.NoncurrentVersionExpiration ?? {}];
  const spares = parts.some(({ NewerNoncurrentVersions }) => NewerNoncurrentVersions !== undefined);
  if (spares && rule.Filter === undefined) throw new Wrong(`${at} has NewerNoncurrentVersions, which needs a Filter`);
}

function exactlyOne(part: Members, at: string, names: readonly string[]): void {
  const given = names.filter((name) => part[name] !== undefined);
  if (given.length === 0) throw new Wrong(`${at} needs ${names.join(" or ")}`);
  if (given.length > 1) throw new Wrong(`${at} has both ${given.join(" and ")}`);
}

function checkDate(value: unknown, at: string): void {
  const date = new Date(typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value) ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new Wrong(`${at} is not an ISO 8601 date: ${JSON.stringify(value)}`);
  if (date.getTime() % 86_400_000 !== 0) throw new Wrong(`${at} is not at midnight UTC: ${JSON.stringify(value)}`);
}
