/** Upload: stage the bytes, claim the key, commit by a link. Whole or nothing, whatever happens in between. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, rename } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { Body, ObjectRecord, PutOptions, StoredObject } from "../driver.ts";
import { claim, refuseTaken, taken } from "./claim.ts";
import { createFile, removeFile, removeQuietly } from "./durable.ts";
import { isErrno } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { NO_LINKS } from "./format.ts";
import { DEFAULT_CLASS, writeLabel } from "./labels.ts";
import { look, lookAtFile } from "./levels.ts";
import { pathFor, placeOf } from "./paths.ts";
import type { Place } from "./paths.ts";
import { encodeSidecar } from "./sidecar.ts";
import { stage } from "./stage.ts";
import type { Staged } from "./stage.ts";

/** As `StorageDriver.put`. A key is written once here: `exists` without `ifAbsent` too, and after a delete. */
export async function put(folder: Folder, key: string, body: Body, options: PutOptions): Promise<StoredObject> {
  throwIfAborted(options.signal);
  const place = placeOf(folder.layout, key);
  if (place === null) {
    throw new TaskflowError("usage", `cannot store ${key}: a folder store has keys like tasks/<task>/<name>`);
  }
  await refuseTaken(folder, place, options);
  await folder.prepare();
  const part = await stage(folder, key, body, options);
  const stored: StoredObject = {
    key,
    size: part.size,
    modifiedAt: part.modifiedAt,
    storageClass: options.storageClass ?? DEFAULT_CLASS,
    type: options.type,
    record: { ...options.record, meta: part.meta, size: part.size, sha256: part.sha256 },
    tags: { ...options.tags },
  };
  try {
    await publish(folder, place, part, stored, options);
  } catch (error) {
    await removeQuietly(part.path);
    // Somebody may have removed a directory that was remembered as made.
    if (isErrno(error, "ENOENT")) folder.durable.forget();
    throw error;
  }
  await removePart(folder, part);
  return stored;
}

async function publish(
  folder: Folder,
  place: Place,
  part: Staged,
  { record, type, tags, storageClass }: StoredObject,
  { signal }: PutOptions,
): Promise<void> {
  const { layout, durable } = folder;
  const directory = pathFor(layout.tasks, place.directory);
  if (record === null || type === null) throw new TaskflowError("internal", "an upload without a record");
  await durable.ensureDirectory(layout.tasks);
  await durable.ensureDirectory(directory);
  const sidecar = encodeSidecar(place.key, { record, type, tags });
  const own = await claim(folder, place, sidecar, signal);
  try {
    if (storageClass !== DEFAULT_CLASS) await writeLabel(folder, place, storageClass);
    throwIfAborted(signal);
    if (!own.holds()) throw taken(place);
    await commit(part, place);
    if (own.tookOver && !own.holds()) await recordAgain(folder, place, sidecar);
  } catch (error) {
    // Where a look itself fails nobody knows, and a claim too many harms less than a record too few.
    const isAnothers = look(place.data)?.ino !== part.inode && own.holds();
    if (isAnothers && !(own.tookOver && (await isCommitted(place, record)))) {
      await removeQuietly(place.label);
      await removeQuietly(place.sidecar);
    }
    throw error;
  }
  await durable.syncDirectory(directory);
}

/** Whoever claimed the key before may have given up at this very moment, and taken the sidecar for its own. */
async function recordAgain({ layout, durable }: Folder, place: Place, sidecar: Uint8Array): Promise<void> {
  try {
    await createFile(place.sidecar, sidecar);
    await durable.syncDirectory(pathFor(layout.sidecars, place.directory));
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
}

/** Whether who claimed the key before has committed after all: then the sidecar is its record too. */
async function isCommitted({ data }: Place, { size, sha256 }: ObjectRecord): Promise<boolean> {
  if (lookAtFile(data)?.size !== size) return false;
  const hash = createHash("sha256");
  await pipeline(createReadStream(data), hash);
  return hash.digest("hex") === sha256;
}

/** From here on the object is there. */
async function commit(part: Staged, place: Place): Promise<void> {
  try {
    await link(part.path, place.data);
    return;
  } catch (error) {
    // A network file system may have done it and lost the reply.
    if (look(place.data)?.ino === part.inode) return;
    if (isErrno(error, "EEXIST")) throw taken(place);
    if (!isErrno(error, ...NO_LINKS)) throw error;
  }
  // Without hard links. The claim keeps other uploads away; only another program could come between these two.
  if (look(place.data) !== null) throw taken(place);
  try {
    await rename(part.path, place.data);
  } catch (error) {
    if (look(place.data)?.ino !== part.inode) throw error;
  }
}

/** The object is stored: a part that can't be removed is no reason to say otherwise. */
async function removePart({ warn }: Folder, part: Staged): Promise<void> {
  try {
    await removeFile(part.path);
  } catch (error) {
    warn(`${part.path} could not be removed (${String(error)}): attach doctor --fix clears it`);
  }
}
