/** File names come from strangers: nothing of them reaches a terminal as anything but text. */
import { INVISIBLE } from "../../attachments/name.ts";

/**
 * A text for people: control characters, line ends, zero-width and bidi marks and lone surrogates in a visible form:
 * `\n`, `\t`, `\r`, `\x1b`, `\u202e`, `\u{e0001}`. Backslashes stay (paths of Windows have them), so this can't be read
 * back: programs read `tsvField` or JSON.
 */
export function printable(text: string): string {
  return text.replace(HIDDEN, escape);
}

/**
 * A field of a tab-separated line: as `printable`, with a backslash as `\\`, so that each text has one form and a
 * program can read it back. Tabs and line ends are never in it.
 */
export function tsvField(text: string): string {
  return PLAIN.test(text) ? text : text.replace(HIDDEN_OR_BACKSLASH, escape);
}

/** The text that `tsvField` made this field of; what it never writes stays as it is. */
export function readTsvField(field: string): string {
  return field.replace(ESCAPED, (written, short?: string, ...hexes: unknown[]) => {
    if (short !== undefined) return LONG[short] ?? written;
    const hex = hexes.find((text) => typeof text === "string");
    const code = hex === undefined ? Number.NaN : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : written;
  });
}

const HIDDEN = new RegExp(`[${INVISIBLE}\\p{Surrogate}\\ufff9-\\ufffb]`, "gu");
const HIDDEN_OR_BACKSLASH = new RegExp(`[\\\\${INVISIBLE}\\p{Surrogate}\\ufff9-\\ufffb]`, "gu");

/** Nothing to escape, as in most names; a look that costs half of a replacement of nothing. */
const PLAIN = /^[ -[\]-~]*$/;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

const LONG: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(SHORT).map(([character, written]) => [written.slice(1), character]),
);
const ESCAPED = /\\(?:([nrt\\])|x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\})/g;

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

/** Our own texts may have several lines; what follows the first is indented, so that no name can pass for another line. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n      ");
}
