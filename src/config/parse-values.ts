/**
 * The grammars of values, shared by settings and options. A parser never throws: it answers with the value or with a
 * plain reason, and `valueOf` makes the error, which names the option or variable and where it was set.
 */
import { TaskflowError } from "../errors.ts";

export type Parsed<T> = { readonly ok: true; readonly value: T } | Rejected;

export interface Rejected {
  readonly ok: false;
  readonly reason: string;
  /** How to write it; `null`: see the help. */
  readonly hint: string | null;
}

export type Parser<T> = (text: string) => Parsed<T>;

/** Where a text was given, for the message. */
export interface Given {
  /** The option or variable: `--expires`, `USE_S3`. */
  readonly name: string;
  /** `null` for an option: the command line is in front of the reader. Else "/abs/.env line 2". */
  readonly place: string | null;
  /** The value does not appear in the message. */
  readonly secret: boolean;
}

/**
 * The value. A text that is none is `usage` where it came from an option, `bad_config` from anywhere else:
 * "USE_S3=flase in /abs/.env line 2: neither true nor false".
 */
export function valueOf<T>(text: string, parse: Parser<T>, given: Given): T {
  const parsed = parse(text);
  if (parsed.ok) return parsed.value;
  const subject = given.secret ? given.name : `${given.name}=${printable(text)}`;
  const message = `${subject}${given.place === null ? "" : ` in ${given.place}`}: ${parsed.reason}`;
  const hint = parsed.hint === null ? {} : { hint: parsed.hint };
  throw new TaskflowError(given.place === null ? "usage" : "bad_config", message, hint);
}

/** `valueOf` for an option of the command line: `optionValue("--expires", "15m", parseDuration)`. */
export function optionValue<T>(flag: string, text: string, parse: Parser<T>): T {
  return valueOf(text, parse, { name: flag, place: null, secret: false });
}

/** One short line that is safe to show: control characters escaped, the user and password of a URL hidden. */
export function printable(text: string): string {
  const shown = escapeControls(text).replace(/\/\/[^/]*@/g, "//[hidden]@");
  return shown.length > 100 ? `${shown.slice(0, 100)}…` : shown;
}

/** The text with what could steer a terminal, or hide from a reader, spelled out. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Any text without control characters. */
export function parseString(text: string): Parsed<string> {
  if (text === "") return bad("empty");
  return /\p{Cc}/u.test(text) ? bad("holds a control character") : good(text);
}

/** `true/1/yes/on` or `false/0/no/off`, in any case. */
export function parseBoolean(text: string): Parsed<boolean> {
  const lower = text.toLowerCase();
  if (["true", "1", "yes", "on"].includes(lower)) return good(true);
  if (["false", "0", "no", "off"].includes(lower)) return good(false);
  return bad("neither true nor false", "write true, 1, yes or on; or false, 0, no or off");
}

const SIZE_UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** `[1-9][0-9]*[KMG]?`, in any case, in bytes; K, M and G are 1,024s. */
export function parseSize(text: string): Parsed<number> {
  const [, digits, unit = ""] = /^([1-9][0-9]*)([KMG]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (SIZE_UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (Number.isNaN(bytes)) return bad("not a size", "write bytes, or 512K, 20M, 5G (K, M, G are 1,024s)");
  return Number.isSafeInteger(bytes) ? good(bytes) : bad("too large a size");
}

const DURATION_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `[1-9][0-9]*(s|m|h|d)?`, in seconds, which is also the unit of a bare number. */
export function parseDuration(text: string): Parsed<number> {
  const [, digits, unit = "s"] = /^([1-9][0-9]*)([smhd]?)$/.exec(text) ?? [];
  const seconds = Number(digits) * (DURATION_UNITS[unit === "" ? "s" : unit] ?? Number.NaN);
  if (Number.isNaN(seconds)) return bad("not a duration", "write seconds, or 90s, 15m, 2h, 7d");
  return Number.isSafeInteger(seconds) ? good(seconds) : bad("too long a duration");
}

/** A parser of decimal whole numbers in a range, its ends included. */
export function parseInteger(min = 0, max = Number.MAX_SAFE_INTEGER): Parser<number> {
  return (text) => {
    if (!/^(?:0|-?[1-9][0-9]*)$/.test(text)) return bad("not a whole number");
    const value = Number(text);
    if (value >= min && value <= max) return good(value);
    return bad(max === Number.MAX_SAFE_INTEGER ? `less than ${min}, or too large` : `not from ${min} to ${max}`);
  };
}

/** Entries between commas, trimmed; an empty entry is an error rather than dropped. */
export function parseList(text: string): Parsed<readonly string[]> {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.includes("")) return bad("holds an empty entry", "write the entries with one comma between them");
  return entries.some((entry) => !parseString(entry).ok) ? bad("holds a control character") : good(entries);
}

/**
 * `--since`: a day (`2026-11-01`, from 00:00 UTC, as all times here are printed in UTC), a time with its zone
 * (`2026-11-01T14:00:00Z`, `…+01:00`), or a duration, meaning that long before `now`.
 */
export function parseSince(now: Date): Parser<Date> {
  return (text) => {
    if (/^[0-9]{1,4}-/.test(text)) return parseDate(text, SINCE_HINT);
    const age = parseDuration(text);
    if (!age.ok) return bad(age.reason === "not a duration" ? "neither a date nor an age" : age.reason, SINCE_HINT);
    const since = new Date(now.getTime() - age.value * 1000);
    return Number.isNaN(since.getTime()) ? bad("too long ago", SINCE_HINT) : good(since);
  };
}

/** An ISO 8601 day, or time with its zone. */
export function parseDate(text: string, hint = DATE_HINT): Parsed<Date> {
  const match = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)([Zz]|[+-]\d\d:?\d\d)?)?$/.exec(text);
  const [, day, time, zone] = match ?? [];
  if (day === undefined) return bad("not an ISO 8601 date", hint);
  if (time !== undefined && zone === undefined) return bad("a time without its zone", `write ${text}Z for UTC`);
  const offset = zone === undefined || /^z$/i.test(zone) ? "Z" : zone.replace(/^(...):?/, "$1:");
  // JavaScript takes 30 February for 2 March.
  const midnight = new Date(`${day}T00:00:00Z`);
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  const date = new Date(`${day}T${(time ?? "00:00").replace(",", ".")}${offset}`);
  return exists && !Number.isNaN(date.getTime()) ? good(date) : bad("no such date or time", hint);
}

const DATE_HINT = "write 2026-11-01 or 2026-11-01T14:00:00Z";
const SINCE_HINT = "write 2026-11-01, 2026-11-01T14:00:00Z, or an age such as 2h or 7d";

/** The answer of a parser that took the text. */
export function good<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The answer of a parser that did not. */
export function bad(reason: string, hint: string | null = null): Rejected {
  return { ok: false, reason, hint };
}
