/**
 * `.env`: the settings of a project, beside its files. Because a stranger's checkout or a shared folder may hold one,
 * it is read only where nobody else can have written it, and only for variables that are ours or AWS's.
 */
import path from "node:path";
import { parseEnv } from "node:util";
import { foldersUpward } from "./look-upward.ts";
import { readPrivateFile } from "./read-private-file.ts";

export interface DotenvVariable {
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface Dotenv {
  /** Absolute; `null` where none is read. */
  readonly path: string | null;
  /** Only `USE_S3`, `AWS_*` and `TASKFLOW_*`. */
  readonly variables: ReadonlyMap<string, DotenvVariable>;
  /** What was found and not read, why, and the fix. */
  readonly warnings: readonly string[];
  /** The one of them that says that a whole file was left out. */
  readonly refused: string | null;
}

const OURS = /^(?:USE_S3$|AWS_|TASKFLOW_)/;

/**
 * The nearest `.env` of `foldersUpward`. One that is owned by another user or world-writable, that can't be read or is
 * larger than 64 KiB is left out with a warning, and none farther up takes its place. A folder of that name (a Python
 * environment) is none. `uid` is `null` where files have no numeric owner; then only the content counts.
 */
export function readDotenv(cwd: string, home: string | null, uid: number | null): Dotenv {
  for (const folder of foldersUpward(cwd, home)) {
    const file = path.join(folder, ".env");
    const found = readPrivateFile(file, uid);
    if (found === null) continue;
    if ("refused" in found) {
      return { path: null, variables: new Map(), warnings: [found.refused], refused: found.refused };
    }
    const { variables, problems } = parseDotenv(found.text);
    return { path: file, variables, warnings: problems.map((problem) => `${file} ${problem}`), refused: null };
  }
  return { path: null, variables: new Map(), warnings: [], refused: null };
}

/**
 * The variables of a `.env` text that are ours or AWS's, as `node --env-file` reads them: the last of two counts.
 * Each assignment is parsed by itself, because `parseEnv` gives no lines, and joins a line without `=` to the next.
 */
export function parseDotenv(text: string): {
  readonly variables: ReadonlyMap<string, DotenvVariable>;
  readonly problems: readonly string[];
} {
  const variables = new Map<string, DotenvVariable>();
  const problems: string[] = [];
  // A byte order mark counts as space in the expression below.
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const [, name, assigned, rest = ""] = /^\s*(?:export\s+)?([\w.-]+)\s*(=?)\s*(.*)$/s.exec(lines[index] ?? "") ?? [];
    if (name === undefined) continue;
    if (assigned === "") {
      if (OURS.test(name)) problems.push(`line ${line} is not NAME=VALUE, so ${name} is not read`);
      continue;
    }
    const more = linesToClosingQuote(rest, lines, index);
    if (more === null) {
      if (OURS.test(name)) problems.push(`line ${line}: the quote is not closed, so ${name} is not read`);
      continue;
    }
    index += more.length;
    const swallowed = more.find((next) => OURS.test(next.trimStart().replace(/^export\s+/, "")));
    if (swallowed !== undefined) problems.push(`line ${line}: its quote is closed only in line ${index + 1}`);
    if (!OURS.test(name)) continue;
    const value = parseEnv(`VALUE=${[rest, ...more].join("\n")}`)["VALUE"];
    if (value === undefined) problems.push(`line ${line}: ${name} can't be read`);
    else variables.set(name, { value, line });
  }
  return { variables, problems };
}

/** The lines after `index` that a quoted value goes on in; `null` where its quote is never closed. */
function linesToClosingQuote(rest: string, lines: readonly string[], index: number): readonly string[] | null {
  const quote = rest.charAt(0);
  if (!['"', "'", "`"].includes(quote) || rest.includes(quote, 1)) return [];
  const closing = lines.findIndex((line, at) => at > index && line.includes(quote));
  return closing === -1 ? null : lines.slice(index + 1, closing + 1);
}
