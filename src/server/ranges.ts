/** The Range header (RFC 9110, section 14.2): one range of bytes, or as if it weren't there. */

export interface ByteRange {
  /** From 0. */
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * The range that is asked for; `null`: all of it, because nothing or nonsense is asked, or several ranges, which cost
 * more than they are worth (CVE-2026-33658); `unsatisfiable`: 416.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/i.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") {
    const count = Number(last);
    return count === 0 || size === 0 ? "unsatisfiable" : { start: Math.max(0, size - count), end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? Infinity : Number(last);
  if (end < start) return null;
  return start >= size ? "unsatisfiable" : { start, end: Math.min(end, size - 1) };
}
