/** What is said of an object whose bytes are in an archive. */
import type { TaskflowError } from "../../../errors.ts";
import { failed } from "./errors.ts";
import { head } from "../read/head.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";

/** The refusal only says that it is archived; whether it is on its way back, a HEAD tells those who may look. */
export async function archivedError(
  store: S3Store,
  key: string,
  call: SignalledCall,
  refusal: unknown,
): Promise<TaskflowError> {
  const known = await head(store, key, { signal: call.signal }).catch(() => null);
  const thawing = known?.archive?.state === "thawing";
  const why = thawing ? "it is being brought back from the archive" : "it is archived";
  const hint = thawing ? `wait for it: taskflow attach thaw '${key}' --wait` : `first: taskflow attach thaw '${key}'`;
  return failed(call.act, { code: "archived", why, hint }, refusal);
}
