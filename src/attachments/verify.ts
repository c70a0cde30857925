/** Whether what a store holds is what was attached: hashed again, compared with the SHA-256 recorded at upload. */
import { createHash } from "node:crypto";
import { TaskflowError, isTaskflowError, throwIfAborted } from "../errors.ts";
import type { GetResult, StorageDriver, StoredObject } from "../storage/driver.ts";
import { isUuid } from "./key.ts";
import { detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";

export type Verification = { readonly attachment: Attachment } & (
  | { readonly verified: "sha256" }
  /** There is nothing to compare with, so nothing was read. */
  | { readonly verified: "unrecorded" }
  | {
      readonly verified: "mismatch";
      readonly error: TaskflowError;
      /** Hex, of the bytes that are there; `null` where their number or the record told before they were read. */
      readonly found: string | null;
    }
);

export interface VerifyOptions {
  readonly signal: AbortSignal;
  readonly onBytes?: (count: number) => void;
}

/**
 * Hashes one attachment; a lie is an answer here, no rejection. `null` where there is no such attachment (any more).
 * Errors: the driver's, for bytes that can't be read.
 */
export async function verify(
  driver: StorageDriver,
  key: string,
  { signal, onBytes }: VerifyOptions,
): Promise<Verification | null> {
  const got = await getLive(driver, key, signal);
  if (got === null) return null;
  const { object, chunks } = got;
  const attachment = detailedAttachmentOf(object);
  const early = attachment === null ? null : withoutBytes(object, attachment);
  if (attachment === null || early !== null) {
    // Also closes what is open for the bytes that nobody reads.
    await chunks[Symbol.asyncIterator]().return?.();
    if (early?.verified !== "unrecorded") return early;
    return (await replaced(driver, early.attachment, signal)) ?? early;
  }
  const hash = createHash("sha256");
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    hash.update(chunk);
    onBytes?.(chunk.length);
  }
  throwIfAborted(signal);
  const found = hash.digest("hex");
  const expected = object.record?.sha256 ?? "";
  if (found === expected) return { attachment, verified: "sha256" };
  return {
    attachment,
    verified: "mismatch",
    found,
    error: new TaskflowError("checksum_mismatch", `${key} is not what was attached`, {
      hint: `SHA-256 recorded ${expected}, found ${found}`,
      context: { key, expected, found },
    }),
  };
}

/** Of a key that only an upload makes: whether other bytes have taken the place of what was attached. */
async function replaced(
  { versions }: StorageDriver,
  attachment: Attachment,
  signal: AbortSignal,
): Promise<Verification | null> {
  const { id, key } = attachment;
  if (!isUuid(id)) return null;
  const record = await versions?.firstRecord?.(key, { signal });
  if (record === null || record === undefined) return null;
  return {
    attachment,
    verified: "mismatch",
    found: null,
    error: new TaskflowError("checksum_mismatch", `${key} is not what was attached: another program replaced it`, {
      hint: `what was attached is kept as an older version, which taskflow attach show '${key}' tells`,
      context: { key, expected: record.sha256 },
    }),
  };
}

async function getLive(driver: StorageDriver, key: string, signal: AbortSignal): Promise<GetResult | null> {
  try {
    return await driver.get(key, { signal });
  } catch (error) {
    if (isTaskflowError(error) && error.code === "not_found") return null;
    throw error;
  }
}

/** What is known before a byte was read; `null` where the bytes decide. */
function withoutBytes(object: StoredObject, attachment: Attachment): Verification | null {
  const { key, record, damaged } = object;
  const lie = (message: string, hint: string | null): Verification => ({
    attachment,
    verified: "mismatch",
    found: null,
    error: new TaskflowError("checksum_mismatch", message, { hint, context: { key } }),
  });
  if (damaged !== undefined) {
    return lie(`the record of ${key} is damaged: ${damaged}`, "its bytes can't be proven any more");
  }
  if (record === null) return { attachment, verified: "unrecorded" };
  if (record.size === object.size) return null;
  return lie(
    `${key} is not what was attached: it has ${object.size} bytes, ${record.size} were recorded`,
    `SHA-256 recorded ${record.sha256}`,
  );
}
