/**
 * Globs over names, for `--name GLOB`.
 *
 * Our own, since names are not paths and no library fits: `path.matchesGlob` is experimental; picomatch and minimatch
 * compile to regular expressions that have backtracked exponentially (CVE-2026-33671), hide leading dots, and read
 * braces and extended globs that we don't promise.
 */
import { TaskflowError } from "../errors.ts";

/**
 * A test for names: `*` any characters, `?` one, `[a-z]` one of, `[!a-z]` one but, `\` takes the next as it is. All of
 * the name must match; case counts; both sides are taken in NFC. Time is at most length of name × length of glob.
 *
 * @throws `usage` for an empty glob, an open `[`, a backward range or a `\` at the end.
 */
export function compileGlob(glob: string): (name: string) => boolean {
  const tokens = parseGlob(Array.from(glob.normalize("NFC")), glob);
  return (name) => matches(tokens, Array.from(name.normalize("NFC")));
}

type Token = typeof STAR | ((character: string) => boolean);

const STAR = "*";
const ANY = () => true;

function parseGlob(characters: readonly string[], glob: string): readonly Token[] {
  if (characters.length === 0) throw invalid(glob, "it is empty");
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    if (character === "*") {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else if (character === "?") {
      tokens.push(ANY);
    } else if (character === "[") {
      const set = parseSet(characters, at + 1, glob);
      tokens.push(set.test);
      at = set.end;
    } else if (character === "\\") {
      at += 1;
      tokens.push(literal(characters[at], glob));
    } else {
      tokens.push(literal(character, glob));
    }
  }
  return tokens;
}

function literal(wanted: string | undefined, glob: string): Token {
  if (wanted === undefined) throw invalid(glob, "it ends with a backslash");
  return (character) => character === wanted;
}

/** The set that begins after `[`, and where its `]` is. A `]` at the beginning stands for itself, as in a shell. */
function parseSet(characters: readonly string[], start: number, glob: string): { test: Token; end: number } {
  const isNegated = characters[start] === "!" || characters[start] === "^";
  const first = isNegated ? start + 1 : start;
  const ranges: [number, number][] = [];
  let at = first;
  const next = (): number => {
    if (characters[at] === "\\") at += 1;
    const code = characters[at]?.codePointAt(0);
    if (code === undefined) throw invalid(glob, "a [ is not closed");
    at += 1;
    return code;
  };
  while (characters[at] !== "]" || at === first) {
    const low = next();
    const isRange = characters[at] === "-" && characters[at + 1] !== "]";
    if (isRange) at += 1;
    const high = isRange ? next() : low;
    if (high < low) throw invalid(glob, "a range in [ ] runs backward");
    ranges.push([low, high]);
  }
  const test = (character: string): boolean => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= code && code <= high) !== isNegated;
  };
  return { test, end: at };
}

/** Goes back only to the last star: earlier ones have taken the least they can, and more would help nothing. */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let afterStar = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current === STAR) {
      star = token;
      afterStar = at;
      token += 1;
    } else if (current !== undefined && current(name[at] ?? "")) {
      token += 1;
      at += 1;
    } else if (star !== -1) {
      token = star + 1;
      afterStar += 1;
      at = afterStar;
    } else {
      return false;
    }
  }
  while (tokens[token] === STAR) token += 1;
  return token === tokens.length;
}

function invalid(glob: string, reason: string): TaskflowError {
  return new TaskflowError("usage", `invalid glob ${JSON.stringify(glob)}: ${reason}`, {
    hint: "* is any characters, ? one, [a-z] one of, [!a-z] one but; \\ takes the next as it is",
  });
}
