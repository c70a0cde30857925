/** Brings an attachment to this machine: written beside, verified, then put in place; or streamed, verified at its end. */
import { createHash, randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { TaskflowError, throwIfAborted } from "../errors.ts";
import type { StorageDriver, StoredObject } from "../storage/driver.ts";
import type { IfExists } from "./if-exists.ts";
import {
  alreadyThere,
  createFile,
  fileError,
  isThere,
  publish,
  refuseSpecial,
  targetOf,
  writeAll,
} from "./local-file.ts";
import type { FilePlace } from "./local-file.ts";
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

export interface FileDownloadOptions extends DownloadOptions, FilePlace {
  readonly ifExists?: IfExists;
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
  await refuseSpecial(target);
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

function mismatch(key: string, expected: string, actual: string): TaskflowError {
  return new TaskflowError("checksum_mismatch", `${key} is not what was attached`, {
    hint: `SHA-256 recorded ${expected}, found ${actual}; --no-verify takes the bytes as they are`,
    context: { expected, actual },
  });
}
