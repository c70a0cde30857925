import { isTaskflowError } from "../../src/errors.ts";

/** The code of the TaskflowError that this throws; `null` where it throws nothing. Anything else is thrown on. */
export function codeOf(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (isTaskflowError(error)) return error.code;
    throw error;
  }
}
