/** What a person adds to an attachment: `--meta k=v`, kept with it for ever, and `--tag k=v`, S3's tags. */
import { TaskflowError } from "../errors.ts";

/** S3 User Guide, "Categorizing your objects using tags". */
export const MAX_TAGS = 10;

/**
 * One `--meta`, as written: the value is any text after the first `=`, empty too.
 *
 * @throws `usage` as `checkMeta`.
 */
export function parseMeta(text: string): readonly [key: string, value: string] {
  return checkMetaPair(split(text, "--meta"));
}

/** All `--meta` of a command. @throws `usage` as `checkMeta`. */
export function parseMetas(texts: readonly string[]): Record<string, string> {
  return collect(texts.map(parseMeta), "meta");
}

/**
 * Metadata with its keys in lower case, as S3 and HTTP would have them. Values are any text; how much of it fits is
 * `checkMetadata`'s to say.
 *
 * @throws `usage` for a key that is not 1 to 64 of `a-z 0-9 . _ -` beginning with a letter or digit, or is there twice.
 */
export function checkMeta(meta: Readonly<Record<string, string>>): Record<string, string> {
  return collect(Object.entries(meta).map(checkMetaPair), "meta");
}

/** One `--tag`, as written. @throws `usage` as `checkTags`. */
export function parseTag(text: string): readonly [key: string, value: string] {
  return checkTagPair(split(text, "--tag"));
}

/** All `--tag` of a command. @throws `usage` as `checkTags`, and for a key given twice. */
export function parseTags(texts: readonly string[]): Record<string, string> {
  return checkTags(collect(texts.map(parseTag), "tag"));
}

/**
 * Tags by S3's rules: at most ten; keys of 1 to 128 and values of at most 256 UTF-16 units, of letters, digits, spaces
 * and `+ - = . _ : / @`; no key begins with `aws:` (the pattern is that of S3Tag in the S3 API Reference).
 *
 * @throws `usage`.
 */
export function checkTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = Object.entries(tags).map(checkTagPair);
  if (pairs.length <= MAX_TAGS) return Object.fromEntries(pairs);
  throw new TaskflowError("usage", `${pairs.length} tags given, S3 takes ${MAX_TAGS} an object`);
}

type Pair = readonly [key: string, value: string];

const META_KEY = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const META_GRAMMAR = "1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit";
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

function checkMetaPair([given, value]: Pair): Pair {
  const key = given.toLowerCase();
  if (META_KEY.test(key)) return [key, value];
  throw new TaskflowError("usage", `meta ${JSON.stringify(given)}: the key must be ${META_GRAMMAR}`);
}

function checkTagPair([key, value]: Pair): Pair {
  const refuse = (reason: string) => new TaskflowError("usage", `tag ${JSON.stringify(key)}: ${reason}`);
  if (key === "") throw refuse("the key is empty");
  if (key.length > 128) throw refuse(`the key has ${key.length} characters, S3 takes 128`);
  if (value.length > 256) throw refuse(`the value has ${value.length} characters, S3 takes 256`);
  if (!TAG_TEXT.test(key) || !TAG_TEXT.test(value))
    throw refuse("S3 takes letters, digits, spaces and + - = . _ : / @");
  if (/^aws:/i.test(key)) throw refuse("keys that begin with aws: are reserved");
  return [key, value];
}

function split(text: string, option: string): Pair {
  const equals = text.indexOf("=");
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new TaskflowError("usage", `${option} ${JSON.stringify(text)}: expected KEY=VALUE`);
}

function collect(pairs: readonly Pair[], kind: string): Record<string, string> {
  const seen = new Set<string>();
  for (const [key] of pairs) {
    if (seen.has(key)) throw new TaskflowError("usage", `${kind} ${JSON.stringify(key)} is given twice`);
    seen.add(key);
  }
  return Object.fromEntries(pairs);
}
