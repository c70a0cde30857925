/** Whether a write that ended without a clear answer happened all the same. */
import { TaskflowError, isTaskflowError } from "../../../errors.ts";
import type { StoredObject } from "../../driver.ts";
import { attemptsOf, causeOf, isNamed, isUnclear, statusOf } from "../failures/sdk-error.ts";
import { head } from "../read/head.ts";
import { explained } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";

/**
 * Whether it may have been done all the same: what came is no clear answer, or tells of a writer who may be an earlier
 * attempt.
 */
export function mayBeDone(error: unknown): boolean {
  return isUnclear(error) || metItself(error) || statusOf(error) === 409;
}

/** An earlier attempt whose reply was lost makes the next one meet what it wrote (412), or its upload gone (404). */
function metItself(error: unknown): boolean {
  if (attemptsOf(error) === 1) return false;
  return statusOf(error) === 412 || isNamed(error, "NoSuchUpload", "NoSuchKey");
}

/**
 * The object, where it is ours although `error` was the answer. Rejects otherwise: `exists` where another is there, else
 * the error.
 */
export async function settleWrite(
  store: S3Store,
  call: SignalledCall,
  error: unknown,
  expected: StoredObject,
): Promise<StoredObject> {
  if (isTaskflowError(error)) throw error;
  const failure = await explained(store, call, error);
  if (call.signal.aborted || !mayBeDone(error)) throw failure;
  let found: StoredObject;
  try {
    found = await head(store, expected.key, { signal: call.signal });
  } catch (denied) {
    // Who may not look: nobody else knows the key, so what an attempt after ours met was ours.
    if (metItself(error) && isTaskflowError(denied) && denied.code === "access_denied") return expected;
    throw failure;
  }
  if (isSame(found, expected)) return { ...found, tags: expected.tags };
  throw new TaskflowError("exists", `cannot ${call.act}: there is another object under this key`, {
    context: { key: expected.key },
    cause: causeOf(error),
  });
}

/** The record tells one upload from another: digest, size, name and the millisecond of its beginning. */
export function isSame(found: StoredObject, expected: StoredObject): boolean {
  return (
    found.size === expected.size &&
    found.record?.sha256 === expected.record?.sha256 &&
    found.record?.name === expected.record?.name &&
    found.record?.createdAt.getTime() === expected.record?.createdAt.getTime()
  );
}
