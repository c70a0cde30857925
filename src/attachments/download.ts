/** Brings an attachment to this machine: written beside, verified, then put in place; or streamed, verified at its end. */
import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, lstat, mkdir, open, realpath, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { constants as system } from "node:os";
import path from "node:path";
import { TaskflowError, throwIfAborted } from "../errors.ts";
import type { StorageDriver, StoredObject } from "../storage/driver.ts";
import type { IfExists } from "./if-exists.ts";
import { safeName } from "./name.ts";
import { detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";

/** Whether the bytes were compared with a recorded digest: `unrecorded` where there is none, `skipped` on request. */
export type Verified = "sha256" | "unrecorded" | "skipped";

export interface DownloadOptions {
  readonly signal: AbortSignal;
  readonly onBytes?: (count: number) => void;
  /** `false`: take the bytes as they are, also where the store's record is damaged. */
  readonly verify?: boolean;
}

export interface FileDownloadOptions extends DownloadOptions {
  /** Absolute: the file itself, or the folder that gets the attachment under its own name. */
  readonly file?: string;
  readonly folder?: string;
  readonly ifExists?: IfExists;
  /** Told apart from an attachment of the same name in the same run by a suffix. */
  readonly suffix?: string;
}

export interface Downloaded {
  readonly attachment: Attachment;
  readonly verified: Verified;
}

export interface DownloadedFile extends Downloaded {
  /** Absolute. */
  readonly path: string;
  /** `ifExists: "skip"`, and something was there. */
  readonly skipped: boolean;
}

/**
 * Streams the bytes to `write`. A digest that differs is `checksum_mismatch`, known only after the last byte: what was
 * written must then be thrown away.
 */
export async function downloadTo(
  driver: StorageDriver,
  key: string,
  write: (chunk: Uint8Array) => Promise<void>,
  options: DownloadOptions,
): Promise<Downloaded> {
  const { object, chunks } = await driver.get(key, { signal: options.signal });
  const check = beginCheck(object, options);
  for await (const chunk of chunks) {
    // Hashed while it is being written.
    const written = write(chunk);
    check.update(chunk);
    await written;
    options.onBytes?.(chunk.length);
  }
  return check.end();
}

/** The bytes, as they come. Rejects with `checksum_mismatch` after the last one if they are not what was attached. */
export async function* readAttachment(
  driver: StorageDriver,
  key: string,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, Downloaded, undefined> {
  const { object, chunks } = await driver.get(key, { signal: options.signal });
  const check = beginCheck(object, options);
  for await (const chunk of chunks) {
    check.update(chunk);
    options.onBytes?.(chunk.length);
    yield chunk;
  }
  return check.end();
}

/** Counts and hashes what comes; the end compares it with what was recorded. */
function beginCheck(object: StoredObject, { signal, verify }: DownloadOptions) {
  const attachment = detailedAttachmentOf(object);
  if (attachment === null) throw new TaskflowError("not_found", `${object.key} is no attachment's key`);
  const expected = verify === false ? null : expectedDigest(object);
  const hash = createHash("sha256");
  let size = 0;
  return {
    update(chunk: Uint8Array): void {
      throwIfAborted(signal);
      if (expected !== null) hash.update(chunk);
      size += chunk.length;
    },
    end(): Downloaded {
      throwIfAborted(signal);
      if (size !== object.size) throw new TaskflowError("io", `${object.key} ended at byte ${size} of ${object.size}`);
      if (expected === null) return { attachment, verified: verify === false ? "skipped" : "unrecorded" };
      const actual = hash.digest("hex");
      if (actual !== expected) throw mismatch(object.key, expected, actual);
      return { attachment, verified: "sha256" };
    },
  };
}

/**
 * Writes one attachment as a file that is whole and verified, or not there at all. Nothing is overwritten unless asked.
 * Errors: `exists`, `checksum_mismatch`, `permission`, `io`, and the driver's.
 */
export async function downloadFile(
  driver: StorageDriver,
  key: string,
  options: FileDownloadOptions,
): Promise<DownloadedFile> {
  const { signal, ifExists = "fail" } = options;
  const attachment = detailedAttachmentOf(await driver.head(key, { signal }));
  if (attachment === null) throw new TaskflowError("not_found", `${key} is no attachment's key`);
  const target = await targetOf(attachment.name, options);
  if (ifExists !== "overwrite" && ifExists !== "rename" && (await isThere(target))) {
    if (ifExists === "skip") return { attachment, verified: "skipped", path: target, skipped: true };
    throw alreadyThere(target);
  }
  const part = path.join(path.dirname(target), `.${randomBytes(6).toString("hex")}.taskflow-part`);
  const file = await createFile(part);
  try {
    let result: Downloaded;
    try {
      let position = 0;
      result = await downloadTo(
        driver,
        key,
        async (chunk) => {
          await writeAll(file, chunk, position, target);
          position += chunk.length;
        },
        options,
      );
      await file.sync();
    } finally {
      await file.close();
    }
    const place = await publish(part, target, ifExists);
    return place === null ? { ...result, path: target, skipped: true } : { ...result, path: place, skipped: false };
  } catch (error) {
    throw fileError(error, target);
  } finally {
    await rm(part, { force: true });
  }
}

/** The recorded digest; `null` where none was recorded; an error where the record can't be read. */
function expectedDigest(object: StoredObject): string | null {
  if (object.damaged !== undefined) {
    throw new TaskflowError("checksum_mismatch", `the record of ${object.key} is damaged: ${object.damaged}`, {
      hint: "--no-verify takes the bytes as they are",
    });
  }
  return object.record?.sha256 ?? null;
}

/** Where the file goes: cleaned, with the relative path of `upload -r`, inside the folder only. */
async function targetOf(name: string, options: FileDownloadOptions): Promise<string> {
  if (options.file !== undefined) return options.file;
  const folder = options.folder ?? ".";
  const segments = name
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .map((segment) => (segment === ".." ? "_" : safeName(segment)));
  const base = withSuffix(segments.pop() ?? "_", options.suffix);
  return path.join(await makeInside(folder, segments), base);
}

/** Makes the folders one by one: a link among them could lead out of the one that was asked for. */
async function makeInside(folder: string, segments: readonly string[]): Promise<string> {
  let parent = folder;
  try {
    await mkdir(folder, { recursive: true });
    const root = await realpath(folder);
    for (const segment of segments) {
      parent = path.join(parent, segment);
      await mkdir(parent).catch(unlessThere);
      const inside = path.relative(root, await realpath(parent));
      if (inside === ".." || inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside)) {
        throw new TaskflowError("permission", `${parent} leads out of ${folder}`, { hint: "take the link away" });
      }
    }
  } catch (error) {
    throw fileError(error, parent);
  }
  return parent;
}

function unlessThere(error: unknown): void {
  if (codeOf(error) !== "EEXIST") throw error;
}

function withSuffix(base: string, suffix: string | undefined): string {
  if (suffix === undefined) return base;
  const { name, ext } = path.parse(base);
  return `${name}-${suffix}${ext}`;
}

/** Puts the part under its name; `null` where something is there and that is to be left alone. */
async function publish(part: string, target: string, ifExists: IfExists): Promise<string | null> {
  if (ifExists === "overwrite") {
    await rename(part, target);
    return target;
  }
  for (let number = 1; ; number += 1) {
    const base = path.basename(target);
    const at = path.join(path.dirname(target), number === 1 ? base : withSuffix(base, String(number)));
    if (await linkOrRename(part, at)) return at;
    if (ifExists === "skip") return null;
    if (ifExists === "fail") throw alreadyThere(target);
  }
}

/** link can't overwrite; where a file system has none, look first and rename. */
async function linkOrRename(part: string, target: string): Promise<boolean> {
  try {
    await link(part, target);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
  }
  if (await isThere(target)) return false;
  await rename(part, target);
  return true;
}

async function createFile(part: string): Promise<FileHandle> {
  try {
    return await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
  } catch (error) {
    throw fileError(error, path.dirname(part));
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number, target: string): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    if (bytesWritten === 0) throw new TaskflowError("io", `cannot write ${target}: nothing is taken`);
    written += bytesWritten;
  }
}

async function isThere(target: string): Promise<boolean> {
  try {
    await lstat(target);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw fileError(error, target);
  }
}

const NO_ROOM = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EFBIG: "larger than the file system or `ulimit -f` allows",
  EROFS: "the file system is read-only",
} as const;

function fileError(error: unknown, target: string): unknown {
  const code = codeOf(error);
  const options = { cause: error };
  switch (code) {
    case "EACCES":
    case "EPERM":
      return new TaskflowError("permission", `cannot write ${target}: permission denied`, options);
    case "ENOENT":
      return new TaskflowError("not_found", `cannot write ${target}: there is no such folder`, {
        ...options,
        hint: "end -o with a / to have the folder made",
      });
    case "ENOTDIR":
    case "EEXIST":
      return new TaskflowError("exists", `cannot write ${target}: there is a file in the way`, options);
    case "EISDIR":
      return new TaskflowError("exists", `cannot write ${target}: it is a folder`, options);
    case "ENAMETOOLONG":
      return new TaskflowError("usage", `cannot write ${target}: the path is too long`, { ...options, hint: null });
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
    case "EROFS":
      return new TaskflowError("io", `cannot write ${target}: ${NO_ROOM[code]}`, {
        ...options,
        hint: "free some space, or name another place with -o",
      });
    case "":
      return error;
    default:
      return new TaskflowError("io", `cannot write ${target}: ${code}`, options);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof TaskflowError || typeof error !== "object" || error === null) return "";
  const { code, errno } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  // Node has no name for this one.
  return errno === -system.errno.EDQUOT ? "EDQUOT" : "";
}

function alreadyThere(target: string): TaskflowError {
  return new TaskflowError("exists", `${target} is there already`, {
    hint: "--if-exists skip, rename or overwrite",
  });
}

function mismatch(key: string, expected: string, actual: string): TaskflowError {
  return new TaskflowError("checksum_mismatch", `${key} is not what was attached`, {
    hint: `SHA-256 recorded ${expected}, found ${actual}; --no-verify takes the bytes as they are`,
    context: { expected, actual },
  });
}
