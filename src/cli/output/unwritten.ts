/** What stdout could not take of a command that changes something: told on stderr, so that nobody does it twice. */
import { TaskflowError, toTaskflowError } from "../../errors.ts";
import type { Gathered } from "./gather.ts";
import { printable } from "./printable.ts";

export interface Unwritten {
  /** The first failure of stdout. */
  readonly failure: TaskflowError | null;
  /** Waits for the write and never rejects. `name`: of the thing done that it tells of. */
  settle(writing: Promise<void> | undefined, name?: string): Promise<void>;
}

/** `tellError` comes once, before the names. What is kept are the names of what has not left `out` yet. */
export function createUnwritten(
  out: Gathered,
  say: (text: string) => Promise<void>,
  tellError: (error: TaskflowError) => Promise<void>,
): Unwritten {
  let failure: TaskflowError | null = null;
  let waiting: string[] = [];
  return {
    get failure() {
      return failure;
    },
    async settle(writing, name) {
      if (name !== undefined) waiting.push(name);
      try {
        await writing;
        if (out.isEmpty) waiting = [];
      } catch (error) {
        if (failure === null) {
          failure = outputError(error);
          await tellError(failure);
        }
        for (const one of waiting.splice(0)) await say(`not in the output: ${printable(one)}\n`);
      }
    },
  };
}

function outputError(raw: unknown): TaskflowError {
  const error = toTaskflowError(raw);
  return new TaskflowError(error.code, error.message, {
    hint: "what was done is done all the same; what the output lacks is told here",
    cause: error,
  });
}
