/** The storage class of an object, which on a folder is a label that changes nothing. */
import { randomUUID } from "node:crypto";
import { constants, readdirSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { FILE_MODE, closeQuietly, createFile, removeFile, removeQuietly, seal, writeAt } from "./durable.ts";
import type { Folder } from "./folder.ts";
import { levelsExist, ownLevels } from "./levels.ts";
import { pathFor } from "./paths.ts";
import type { Layout, Place } from "./paths.ts";
import { readSmall } from "./small-file.ts";

/** The class of what has no label. */
export const DEFAULT_CLASS = "STANDARD";

export function readLabel(layout: Layout, place: Place): string {
  if (!levelsExist(...ownLevels(layout, "labels", place.directory))) return DEFAULT_CLASS;
  return readLabelFile(place.label);
}

/** The labels of one directory, for a listing: only where there are any is a file read for each. */
export function labelsOf(layout: Layout, directory: string): (base: string) => string {
  if (!levelsExist(...ownLevels(layout, "labels", directory))) return () => DEFAULT_CLASS;
  const folder = pathFor(layout.labels, directory);
  const labelled = new Set(readdirSync(folder));
  return (base) => (labelled.has(base) ? readLabelFile(pathFor(folder, base)) : DEFAULT_CLASS);
}

/** Writes the label of a key that this caller has claimed and nobody can see yet, durably. */
export async function writeLabel({ layout, durable }: Folder, place: Place, storageClass: string): Promise<void> {
  const folder = pathFor(layout.labels, place.directory);
  await durable.ensureDirectory(layout.labels);
  await durable.ensureDirectory(folder);
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const handle = await open(place.label, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE);
  try {
    const bytes = Buffer.from(`${storageClass}\n`);
    await writeAt(handle, bytes, 0);
    await seal(handle, bytes.length, place.label);
  } finally {
    await closeQuietly(handle);
  }
  await durable.syncDirectory(folder);
}

/**
 * Gives an object that is there another label, durably: a reader sees the one or the other. A label that comes when the
 * object has just gone is taken back, for the next one of this name hasn't it.
 */
export async function replaceLabel(
  { layout, durable, prepare }: Folder,
  place: Place,
  storageClass: string,
  isThere: () => boolean,
): Promise<void> {
  await prepare();
  const folder = pathFor(layout.labels, place.directory);
  await durable.ensureDirectory(layout.labels);
  await durable.ensureDirectory(folder);
  const staged = pathFor(layout.staging, `${randomUUID()}.part`);
  await createFile(staged, Buffer.from(`${storageClass}\n`));
  try {
    await rename(staged, place.label);
  } catch (error) {
    await removeQuietly(staged);
    throw error;
  }
  if (!isThere()) await removeFile(place.label);
  await durable.syncDirectory(folder);
}

const LABEL = /^[A-Z][A-Z0-9_]{0,63}$/;

/** A label that is none means nothing, as every label here does. */
function readLabelFile(file: string): string {
  const text = readSmall(file);
  const label = typeof text === "string" ? text.trim() : "";
  return LABEL.test(label) ? label : DEFAULT_CLASS;
}
