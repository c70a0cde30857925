/** Object lock: why a version may not be destroyed, and until when. */
import { TaskflowError } from "../../../errors.ts";
import type { Outcome } from "./bulk.ts";
import { headRaw } from "../read/head.ts";
import type { S3Store } from "../store.ts";

/** The outcome; where it is `retained` its message names the end, for those who may read it. */
export async function explainLock(store: S3Store, outcome: Outcome, signal: AbortSignal): Promise<Outcome> {
  const { error, target } = outcome;
  if (error?.code !== "retained") return outcome;
  const until = await lockOf(store, target.key, target.versionId, signal).catch(() => null);
  if (until === null) return outcome;
  const { hint, requestId, context, cause } = error;
  const told = new TaskflowError("retained", `${error.message}, ${until}`, { hint, requestId, context, cause });
  return { ...outcome, error: told };
}

async function lockOf(
  store: S3Store,
  key: string,
  versionId: string | undefined,
  signal: AbortSignal,
): Promise<string | null> {
  const version = await headRaw(store, key, { signal, ...(versionId === undefined ? {} : { versionId }) });
  if (version.ObjectLockLegalHoldStatus === "ON") return "until its legal hold is lifted";
  const { ObjectLockRetainUntilDate: end } = version;
  return end === undefined ? null : `until ${end.toISOString()}`;
}
