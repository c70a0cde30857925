/**
 * `.env`: the settings of a project, beside its files. Because a stranger's checkout or a shared folder may hold one,
 * it is read only where nobody else can have written it, and only for variables that are ours or AWS's.
 */
import path from "node:path";
import { parseEnv } from "node:util";
import { foldersUpward, statOrNull } from "./look-upward.ts";
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

/** A line that is no comment, and has a name of ours in it: what other programs read in forms of their own is not ours. */
const MEANT_FOR_US = /^\s*[^#\s].*(?:USE_S3|AWS_|TASKFLOW_)|^(?:USE_S3|AWS_|TASKFLOW_)/;

/**
 * The nearest `.env` of `foldersUpward`. One that is owned by another user or world-writable, that can't be read or is
 * larger than 64 KiB is left out with a warning, and none farther up takes its place. A folder of that name is none, with
 * a warning unless it is a Python environment. `uid` is `null` where files have no numeric owner; then only the content counts.
 */
export function readDotenv(cwd: string, home: string | null, uid: number | null): Dotenv {
  const warnings: string[] = [];
  for (const folder of foldersUpward(cwd, home)) {
    const file = path.join(folder, ".env");
    const found = readPrivateFile(file, uid);
    if (found === null) {
      if (isStrayFolder(file)) warnings.push(`${file} is a folder, so no settings are read from it`);
      continue;
    }
    if ("refused" in found) {
      return { path: null, variables: new Map(), warnings: [...warnings, found.refused], refused: found.refused };
    }
    const { variables, problems } = parseDotenv(found.text);
    warnings.push(...problems.map((problem) => `${file} ${problem}`));
    return { path: file, variables, warnings, refused: null };
  }
  return { path: null, variables: new Map(), warnings, refused: null };
}

/** Docker makes one where it is told to mount a file that isn't there. */
function isStrayFolder(file: string): boolean {
  return statOrNull(file)?.isDirectory() === true && statOrNull(path.join(file, "pyvenv.cfg")) === null;
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
  const unread: number[] = [];
  // A byte order mark counts as space in the expression below.
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const text = lines[index] ?? "";
    const [, name, assigned, rest = ""] = /^\s*(?:export\s+)?([\w.-]+)\s*(=?)\s*(.*)$/s.exec(text) ?? [];
    if (name === undefined || assigned === "") {
      if (name !== undefined && OURS.test(name)) {
        problems.push(`line ${line} is not NAME=VALUE, so ${name} is not read`);
      } else if (MEANT_FOR_US.test(text)) unread.push(line);
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
  if (unread.length > 0) problems.push(notRead(unread));
  return { variables, problems };
}

/** What it may be: it is not shown, for it may be the rest of a secret. */
function notRead(lines: readonly number[]): string {
  if (lines.length === 1) return `line ${lines.join()} is not NAME=VALUE, so it is not read`;
  const more = lines.length > SHOWN ? ` and ${lines.length - SHOWN} more` : "";
  return `lines ${lines.slice(0, SHOWN).join(", ")}${more} are not NAME=VALUE, so they are not read`;
}

const SHOWN = 3;

/** The lines after `index` that a quoted value goes on in; `null` where its quote is never closed. */
function linesToClosingQuote(rest: string, lines: readonly string[], index: number): readonly string[] | null {
  const quote = rest.charAt(0);
  if (!['"', "'", "`"].includes(quote) || rest.includes(quote, 1)) return [];
  const closing = lines.findIndex((line, at) => at > index && line.includes(quote));
  return closing === -1 ? null : lines.slice(index + 1, closing + 1);
}
