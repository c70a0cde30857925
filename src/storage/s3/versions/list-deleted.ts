/** What was deleted and is still kept. */
import type { DeletedObject, ListOptions, StoredObject } from "../../driver.ts";
import { TaskflowError } from "../../../errors.ts";
import { wholeSeconds } from "../read/describe.ts";
import { head } from "../read/head.ts";
import { listVersions, versionsOfKey } from "./key-versions.ts";
import type { Entry } from "./key-versions.ts";
import type { S3Store } from "../store.ts";
import { requireVersions } from "./versioning.ts";

/** As `Versions.listDeleted`. Pages through all versions of the prefix; in memory is one page. */
export async function* listDeleted(
  store: S3Store,
  prefix: string,
  options: ListOptions,
): AsyncGenerator<DeletedObject, void, undefined> {
  let marker: Entry | null = null;
  for await (const entry of listVersions(store, prefix, options)) {
    if (entry.isMarker) {
      if (entry.isLatest) marker = entry;
    } else if (marker?.key === entry.key) {
      yield { ...infoOf(entry), deletedAt: wholeSeconds(marker.modifiedAt) };
      // The newest version is what comes back; older ones of the key are not told.
      marker = null;
    }
  }
}

/** As `Versions.headDeleted`; `unsupported` where the bucket keeps nothing. */
export async function headDeleted(
  store: S3Store,
  key: string,
  signal: AbortSignal,
): Promise<StoredObject & { deletedAt: Date }> {
  const kept = keptOf(await versionsOfKey(store, key, signal));
  if (kept === null) await requireVersions(store, signal);
  if (kept === null || kept.markers.length === 0) throw notDeleted(key);
  const object = await head(store, key, { signal, versionId: kept.version.versionId });
  const [latest] = kept.markers;
  return { ...object, deletedAt: wholeSeconds(latest?.modifiedAt ?? object.modifiedAt) };
}

export interface Kept {
  /** The newest data. */
  readonly version: Entry;
  /** What hides it, the newest first; none: it is live. */
  readonly markers: readonly Entry[];
}

/** Of the entries of one key; `null`: no data are kept of it. */
export function keptOf(entries: readonly Entry[]): Kept | null {
  const at = entries.findIndex(({ isMarker }) => !isMarker);
  const version = entries[at];
  return version === undefined ? null : { version, markers: entries.slice(0, at) };
}

export function notDeleted(key: string): TaskflowError {
  return new TaskflowError("not_found", `there is no deleted ${key}`, { context: { key } });
}

function infoOf({ key, size, modifiedAt, storageClass }: Entry): Omit<DeletedObject, "deletedAt"> {
  return { key, size, modifiedAt: wholeSeconds(modifiedAt), storageClass };
}
