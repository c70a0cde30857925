/** From store to store: under the same key, with all that is recorded, each digest checked on both sides, nothing twice. */
import { createHash } from "node:crypto";
import { TaskflowError, isTaskflowError } from "../errors.ts";
import type { Body, GetResult, ObjectInfo, PutOptions, StorageDriver, StoredObject } from "../storage/driver.ts";
import { compareKeys } from "../storage/key-order.ts";
import { detectType } from "./content-type.ts";
import { taskPrefix } from "./key.ts";
import { DEFAULT_STORAGE_CLASS } from "./storage-class.ts";
import { attachmentOf, detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";

export interface Stores {
  readonly from: StorageDriver;
  readonly to: StorageDriver;
}

/** An attachment of the one store, and whether the other has something under its key. */
export interface Pair {
  readonly attachment: Attachment;
  readonly isThere: boolean;
}

export type Copied =
  /** `adopted`: nothing was recorded of it before; now its digest is. */
  | { readonly outcome: "copied"; readonly attachment: Attachment; readonly adopted: boolean }
  /** The same bytes are there already. */
  | { readonly outcome: "skipped"; readonly attachment: Attachment }
  /** It was deleted since it was listed. */
  | { readonly outcome: "gone"; readonly attachment: Attachment };

export interface CopyOptions {
  /** Look, and store nothing. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Bytes that the other store has taken. */
  readonly onBytes?: (count: number) => void;
}

/** All live attachments (`task` `null`: of the store) in key order. Both listings are read side by side, a page of each. */
export async function* pairs(
  { from, to }: Stores,
  task: string | null,
  signal: AbortSignal,
): AsyncGenerator<Pair, void, undefined> {
  const prefix = prefixOf(task);
  const others = to.list(prefix, { signal })[Symbol.asyncIterator]();
  try {
    let other = await others.next();
    for await (const object of from.list(prefix, { signal })) {
      const attachment = attachmentOf(object);
      if (attachment === null) continue;
      while (other.done !== true && compareKeys(other.value.key, object.key) < 0) other = await others.next();
      yield { attachment, isThere: other.done !== true && other.value.key === object.key };
    }
  } finally {
    await others.return?.();
  }
}

/** What there is to copy, a page at a time; `onOther` is told the keys of what is no attachment. */
export async function* copyable(
  { from }: Pick<Stores, "from">,
  task: string | null,
  { signal, onOther }: { readonly signal: AbortSignal; readonly onOther: (key: string) => void },
): AsyncGenerator<ObjectInfo, void, undefined> {
  for await (const object of from.list(prefixOf(task), { signal })) {
    if (attachmentOf(object) === null) onOther(object.key);
    else yield object;
  }
}

function prefixOf(task: string | null): string {
  return task === null ? "tasks/" : taskPrefix(task);
}

/**
 * Errors: `exists` where other bytes are under the key, which stay; `checksum_mismatch` where what came is not what was
 * recorded, and nothing is stored; else those of the two drivers.
 */
export async function copyOne(stores: Stores, { attachment, isThere }: Pair, options: CopyOptions): Promise<Copied> {
  if (isThere) return await same(stores, attachment, options);
  if (options.dryRun) return { outcome: "copied", attachment, adopted: false };
  let got: GetResult;
  try {
    got = await stores.from.get(attachment.key, { signal: options.signal, wantsTags: true });
  } catch (error) {
    if (isTaskflowError(error) && error.code === "not_found") return { outcome: "gone", attachment };
    throw error;
  }
  try {
    return await store(stores, attachment, got, options);
  } catch (error) {
    // Put there since it was listed, perhaps by another run of this.
    if (isTaskflowError(error) && error.code === "exists" && (await isLive(stores.to, attachment.key, options))) {
      return await same(stores, attachment, options);
    }
    throw error;
  } finally {
    // Also of bytes that nobody asked for.
    await got.chunks[Symbol.asyncIterator]().return?.();
  }
}

async function store(
  { to }: Stores,
  attachment: Attachment,
  { object, chunks }: GetResult,
  { signal, onBytes }: CopyOptions,
): Promise<Copied> {
  const { key, size, record, storageClass, tags } = object;
  refuseDamaged(object);
  const body: Body = { size, repeatable: false, chunks: () => chunks, settle: () => Promise.resolve() };
  const stored = await to.put(key, body, {
    record: record ?? recordFor(attachment, object),
    type: object.type ?? (await detectType(new Uint8Array(), attachment.name)),
    tags,
    ...(storageClass === DEFAULT_STORAGE_CLASS ? {} : { storageClass }),
    ...(record === null ? {} : { sha256: record.sha256 }),
    ifAbsent: true,
    signal,
    ...(onBytes === undefined ? {} : { onBytes }),
  });
  const copy = detailedAttachmentOf(stored) ?? attachment;
  return { outcome: "copied", attachment: copy, adopted: record === null };
}

/** Of what another program put there: what the store itself knows. */
function recordFor({ name }: Attachment, { modifiedAt }: StoredObject): PutOptions["record"] {
  return { name, createdAt: modifiedAt, uploadedBy: null, note: null, meta: {} };
}

async function same({ from, to }: Stores, attachment: Attachment, options: CopyOptions): Promise<Copied> {
  const { key } = attachment;
  const [one, other] = await Promise.all([from.head(key, options), to.head(key, options)]);
  refuseDamaged(one);
  if (one.size === other.size && (await digestOf(from, one, options)) === (await digestOf(to, other, options))) {
    return { outcome: "skipped", attachment };
  }
  throw new TaskflowError("exists", `${to.location} has other bytes under ${key}`, {
    hint: "nothing is overwritten: delete the one that is wrong, for good, and copy again",
    context: { key, size: one.size, otherSize: other.size },
  });
}

/** As recorded; of what nothing was recorded of, by reading it. */
async function digestOf(driver: StorageDriver, { key, record }: StoredObject, options: CopyOptions): Promise<string> {
  if (record !== null) return record.sha256;
  const hash = createHash("sha256");
  const { chunks } = await driver.get(key, options);
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

function refuseDamaged({ key, damaged }: StoredObject): void {
  if (damaged === undefined) return;
  throw new TaskflowError("checksum_mismatch", `the record of ${key} is damaged: ${damaged}`, {
    hint: "its bytes can't be proven any more, so they are not copied",
    context: { key },
  });
}

async function isLive(driver: StorageDriver, key: string, options: CopyOptions): Promise<boolean> {
  try {
    await driver.head(key, options);
    return true;
  } catch (error) {
    if (isTaskflowError(error) && error.code === "not_found") return false;
    throw error;
  }
}
