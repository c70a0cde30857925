/** What an ITEM of the command line stands for among a task's attachments. */
import { TaskflowError } from "../errors.ts";
import { safeName } from "./name.ts";

/** What an item is matched against; `parseKey` and a listing give it. */
export interface Candidate {
  readonly id: string;
  /** The name in the key, or the true one where the record was read: the rule makes them equal. */
  readonly name: string;
  readonly key: string;
}

export interface ItemMatch<T> {
  /** Never empty. Several only of one name, in the order given: newest or refuse, the caller decides. */
  readonly matches: readonly [T, ...T[]];
  readonly by: "id" | "name" | "prefix";
}

/**
 * What an item names, tried in this order: a full id; a file name, exactly, after the key's name rule; the first four
 * or more characters of an id. `null` if nothing. Ids are compared without regard to case. There are no wildcards.
 *
 * @throws `ambiguous` where a name and a prefix hit different attachments, or where one id or prefix hits several.
 * @throws `usage` for an empty item: in a script that is an unset variable.
 */
export function matchItem<T extends Candidate>(item: string, candidates: Iterable<T>): ItemMatch<T> | null {
  if (item === "") throw new TaskflowError("usage", "an empty item names no attachment");
  const wanted = { id: item.toLowerCase(), name: item.normalize("NFC"), cleaned: safeName(item) };
  const isPrefix = item.length >= MIN_PREFIX;
  const found: Record<"id" | "exact" | "cleaned" | "prefix", T[]> = { id: [], exact: [], cleaned: [], prefix: [] };
  for (const candidate of candidates) {
    const id = candidate.id.toLowerCase();
    if (id === wanted.id) found.id.push(candidate);
    else if (isPrefix && id.startsWith(wanted.id)) found.prefix.push(candidate);
    const name = candidate.name.normalize("NFC");
    if (name === wanted.name) found.exact.push(candidate);
    else if (safeName(name) === wanted.cleaned) found.cleaned.push(candidate);
  }
  if (isSome(found.id)) return { matches: alone(found.id, item), by: "id" };
  // A foreign key may hold a name that our rule would change; it is found by that name before all others.
  const named = found.exact.length > 0 ? found.exact : found.cleaned;
  if (isSome(named)) {
    const others = found.prefix.filter((candidate) => !named.includes(candidate));
    if (others.length > 0) throw ambiguous(item, [...named, ...others]);
    return { matches: named, by: "name" };
  }
  return isSome(found.prefix) ? { matches: alone(found.prefix, item), by: "prefix" } : null;
}

/** The error for an item that could be any of these; it names them so that the next command can be exact. */
export function ambiguous(item: string, candidates: readonly Candidate[]): TaskflowError {
  const shown = candidates.slice(0, MAX_SHOWN).map((candidate) => `${candidate.id} (${candidate.name})`);
  const more = candidates.length > MAX_SHOWN ? ` and ${candidates.length - MAX_SHOWN} more` : "";
  const sameId = new Set(candidates.map((candidate) => candidate.id.toLowerCase())).size < candidates.length;
  return new TaskflowError(
    "ambiguous",
    `${JSON.stringify(item)} could be any of ${candidates.length} attachments: ${shown.join(", ")}${more}`,
    sameId ? { hint: `name it by its full key, for example ${candidates[0]?.key ?? ""}` } : {},
  );
}

const MIN_PREFIX = 4;
const MAX_SHOWN = 10;

function alone<T extends Candidate>(hits: readonly [T, ...T[]], item: string): readonly [T, ...T[]] {
  if (hits.length > 1) throw ambiguous(item, hits);
  return hits;
}

function isSome<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}
