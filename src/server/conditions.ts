/** Conditional requests (RFC 9110, section 13): what a client knows already, or wants unchanged. */
import type { IncomingHttpHeaders } from "node:http";

export interface Validators {
  /** With its quotes, and `W/` before them where it is weak. */
  readonly etag: string;
  readonly modifiedAt: Date;
}

/** What a GET or HEAD comes to, in the order of section 13.2.2: `412`, `304`, or `null` to go on. */
export function checkConditions(headers: IncomingHttpHeaders, validators: Validators): 304 | 412 | null {
  const ifMatch = headers["if-match"];
  const unmodifiedSince = timeOf(headers["if-unmodified-since"]);
  if (ifMatch !== undefined) {
    if (!listed(ifMatch, validators.etag, "strong")) return 412;
  } else if (unmodifiedSince !== null && secondsOf(validators.modifiedAt) > unmodifiedSince) return 412;
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined) return listed(ifNoneMatch, validators.etag, "weak") ? 304 : null;
  const modifiedSince = timeOf(headers["if-modified-since"]);
  return modifiedSince !== null && secondsOf(validators.modifiedAt) <= modifiedSince ? 304 : null;
}

/** Whether a Range counts: If-Range is absent, or is exactly this content's strong ETag. A date never is enough. */
export function rangeCounts(headers: IncomingHttpHeaders, { etag }: Validators): boolean {
  const ifRange = headers["if-range"];
  return ifRange === undefined || (!etag.startsWith("W/") && ifRange === etag);
}

const ETAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

function listed(header: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (header.trim() === "*") return true;
  const strip = (one: string): string => one.replace(/^W\//, "");
  const given: readonly string[] = header.match(ETAG) ?? [];
  return comparison === "weak"
    ? given.some((one) => strip(one) === strip(etag))
    : !etag.startsWith("W/") && given.includes(etag);
}

/** Whole seconds, as HTTP has them; `null` for what is no date, which is then ignored. */
function timeOf(header: string | undefined): number | null {
  const time = header === undefined || !HTTP_DATE.test(header) ? Number.NaN : Date.parse(header);
  return Number.isNaN(time) ? null : time / 1000;
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
