/** What `doctor` looks at: checks that run in turn, each with one finding under an id that stays the same. */
import { throwIfAborted, toTaskflowError } from "../errors.ts";
import type { TaskflowError } from "../errors.ts";

export interface CheckOptions {
  /** Put, read and delete a probe too. */
  readonly write: boolean;
  /** Ask the store, as a browser would, whether pages of this origin may use links. */
  readonly origin: string | null;
  /** Clear what crashes left behind, where it is older than a day and can be explained. */
  readonly fix: boolean;
  readonly signal: AbortSignal;
}

/** `skip`: the store doesn't have it, or it can't be looked at. */
export type CheckStatus = "ok" | "warn" | "fail" | "skip";

export interface CheckResult {
  readonly id: string;
  readonly status: CheckStatus;
  /** One line. */
  readonly message: string;
  /** What to do; `null`: nothing, or nothing that is known. */
  readonly fix: string | null;
  /** Of a failure. */
  readonly error?: TaskflowError;
}

/** What a check finds unless it fails. */
export interface Finding {
  readonly status: Exclude<CheckStatus, "fail">;
  readonly message: string;
  readonly fix: string | null;
}

export interface Check {
  readonly id: string;
  /** A failure is thrown. */
  run(): Finding | Promise<Finding>;
  /** Why the checks after it can't be made where it failed with this; `null`: they can. Absent: they always can. */
  stops?(error: TaskflowError): string | null;
}

export function ok(message: string): Finding {
  return { status: "ok", message, fix: null };
}

export function warn(message: string, fix: string | null): Finding {
  return { status: "warn", message, fix };
}

export function skip(message: string, fix: string | null = null): Finding {
  return { status: "skip", message, fix };
}

/** `2 parts`. */
export function several(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `a, b, c and 12 more`. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(", ");
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}

const SHOWN = 3;

/** One result a check, in order. Rejects only with the signal's reason. */
export async function* runChecks(
  checks: Iterable<Check>,
  signal: AbortSignal,
): AsyncGenerator<CheckResult, void, undefined> {
  let stopped: string | null = null;
  for (const check of checks) {
    throwIfAborted(signal);
    if (stopped !== null) {
      yield { id: check.id, ...skip(stopped) };
      continue;
    }
    const result = await resultOf(check, signal);
    if (result.error !== undefined) stopped = check.stops?.(result.error) ?? null;
    yield result;
  }
}

async function resultOf({ id, run }: Check, signal: AbortSignal): Promise<CheckResult> {
  try {
    return { id, ...(await run()) };
  } catch (thrown) {
    throwIfAborted(signal);
    const error = toTaskflowError(thrown);
    return { id, status: "fail", message: error.message, fix: error.hint, error };
  }
}
