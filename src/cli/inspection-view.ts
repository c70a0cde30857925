/** The faces of what only a look at the one object tells: how the store keeps it, and what else is under its key. */
import type { ArchiveState } from "../storage/driver.ts";
import type { Inspection, KeyVersion } from "../storage/inspection.ts";
import { formatUtc } from "./output/format.ts";
import type { JsonObject } from "./output/json-document.ts";

/** To be added to the attachment's own. */
export function inspectionJson({ object, encryption, checksum, versions }: Inspection): JsonObject {
  const { archive, expires } = object;
  return {
    archive: archive === undefined ? null : archiveJson(archive),
    expires: expires === undefined ? null : { date: formatUtc(expires.at), rule: expires.rule },
    encryption: encryption === null ? null : { ...encryption },
    checksum: checksum === null ? null : { ...checksum },
    versions: versions === null ? null : versions.entries.map(versionJson),
  };
}

export function archiveJson({ state, until }: ArchiveState): JsonObject {
  return { state, until: until === null ? null : formatUtc(until) };
}

/** Labels and texts, those that there are; of versions only where the store has names for them or there are several. */
export function inspectionFields({ object, encryption, checksum, versions }: Inspection): [string, string][] {
  const { archive, expires } = object;
  const entries = versions?.entries ?? [];
  const told = entries.length > 1 || entries.some(({ id }) => id !== null) ? entries : [];
  return [
    ...(archive === undefined ? [] : [field("archive", archive.state, until(archive.until))]),
    ...(expires === undefined ? [] : [field("expires", formatUtc(expires.at), ruled(expires.rule))]),
    ...(encryption === null ? [] : [field("encryption", encryption.algorithm, encryption.key)]),
    ...(checksum === null
      ? []
      : [
          field(
            "checksum",
            checksum.algorithm,
            checksum.value,
            checksum.covers === "composite" ? "of its parts" : null,
          ),
        ]),
    ...told.map(versionField),
    ...(versions === null ? [field("versions", "may not be listed")] : []),
  ];
}

function field(label: string, ...words: readonly (string | null)[]): [string, string] {
  return [label, words.filter((word) => word !== null).join(" ")];
}

function until(time: Date | null): string | null {
  return time === null ? null : `until ${formatUtc(time)}`;
}

function ruled(rule: string | null): string | null {
  return rule === null ? null : `by rule ${rule}`;
}

function versionField({ kind, id, isLatest, modifiedAt, size, storageClass }: KeyVersion): [string, string] {
  const what = kind === "version" ? `${size} bytes ${storageClass ?? ""}` : "deleted";
  return field(isLatest ? "latest" : "version", formatUtc(modifiedAt), what, id);
}

function versionJson({ kind, id, isLatest, modifiedAt, size, storageClass }: KeyVersion): JsonObject {
  return { kind, id, latest: isLatest, modifiedAt: formatUtc(modifiedAt), size, storageClass };
}
