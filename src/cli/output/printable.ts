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
  return text.replace(HIDDEN_OR_BACKSLASH, escape);
}

const HIDDEN = new RegExp(`[${INVISIBLE}\\p{Surrogate}\\ufff9-\\ufffb]`, "gu");
const HIDDEN_OR_BACKSLASH = new RegExp(`[\\\\${INVISIBLE}\\p{Surrogate}\\ufff9-\\ufffb]`, "gu");

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}
