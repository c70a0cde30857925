/** Everything that the folder store knows of one key. */
import { MOST_VERSIONS } from "../inspection.ts";
import type { Inspection, KeyVersion } from "../inspection.ts";
import type { StoredObject } from "../driver.ts";
import { head } from "./describe.ts";
import type { Folder } from "./folder.ts";
import { notFound } from "./folder.ts";
import { lookAtFile } from "./levels.ts";
import { placeOf } from "./paths.ts";
import { versionsOf } from "./trash.ts";
import type { Version } from "./trash.ts";

/** As `StorageDriver.inspect`. What lies in the trash is told as S3 has it: a delete marker, and what that hides. */
export async function inspect(folder: Folder, key: string): Promise<Inspection> {
  const { layout } = folder;
  const object = head(folder, key);
  const place = placeOf(layout, key);
  if (place === null) throw notFound(key);
  const trash = await versionsOf(layout, place);
  const entries = [latest(object), ...trash.flatMap((version) => deleted(version, object))];
  return {
    object,
    encryption: null,
    checksum: null,
    versions: { entries: entries.slice(0, MOST_VERSIONS), hasMore: entries.length > MOST_VERSIONS },
  };
}

function latest({ size, modifiedAt, storageClass }: StoredObject): KeyVersion {
  return { kind: "version", id: null, isLatest: true, modifiedAt, size, storageClass };
}

/** A label belongs to the key: all of its versions have the one class. */
function deleted({ path, entry }: Version, { storageClass }: StoredObject): KeyVersion[] {
  const status = lookAtFile(path);
  if (status === null) return [];
  const { size, mtime: modifiedAt } = status;
  return [
    { kind: "delete-marker", id: null, isLatest: false, modifiedAt: entry.deletedAt, size: 0, storageClass: null },
    { kind: "version", id: null, isLatest: false, modifiedAt, size, storageClass },
  ];
}
