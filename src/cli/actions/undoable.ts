/** Whether what a command deletes can be brought back, and the question where it can't. */
import type { StorageDriver } from "../../storage/driver.ts";

/** `null`: that may not be known. */
export async function keepsDeleted({ versions }: StorageDriver, signal: AbortSignal): Promise<boolean | null> {
  if (versions === undefined) return false;
  return versions.keepsDeleted === undefined ? true : await versions.keepsDeleted({ signal });
}

/** Why it is asked. */
export function undoWarning(kept: false | null): string {
  return kept === false
    ? "This can't be undone."
    : "Whether this can be undone isn't known: the bucket's versioning may not be read (s3:GetBucketVersioning).";
}
