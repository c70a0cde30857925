/** When S3 acts, from what a rule says (S3 User Guide, "Lifecycle configuration elements"). */

const DAY_MS = 86_400_000;

/**
 * So many days after `since`, rounded to the next midnight UTC: 15 January 10:30 and 3 days are 19 January 00:00. S3
 * itself acts then or later, by hours or days.
 */
export function dueAfter(since: Date, days: number): Date {
  return new Date(Math.min(NEVER_MS, (Math.floor(since.getTime() / DAY_MS + days) + 1) * DAY_MS));
}

/** S3 takes five million years; that is written as the last day that four digits have. */
const NEVER_MS = Date.UTC(9999, 11, 31);

/** On a date; what is written after it is due at once, for as long as the rule is there. */
export function dueOn(date: string, since: Date): Date {
  return new Date(Math.max(Date.parse(date), since.getTime()));
}
