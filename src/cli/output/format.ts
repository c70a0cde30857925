/** Numbers and times as people read them. Units of size are 1,024s throughout, as in the options. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `0 B`, `1.8 MiB`: at most one decimal, none for bytes. */
export function formatSize(bytes: number): string {
  const unit = unitOf(bytes);
  return `${inUnit(bytes, unit)} ${UNITS[unit] ?? ""}`;
}

/** `31.2 of 40.0 GiB`: both in the unit of the whole. */
export function formatShare(bytes: number, whole: number): string {
  return `${inUnit(bytes, unitOf(whole))} of ${formatSize(whole)}`;
}

function unitOf(bytes: number): number {
  let unit = 0;
  // 1023.95 would round up to 1024.0.
  while (bytes / 1024 ** unit >= 1023.95 && unit < UNITS.length - 1) unit += 1;
  return unit;
}

function inUnit(bytes: number, unit: number): string {
  return unit === 0 ? String(bytes) : (bytes / 1024 ** unit).toFixed(1);
}

/** `1 file`, `3 files`, `2,000 entries`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${groupDigits(number)} ${number === 1 ? singular : plural}`;
}

/** `2,000`. Not by toLocaleString: loading Intl takes longer than the rest of a `--help`. */
export function groupDigits(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** UTC to the millisecond, exactly as toISOString, which takes four times as long: a listing has many of one day. */
export function formatUtc(date: Date): string {
  const time = date.getTime();
  const day = Math.floor(time / DAY_MS);
  if (day !== lastDay.day) lastDay = { day, text: new Date(day * DAY_MS).toISOString().slice(0, -TIME_LENGTH) };
  const ms = time - day * DAY_MS;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.floor(ms / 1000) % 60;
  return `${lastDay.text}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds)}.${three(ms % 1000)}Z`;
}

const DAY_MS = 86_400_000;
const TIME_LENGTH = "00:00:00.000Z".length;
let lastDay: { readonly day: number; readonly text: string } = { day: Number.NaN, text: "" };

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function three(value: number): string {
  return value < 100 ? `0${two(value)}` : String(value);
}

/** Local time to the minute, for tables: `2026-11-23 21:10`. */
export function formatLocalTime(date: Date): string {
  return `${formatLocalDay(date)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `2026-11-23`, where that is what the calendar on the wall says. */
export function formatLocalDay(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** Local time of the last days, within a sentence: `22 Nov 21:10`. */
export function formatDayTime(date: Date): string {
  return `${date.getDate()} ${MONTHS[date.getMonth()] ?? ""} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `5s`, `3m 20s`, `2h 5m`, `4d 1h`: two units at most. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor((whole % 86_400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "m"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return "0s";
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value}${unit}`)
    .join(" ");
}

/** A word as a POSIX shell takes it unchanged: quoted only where it must be. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
