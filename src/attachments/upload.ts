/** Puts one file on a task. */
import { TaskflowError, isTaskflowError } from "../errors.ts";
import type { StorageDriver } from "../storage/driver.ts";
import type { Resume } from "../storage/resume.ts";
import { checkMetadata } from "../storage/metadata.ts";
import { detectType, parseType, typeAllowed } from "./content-type.ts";
import { makeKey, parseKey } from "./key.ts";
import { checkMeta, checkTags } from "./meta.ts";
import { namesakes, replaceOlder, untilNewer } from "./replace.ts";
import type { Replaced } from "./replace.ts";
import type { Source } from "./source.ts";
import { DEFAULT_STORAGE_CLASS, parseStorageClass } from "./storage-class.ts";
import { parseTask } from "./task.ts";
import { detailedAttachmentOf } from "./types.ts";
import type { Attachment, AttachmentDetails } from "./types.ts";

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
  /** More of it, asked for once a source that can be read only once has ended; it must fit beside the rest. */
  readonly lateMeta?: () => Readonly<Record<string, string>>;
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
  /** Where the source is, the same whenever it is read: an upload of it that was interrupted can be gone on with. */
  readonly resume?: { readonly path: string } & Omit<Resume, "identity">;
  readonly signal: AbortSignal;
  readonly onBytes?: (count: number) => void;
  /** As `PutOptions.onRead`. */
  readonly onRead?: (count: number) => void;
}

/** `replaced`, `supersededBy` and `failure` of `replace`; of a dry run, what would be. */
export interface UploadResult extends Replaced {
  readonly attachment: Attachment;
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

  if (request.dryRun === true) {
    await checkNotEmpty(request);
    const older = request.replace === true ? await namesakes(driver, request) : [];
    const attachment = planned(key, request, { ...record, type, tags, storageClass });
    return { attachment, replaced: older.map((one) => one.key) };
  }
  const { lateMeta } = request;
  const checkedLateMeta = (given: Readonly<Record<string, string>>): Record<string, string> => {
    const late = checkMeta(given);
    checkMetadata({ ...record, meta: { ...record.meta, ...late } });
    return late;
  };
  const before = request.replace === true ? await namesakes(driver, request) : [];
  if (before.length > 0) await untilNewer(before, tools);
  const { createdAt: _, ...lasting } = record;
  const resume = request.resume && {
    ...request.resume,
    identity: JSON.stringify([task, request.resume.path, lasting, type, tags, storageClass ?? null]),
  };
  const put = (at: string): ReturnType<StorageDriver["put"]> =>
    driver.put(at, source, {
      record,
      ...(lateMeta === undefined ? {} : { lateMeta: () => checkedLateMeta(lateMeta()) }),
      type,
      tags,
      ...(storageClass === undefined ? {} : { storageClass }),
      ifAbsent: true,
      maxSize,
      notEmpty: source.size === null && request.allowEmpty !== true,
      ...(resume === undefined ? {} : { resume }),
      signal,
      ...(request.onBytes === undefined ? {} : { onBytes: request.onBytes }),
      ...(request.onRead === undefined ? {} : { onRead: request.onRead }),
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

/** What a driver finds out only at the end of a stream, as far as its beginning tells. */
async function checkNotEmpty({ source, name, allowEmpty }: UploadRequest): Promise<void> {
  if (source.size !== null || allowEmpty === true || (await source.peek(1)).length > 0) return;
  throw new TaskflowError("usage", `nothing came for ${name}`, {
    hint: "an empty input is often a mistake; --allow-empty takes it",
  });
}

type Planned = Pick<Attachment, "name" | "createdAt"> &
  Omit<AttachmentDetails, "type" | "sha256"> & { readonly type: string; readonly storageClass: string | undefined };

function planned(key: string, { source }: UploadRequest, plan: Planned): Attachment {
  const parts = parseKey(key);
  if (parts === null) throw new TaskflowError("internal", `made a key that is no attachment's: ${key}`);
  return {
    id: parts.id,
    task: parts.task,
    key,
    name: plan.name,
    size: source.size ?? 0,
    createdAt: plan.createdAt,
    storageClass: plan.storageClass ?? DEFAULT_STORAGE_CLASS,
    deleted: false,
    details: {
      type: plan.type,
      sha256: null,
      uploadedBy: plan.uploadedBy,
      note: plan.note,
      meta: plan.meta,
      tags: plan.tags,
    },
  };
}
