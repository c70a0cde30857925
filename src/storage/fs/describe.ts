/** What is known of one object: its file's status, its sidecar, its label. */
import type { Stats } from "node:fs";
import type { StoredObject } from "../driver.ts";
import type { Folder } from "./folder.ts";
import { notFound } from "./folder.ts";
import { readLabel } from "./labels.ts";
import { levelsExist, lookAtFile, taskLevels } from "./levels.ts";
import { placeOf } from "./paths.ts";
import type { Layout, Place } from "./paths.ts";
import { readSidecar } from "./sidecar.ts";

export function describe(layout: Layout, place: Place, status: Stats): StoredObject {
  const { record, type, tags, damaged } = readSidecar(layout, place);
  return {
    key: place.key,
    size: status.size,
    modifiedAt: status.mtime,
    storageClass: readLabel(layout, place),
    type,
    record,
    tags,
    ...(damaged === undefined ? {} : { damaged }),
  };
}

/** Errors: `not_found` where there is no live object. */
export function head({ layout }: Folder, key: string): StoredObject {
  const place = placeOf(layout, key);
  const status = place === null ? null : lookAtLive(layout, place);
  if (place === null || status === null) throw notFound(key);
  return describe(layout, place, status);
}

/** The status of a key's live object, `null` where there is none. */
export function lookAtLive(layout: Layout, place: Place): Stats | null {
  return levelsExist(...taskLevels(layout, place.directory)) ? lookAtFile(place.data) : null;
}
