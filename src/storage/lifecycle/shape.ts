/** Looks at values of JSON, whose failures are sentences: `Rules[0].Status is missing`. */

/** What is wrong with a configuration. */
export class Wrong extends Error {}

type Members = Readonly<Record<string, unknown>>;

export function object(value: unknown, at: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw notA("an object", value, at);
  return value as Members;
}

/** A misspelt member would be a rule that does something else. */
export function checkMembers(value: Members, at: string, known: readonly string[]): void {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Wrong(`${at} has ${JSON.stringify(unknown)}, which S3 doesn't know: it knows ${known.join(", ")}`);
  }
}

export function list(value: unknown, at: string, most = Infinity): readonly unknown[] {
  if (!Array.isArray(value)) throw notA("a list", value, at);
  if (value.length > most) throw new Wrong(`${at} has ${value.length} entries, at most ${most} are possible`);
  return value;
}

export function text(value: unknown, at: string, longest = 1024): string {
  if (typeof value !== "string") throw notA("a text", value, at);
  if (value.length > longest) throw new Wrong(`${at} is longer than ${longest} characters`);
  return value;
}

/** Of every number in S3's configuration but sizes. */
const MOST = 2_147_483_647;

/** A whole number within these, both included. */
export function whole(value: unknown, at: string, least: number, most: number = MOST): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw notA("a whole number", value, at);
  if (value < least) throw new Wrong(`${at} is ${value}, at least ${least} is needed`);
  if (value > most) throw new Wrong(`${at} is ${value}, at most ${most} is possible`);
  return value;
}

export function oneOf(value: unknown, at: string, words: readonly string[]): string {
  if (typeof value === "string" && words.includes(value)) return value;
  throw notA(`one of ${words.join(", ")}`, value, at);
}

/** Where it is there at all. */
export function optional(value: unknown, look: (value: unknown) => void): void {
  if (value !== undefined) look(value);
}

function notA(what: string, value: unknown, at: string): Wrong {
  if (value === undefined) return new Wrong(`${at} is missing`);
  const shown = JSON.stringify(value);
  return new Wrong(`${at} is not ${what}: ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}`);
}
