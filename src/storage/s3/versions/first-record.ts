/** What a key held first: another program's write replaces bytes and record at once, and only the versions tell. */
import { isTaskflowError } from "../../../errors.ts";
import type { ObjectRecord } from "../../driver.ts";
import { describe } from "../read/describe.ts";
import { headRaw, sizeOf } from "../read/head.ts";
import type { S3Store } from "../store.ts";
import { versionsOfKey } from "./key-versions.ts";

/** As `Versions.firstRecord`: a listing, and a HEAD where there are several versions. */
export async function firstRecord(store: S3Store, key: string, signal: AbortSignal): Promise<ObjectRecord | null> {
  try {
    const versions = (await versionsOfKey(store, key, signal)).filter(({ isMarker }) => !isMarker);
    const first = versions.at(-1);
    if (first === undefined || versions.length === 1) return null;
    const output = await headRaw(store, key, { signal, versionId: first.versionId });
    return describe(key, sizeOf(store, key, output), output, {}).record;
  } catch (error) {
    // Without permission, without versions, or gone in between.
    if (isTaskflowError(error) && ["access_denied", "unsupported", "not_found"].includes(error.code)) return null;
    throw error;
  }
}
