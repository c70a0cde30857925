/** The name rule: how a file's true name becomes the `<name>` of a key. */
import { TaskflowError } from "../errors.ts";

/** The most bytes of UTF-8 that a name takes in a key: with a UUID before it, it fits every file system's 255. */
export const MAX_NAME_BYTES = 200;

/**
 * The ONE gate through which a name gets into a key: NFC; what is unsafe in a path, on Windows, in XML or on a terminal
 * becomes `_`; at most 200 bytes, extension kept. Nothing is dropped, so two names differ in length before they clash.
 *
 * The result has no separator, is neither `.` nor `..`, is no Windows device, and is its own cleaned name.
 *
 * @throws `usage` for a name that stands for no file: empty, `.`, `..`, or with a NUL in it.
 */
export function cleanName(trueName: string): string {
  const reason = refusal(trueName);
  if (reason !== null) {
    throw new TaskflowError("usage", `invalid file name ${JSON.stringify(trueName)}: ${reason}`, {
      hint: "give the attachment a name with --name",
    });
  }
  return safeName(trueName);
}

/** As `cleanName`, for names that are already in a store, whoever put them there: never throws, never empty. */
export function safeName(name: string): string {
  let result = name.normalize("NFC").replace(UNSAFE, "_");
  if (isWindowsDevice(result)) result = `_${result}`;
  result = cutName(result.replace(LEADING, underscores).replace(TRAILING, underscores), MAX_NAME_BYTES);
  // Cutting the middle out of a name can make a device of it: `CON<many spaces>x.txt`.
  if (isWindowsDevice(result)) result = `_${cutName(result, MAX_NAME_BYTES - 1)}`;
  return result === "" ? "_" : result;
}

/**
 * Whether Windows takes a name for a device, whatever its extension and case
 * (Microsoft Learn: Naming Files, Paths, and Namespaces; spaces before the dot are ignored too).
 */
export function isWindowsDevice(name: string): boolean {
  return WINDOWS_DEVICE.test(name);
}

/**
 * Characters that are not seen but change what is seen or meant, as the inside of a RegExp class: C0, DEL, C1, soft
 * hyphen, fillers, zero-width and bidi marks, line separators, tags. Not the variation selectors: they belong to emoji
 * and to the spelling of names. A list of its own, since Unicode's properties grow and keys are for ever.
 */
export const INVISIBLE =
  "\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f" +
  "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e007f}";

// U+FFF0 to U+FFFF holds U+FFFD, interlinear marks, and what XML (so an S3 listing) can't carry.
const UNSAFE = new RegExp(`[${INVISIBLE}\\p{Surrogate}\\ufff0-\\uffff/\\\\<>:"|?*]`, "gu");
const LEADING = /^[. -]+/;
const TRAILING = /[. ]+$/;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i;

/** A longer last part than this is not an extension that anyone would miss. */
const MAX_EXTENSION_BYTES = 24;
const EXTENSION = /(?:\.tar)?\.[^. ]+$/;

function refusal(name: string): string | null {
  if (name === "") return "it is empty";
  if (name === "." || name === "..") return "it names a folder";
  return name.includes("\0") ? "it has a NUL byte in it" : null;
}

/** Cuts the middle out, before the extension, at a code point. */
function cutName(name: string, limit: number): string {
  if (Buffer.byteLength(name) <= limit) return name;
  const found = EXTENSION.exec(name)?.[0] ?? "";
  const extension = Buffer.byteLength(found) <= MAX_EXTENSION_BYTES ? found : "";
  let left = limit - Buffer.byteLength(extension);
  let end = 0;
  for (const character of name) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    end += character.length;
  }
  return (name.slice(0, end) + extension).replace(TRAILING, underscores);
}

function underscores(run: string): string {
  return "_".repeat(run.length);
}
