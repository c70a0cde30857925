/** Puts one file on a task. */
import { TaskflowError, isTaskflowError } from "../errors.ts";
import type { ObjectInfo, StorageDriver } from "../storage/driver.ts";
import { checkMetadata } from "../storage/metadata.ts";
import { detectType, parseType, typeAllowed } from "./content-type.ts";
import { makeKey, parseKey, taskPrefix } from "./key.ts";
import { checkMeta, checkTags } from "./meta.ts";
import { cleanName } from "./name.ts";
import type { Source } from "./source.ts";
import { parseStorageClass } from "./storage-class.ts";
import { parseTask } from "./task.ts";
import { detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";

/** What may be attached, whoever asks. */
export interface UploadPolicy {
  /** Bytes; absent: the store's own limit. */
  readonly maxSize?: number;
  /** Media types and `image/*` patterns; absent: all. */
  readonly allowedTypes?: readonly string[];
}

export interface UploadRequest {
  readonly task: string;
  /** The true name; the key gets a cleaned form of it. */
  readonly name: string;
  readonly source: Source;
  readonly type?: string;
  readonly note?: string | null;
  readonly meta?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly storageClass?: string;
  readonly uploadedBy?: string | null;
  /** Delete older attachments of this name on this task once the new one is stored. */
  readonly replace?: boolean;
  /** A stream without a single byte is `usage` unless this is set. An empty file is always fine. */
  readonly allowEmpty?: boolean;
  readonly policy?: UploadPolicy;
  /** Check everything that can be checked without the bytes, and store nothing. */
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
  readonly onBytes?: (count: number) => void;
}

export interface UploadResult {
  readonly attachment: Attachment;
  /** Keys that `replace` deleted. */
  readonly replaced: readonly string[];
  /** With `replace`: another upload of this name at the same time came out newer, and this one was deleted for it. */
  readonly supersededBy?: string;
}

export interface UploadTools {
  now(): Date;
  uuid(): string;
}

/** Bytes that are enough for every signature that is looked for. */
const SNIFFED_BYTES = 4100;

/**
 * Stores the source under a new key, with its digest. Never overwrites: the same name twice is two attachments.
 * Errors: `usage` for names, types, metadata; `too_large`, `type_not_allowed` by policy, before the first byte where
 * the size is known; `changed`, `io`, … of source and store. Whatever fails, nothing of it stays.
 */
export async function upload(driver: StorageDriver, request: UploadRequest, tools: UploadTools): Promise<UploadResult> {
  const task = parseTask(request.task);
  const { source, signal } = request;
  const maxSize = Math.min(request.policy?.maxSize ?? Infinity, driver.supports.maxSize);
  const key = makeKey(task, tools.uuid(), request.name);
  if (source.size !== null && source.size > maxSize) throw tooLarge(request.name, source.size, maxSize);
  const type =
    request.type === undefined
      ? await detectType(await source.peek(SNIFFED_BYTES), request.name)
      : parseType(request.type);
  checkType(type, request);
  const record = {
    name: request.name.normalize("NFC"),
    createdAt: tools.now(),
    uploadedBy: request.uploadedBy ?? null,
    note: request.note ?? null,
    meta: checkMeta(request.meta ?? {}),
  };
  checkMetadata(record);
  const tags = checkTags(request.tags ?? {});
  const storageClass = request.storageClass === undefined ? undefined : parseStorageClass(request.storageClass);

  if (request.dryRun === true) return { attachment: planned(key, request, record.createdAt, type, tags), replaced: [] };
  const before = request.replace === true ? await keysOfName(driver, task, request.name, signal) : [];
  const put = (at: string): ReturnType<StorageDriver["put"]> =>
    driver.put(at, source, {
      record,
      type,
      tags,
      ...(storageClass === undefined ? {} : { storageClass }),
      ifAbsent: true,
      maxSize,
      notEmpty: source.size === null && request.allowEmpty !== true,
      signal,
      ...(request.onBytes === undefined ? {} : { onBytes: request.onBytes }),
    });
  const stored = await put(key).catch((error: unknown) => {
    // The id of a crashed upload, or of another machine's: as good as impossible, and cured by another id.
    if (isTaskflowError(error) && error.code === "exists" && source.repeatable) {
      return put(makeKey(task, tools.uuid(), request.name));
    }
    throw error;
  });
  const attachment = detailedAttachmentOf(stored);
  if (attachment === null) throw new TaskflowError("internal", `stored under a key that is no attachment's: ${key}`);
  if (request.replace !== true) return { attachment, replaced: [] };
  return { attachment, ...(await replaceOlder(driver, stored, request, before)) };
}

/**
 * Deletes what had this name before, and settles with uploads that ran at the same time: each of them sees all that
 * was stored before its own listing, and the newest by the store's clock (then by key) stays. The one that lists last
 * sees them all, so exactly one is left.
 */
async function replaceOlder(
  driver: StorageDriver,
  stored: ObjectInfo,
  request: UploadRequest,
  before: readonly ObjectInfo[],
): Promise<Pick<UploadResult, "replaced" | "supersededBy">> {
  const known = new Set(before.map(({ key }) => key));
  const now = await keysOfName(driver, request.task, request.name, request.signal);
  const rivals = now.filter(({ key }) => !known.has(key) && key !== stored.key);
  const winner = [stored, ...rivals].reduce((best, one) => (isNewer(one, best) ? one : best));
  const losers = [...before, ...rivals, stored].map(({ key }) => key).filter((key) => key !== winner.key);
  const replaced: string[] = [];
  for await (const result of driver.delete(losers, { signal: request.signal })) {
    if (result.error !== undefined) throw result.error;
    if (result.existed !== false && result.key !== stored.key) replaced.push(result.key);
  }
  return { replaced, ...(winner.key === stored.key ? {} : { supersededBy: winner.key }) };
}

function isNewer(one: ObjectInfo, other: ObjectInfo): boolean {
  const difference = one.modifiedAt.getTime() - other.modifiedAt.getTime();
  return difference > 0 || (difference === 0 && one.key > other.key);
}

async function keysOfName(
  driver: StorageDriver,
  task: string,
  name: string,
  signal: AbortSignal,
): Promise<ObjectInfo[]> {
  const clean = cleanName(name);
  const same: ObjectInfo[] = [];
  for await (const object of driver.list(taskPrefix(task), { signal })) {
    if (parseKey(object.key)?.name === clean) same.push(object);
  }
  return same;
}

function checkType(type: string, { name, policy }: UploadRequest): void {
  const allowed = policy?.allowedTypes;
  if (allowed === undefined || typeAllowed(type, allowed)) return;
  throw new TaskflowError("type_not_allowed", `${name} is ${type}, which is not allowed here`, {
    hint: `allowed: ${allowed.join(", ")} (TASKFLOW_ALLOWED_TYPES)`,
  });
}

function tooLarge(name: string, size: number, maxSize: number): TaskflowError {
  return new TaskflowError("too_large", `${name} has ${size} bytes, more than the ${maxSize} that may be stored`, {
    hint: "TASKFLOW_MAX_SIZE and the store's own limit decide",
  });
}

function planned(
  key: string,
  request: UploadRequest,
  createdAt: Date,
  type: string,
  tags: Readonly<Record<string, string>>,
): Attachment {
  const parts = parseKey(key);
  if (parts === null) throw new TaskflowError("internal", `made a key that is no attachment's: ${key}`);
  return {
    id: parts.id,
    task: parts.task,
    key,
    name: request.name,
    size: request.source.size ?? 0,
    createdAt,
    storageClass: request.storageClass ?? "STANDARD",
    deleted: false,
    details: {
      type,
      sha256: null,
      uploadedBy: request.uploadedBy ?? null,
      note: request.note ?? null,
      meta: request.meta ?? {},
      tags,
    },
  };
}
