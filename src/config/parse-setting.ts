/** From the text of a setting to its value, as the table says. */
import path from "node:path";
import { isTaskflowError } from "../errors.ts";
import { parseLocation, type Location } from "../storage/location.ts";
import { expandHome } from "./look-upward.ts";
import { parseUrl } from "./parse-url.ts";
import {
  bad,
  escapeControls,
  good,
  parseBoolean,
  parseDuration,
  parseInteger,
  parseList,
  parseSize,
  parseString,
  type Parsed,
} from "./parse-values.ts";
import { setting, type Setting, type SettingName, type SettingValue, type ValueOfType } from "./settings.ts";

/** What paths are relative to. */
export interface Surroundings {
  /** `null` where a relative path would mean another file from every folder: it is refused. */
  readonly folder: string | null;
  /** For a leading `~/`. */
  readonly home: string | null;
}

type Parsers = { readonly [T in keyof ValueOfType]: (text: string, around: Surroundings) => Parsed<ValueOfType[T]> };

const PARSERS: Parsers = {
  string: parseString,
  boolean: parseBoolean,
  size: parseSize,
  duration: parseDuration,
  integer: parseInteger(),
  list: parseList,
  url: parseUrl,
  path: parsePath,
  store: parseStore,
  bucket: parseBucket,
};

/** The value of a setting's text; never throws, and no reason repeats the text of a secret. */
export function parseSetting<N extends SettingName>(
  name: N,
  text: string,
  around: Surroundings,
): Parsed<SettingValue<N>> {
  const { type, pattern } = setting(name);
  const parsed = PARSERS[type](text, around);
  if (!parsed.ok) return parsed;
  const problem = mismatch(parsed.value, pattern);
  // The table ties N to its type; TypeScript does not follow it through PARSERS[type].
  return problem === null ? good(parsed.value as SettingValue<N>) : bad(problem);
}

function mismatch(value: ValueOfType[keyof ValueOfType], pattern: Setting["pattern"]): string | null {
  if (pattern === null) return null;
  const texts = typeof value === "string" ? [value] : Array.isArray(value) ? value : [];
  return texts.every((text) => pattern.matches.test(text)) ? null : pattern.says;
}

function parsePath(text: string, { folder, home }: Surroundings): Parsed<string> {
  const plain = parseString(text);
  if (!plain.ok) return plain;
  const file = expandHome(text, home);
  if (path.isAbsolute(file)) return good(path.normalize(file));
  return folder === null ? bad("a relative path", "write it from / or ~/") : good(path.resolve(folder, file));
}

export function parseStore(text: string, around: Surroundings): Parsed<Location> {
  const location = parseLocationText(expandHome(text, around.home));
  if (!location.ok || location.value.kind !== "folder") return location;
  const folder = parsePath(location.value.path, around);
  return folder.ok ? good({ kind: "folder", path: folder.value }) : folder;
}

/** A bucket's name has one grammar, whichever way it is given. */
function parseBucket(text: string): Parsed<string> {
  if (/[/:\s]/.test(text)) return bad("not the name of a bucket", "write the name alone, without s3:// or a prefix");
  const location = parseLocationText(`s3://${text}`);
  if (!location.ok) return location;
  return location.value.kind === "s3" ? good(location.value.bucket) : bad("not the name of a bucket");
}

function parseLocationText(text: string): Parsed<Location> {
  try {
    return good(parseLocation(text));
  } catch (error) {
    if (isTaskflowError(error) && error.code === "usage") return bad(escapeControls(error.message), error.hint);
    throw error;
  }
}
