/**
 * `If-None-Match: *` where a store takes it and doesn't mean it. RADOS Gateway (Ceph 16) ignores it in buckets with
 * versions and at the end of a multipart upload, and refuses it over the delete marker of a suspended bucket.
 */
import { TaskflowError, isTaskflowError } from "../../../errors.ts";
import { deleteBatch } from "../versions/bulk.ts";
import { headRaw } from "../read/head.ts";
import { versionsOfKey } from "../versions/key-versions.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";

/** Errors: `exists`. Who may not look goes on. */
export async function refuseTaken(store: S3Store, key: string, call: SignalledCall): Promise<void> {
  if (await isTaken(store, key, call)) throw taken(key, call);
}

/** Whether there is a live object; `false` too for who may not look. */
async function isTaken(store: S3Store, key: string, { signal }: SignalledCall): Promise<boolean> {
  try {
    await headRaw(store, key, { signal });
    return true;
  } catch (error) {
    if (isTaskflowError(error) && (error.code === "not_found" || error.code === "access_denied")) return false;
    throw error;
  }
}

/** What a reply to a write tells. */
interface Written {
  readonly VersionId?: string | undefined;
  readonly $metadata: { readonly requestId?: string | undefined };
}

/**
 * After a conditional write: takes it back where it replaced something all the same. Of several at once the oldest
 * stays. Errors: `exists`.
 */
export async function undoReplacement(store: S3Store, key: string, call: SignalledCall, reply: Written): Promise<void> {
  const { VersionId: versionId } = reply;
  if (versionId === undefined || !isGateway(reply)) return;
  const entries = await versionsOfKey(store, key, call.signal);
  const before = entries[entries.findIndex((entry) => entry.versionId === versionId) + 1];
  if (before === undefined || before.isMarker) return;
  const [outcome] = await deleteBatch(store, [{ key, versionId }], call.signal);
  throw outcome?.error ?? taken(key, call);
}

/** By the form of its request ids: `tx000000000000000000001-006567a1b2-10e1-default`. */
function isGateway({ $metadata: { requestId = "" } }: Written): boolean {
  return /^tx[0-9a-f]{16,}-/.test(requestId);
}

function taken(key: string, { act }: SignalledCall): TaskflowError {
  return new TaskflowError("exists", `cannot ${act}: there is an object under this key already`, { context: { key } });
}
