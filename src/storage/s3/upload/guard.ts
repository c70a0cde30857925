/**
 * `If-None-Match: *` where a store takes it and doesn't mean it. RADOS Gateway (Ceph 16) ignores it in buckets with
 * versions and at the end of a multipart upload, and refuses it over the delete marker of a suspended bucket.
 */
import { TaskflowError, isTaskflowError } from "../../../errors.ts";
import type { StoredObject } from "../../driver.ts";
import { deleteBatch } from "../versions/bulk.ts";
import { head, headRaw } from "../read/head.ts";
import { versionsOfKey } from "../versions/key-versions.ts";
import type { Entry } from "../versions/key-versions.ts";
import { isSame } from "./settle.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";

/** Errors: `exists`. Who may not look goes on. */
export async function refuseTaken(store: S3Store, key: string, call: SignalledCall): Promise<void> {
  if (await isTaken(store, key, call)) throw taken(key, call);
}

/** Whether there is a live object; `false` too for who may not look. */
async function isTaken(store: S3Store, key: string, { act, signal }: SignalledCall): Promise<boolean> {
  try {
    await headRaw(store, key, { act, signal });
    return true;
  } catch (error) {
    if (isTaskflowError(error) && (error.code === "not_found" || error.code === "access_denied")) return false;
    throw error;
  }
}

/** What a reply to a write tells. */
interface Written {
  readonly VersionId?: string | undefined;
  readonly $metadata: { readonly requestId?: string | undefined; readonly attempts?: number | undefined };
}

/**
 * After a conditional write: takes it back where it replaced something all the same. Of several at once the oldest
 * stays, which may be ours: the attempt whose reply was lost. Who may not look goes on. Errors: `exists`.
 */
export async function undoReplacement(
  store: S3Store,
  object: StoredObject,
  call: SignalledCall,
  reply: Written,
): Promise<void> {
  const { VersionId: versionId } = reply;
  if (versionId === undefined || !isGateway(reply)) return;
  const { key } = object;
  const replaced = await versionsBefore(store, key, versionId, call.signal);
  const oldest = replaced.at(-1);
  if (oldest === undefined) return;
  const ours = [versionId];
  if ((reply.$metadata.attempts ?? 1) > 1) {
    for (const entry of replaced) if (await isOurs(store, object, entry, call.signal)) ours.push(entry.versionId);
  }
  const more = ours.filter((id) => id !== oldest.versionId).map((id) => ({ key, versionId: id }));
  const removal = deleteBatch(store, more, call.signal);
  if (ours.includes(oldest.versionId)) {
    // It is stored, and the same once more does no harm.
    await removal.catch(() => undefined);
    return;
  }
  const failed = (await removal).find(({ error }) => error !== undefined);
  throw failed?.error ?? taken(key, call);
}

/** What was live until this version was written, and whatever that had replaced; none where it can't be listed. */
async function versionsBefore(
  store: S3Store,
  key: string,
  versionId: string,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  try {
    const entries = await versionsOfKey(store, key, signal);
    const older = entries.slice(entries.findIndex((entry) => entry.versionId === versionId) + 1);
    const marker = older.findIndex(({ isMarker }) => isMarker);
    return marker === -1 ? older : older.slice(0, marker);
  } catch (error) {
    if (isTaskflowError(error)) return [];
    throw error;
  }
}

/** Written by an earlier attempt. Nobody else knows the key, so it is where that can't be looked at. */
async function isOurs(
  store: S3Store,
  object: StoredObject,
  { size, versionId }: Entry,
  signal: AbortSignal,
): Promise<boolean> {
  if (size !== object.size) return false;
  try {
    return isSame(await head(store, object.key, { signal, versionId }), object);
  } catch (error) {
    if (isTaskflowError(error)) return true;
    throw error;
  }
}

/** By the form of its request ids: `tx000000000000000000001-006567a1b2-10e1-default`. */
function isGateway({ $metadata: { requestId = "" } }: Written): boolean {
  return /^tx[0-9a-f]{16,}-/.test(requestId);
}

function taken(key: string, { act }: SignalledCall): TaskflowError {
  return new TaskflowError("exists", `cannot ${act}: there is an object under this key already`, { context: { key } });
}
