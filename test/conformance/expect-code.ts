import { expect } from "vitest";
import { isTaskflowError } from "../../src/errors.ts";
import type { ErrorCode, TaskflowError } from "../../src/errors.ts";

/** That it rejects with a TaskflowError of this code, which is given back. */
export async function rejection(promise: Promise<unknown>, code: ErrorCode): Promise<TaskflowError> {
  const error: unknown = await promise.then(
    () => new Error(`it did not reject, ${code} was expected`),
    (thrown: unknown) => thrown,
  );
  if (!isTaskflowError(error)) throw error;
  expect({ code: error.code, message: error.message }).toEqual({ code, message: error.message });
  expect(error.message, "one line").not.toMatch(/[\r\n]/);
  return error;
}
