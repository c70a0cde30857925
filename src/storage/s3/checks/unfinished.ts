/** Parts of uploads that were never completed: nobody lists them, and they are paid for. */
import { AbortMultipartUploadCommand } from "@aws-sdk/client-s3";
import { isTaskflowError } from "../../../errors.ts";
import { ok, several, skip, warn } from "../../check.ts";
import type { CheckOptions, Finding } from "../../check.ts";
import type { StorageDriver } from "../../driver.ts";
import type { UnfinishedUpload } from "../../lifecycle/lifecycle.ts";
import { explained, requestRaw } from "../client/request.ts";
import { isNamed } from "../failures/sdk-error.ts";
import { GiB } from "../store.ts";
import type { S3Store } from "../store.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Until then the same command may go on with it; terraform/ gives the bucket a rule with the same number. */
const ABORT_AFTER_MS = 7 * DAY_MS;
/** Each costs a request: so many tell enough. */
const MOST = 1000;

interface Tally {
  count: number;
  bytes: number;
  oldestMs: number;
}

export async function checkUnfinished(
  store: S3Store,
  { lifecycle }: StorageDriver,
  { fix, signal }: CheckOptions,
): Promise<Finding> {
  const kept: Tally = { count: 0, bytes: 0, oldestMs: 0 };
  const aborted: Tally = { count: 0, bytes: 0, oldestMs: 0 };
  try {
    for await (const upload of lifecycle?.unfinished("tasks/", { signal }) ?? []) {
      const ageMs = store.now().getTime() - upload.startedAt.getTime();
      const isOld = ageMs > ABORT_AFTER_MS;
      if (fix && isOld) await abort(store, upload, signal);
      add(fix && isOld ? aborted : kept, upload, ageMs);
      if (!fix && kept.count === MOST) break;
    }
  } catch (error) {
    if (!isTaskflowError(error)) throw error;
    if (error.code === "unsupported") return skip("this store doesn't tell");
    if (error.code !== "access_denied") throw error;
    return skip("unfinished uploads may not be listed", "it takes s3:ListBucketMultipartUploads");
  }
  const told = [
    ...(aborted.count === 0 ? [] : [`aborted ${textOf(aborted)}`]),
    ...(kept.count === 0 ? [] : [textOf(kept)]),
  ].join("; ");
  if (kept.oldestMs > ABORT_AFTER_MS) return warn(told, "taskflow attach doctor --fix aborts those older than 7 days");
  if (kept.oldestMs > DAY_MS) return warn(told, "run the same uploads again; a lifecycle rule should abort the others");
  return ok(told === "" ? "none" : told);
}

function add(tally: Tally, { size }: UnfinishedUpload, ageMs: number): void {
  tally.count += 1;
  tally.bytes += size ?? 0;
  tally.oldestMs = Math.max(tally.oldestMs, ageMs);
}

/** `3 uploads with 12.4 GiB, the oldest 9 days old` */
function textOf({ count, bytes, oldestMs }: Tally): string {
  const days = Math.floor(oldestMs / DAY_MS);
  const age = days === 0 ? "less than a day" : several(days, "day");
  const size = bytes < GiB ? `${bytes} bytes` : `${(bytes / GiB).toFixed(1)} GiB`;
  return `${several(count, "upload")}${count === MOST ? " or more" : ""} with ${size}, the oldest ${age} old`;
}

/** That it is gone meanwhile is what was wanted. */
async function abort(store: S3Store, { key, uploadId }: UnfinishedUpload, signal: AbortSignal): Promise<void> {
  const call = { act: `abort the upload of ${key}`, action: "s3:AbortMultipartUpload", key, signal };
  const target = { Bucket: store.bucket, Key: key, UploadId: uploadId };
  try {
    await requestRaw(store, call, (client, options) => client.send(new AbortMultipartUploadCommand(target), options));
  } catch (error) {
    if (!isNamed(error, "NoSuchUpload")) throw await explained(store, call, error);
  }
}
