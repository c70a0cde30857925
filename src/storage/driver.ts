/**
 * What a store must do. A driver translates these calls to its store; it does not validate, retry, limit or print.
 * It keeps bytes under keys and knows nothing of tasks. `open.ts` wraps it once.
 *
 * Promised to every method: keys have passed `checked` (storage/checked.ts), so a driver may take them as they are.
 * Asked of every method: each rejection is a TaskflowError; an aborted signal rejects with `interrupted` (or the
 * TaskflowError the signal was aborted with) and leaves nothing half-done.
 *
 * Every sentence here is a test of the conformance suite (test/conformance).
 */
import type { TaskflowError } from "../errors.ts";
import type { CheckOptions, CheckResult } from "./check.ts";
import type { Lifecycle } from "./lifecycle/lifecycle.ts";
import type { Inspection } from "./inspection.ts";
import type { Presigner } from "./presigner.ts";
import type { Resume } from "./resume.ts";

/** What a listing tells of an object without another request. */
export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** When the store says this content was written. */
  readonly modifiedAt: Date;
  /** S3's name for it; on a folder a label that changes nothing. */
  readonly storageClass: string;
}

/** What is recorded with an object by whoever put it; immutable once written. */
export interface ObjectRecord {
  /** The true name, before the key's name rule; a relative path after `upload -r`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Hex, lower case. */
  readonly sha256: string;
  readonly createdAt: Date;
  /** Claimed, not proven. */
  readonly uploadedBy: string | null;
  readonly note: string | null;
  readonly meta: Readonly<Record<string, string>>;
}

/** Everything a store knows of one object. */
export interface StoredObject extends ObjectInfo {
  /** The media type it was stored with, if any. */
  readonly type: string | null;
  /** `null`: nothing was recorded, for example because another program put it there. */
  readonly record: ObjectRecord | null;
  /** Present: something was recorded but can't be read, for this reason; `record` is `null` then, the bytes unproven. */
  readonly damaged?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Present: its bytes can't be read, or only until then; absent: they can be. */
  readonly archive?: ArchiveState;
  /** Present: the store said when its rules will remove it. */
  readonly expires?: Expiry;
}

/** Of an object whose bytes must be asked for before they can be read. */
export interface ArchiveState {
  readonly state: "archived" | "thawing" | "thawed";
  /** When the thawed copy ends; `null`: there is none yet, or the store doesn't say. */
  readonly until: Date | null;
}

/** When a rule of the store removes an object. */
export interface Expiry {
  readonly at: Date;
  /** The rule's id, where the store says it. */
  readonly rule: string | null;
}

/**
 * Bytes to store. `chunks` may be called again only where `repeatable`; each chunk is valid only until the next one is
 * asked for (buffers are reused). `settle` is called once after the last chunk was read and rejects with `changed`
 * where the source is no longer what it was when the reading began. The caller closes the body, the driver never does.
 */
export interface Body {
  /** Bytes, where known beforehand. */
  readonly size: number | null;
  readonly repeatable: boolean;
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
  settle(bytesRead: number): Promise<void>;
  /**
   * Reads `length` bytes from `position` into the buffer's beginning and tells how many there were: fewer only where
   * the source ends. Several at once are fine. Present only where `repeatable`.
   */
  readAt?(buffer: Uint8Array, position: number, length: number): Promise<number>;
}

export interface PutOptions {
  /** The record but for what only the bytes tell. */
  readonly record: Omit<ObjectRecord, "size" | "sha256">;
  /**
   * More of the record's `meta`, for what only the end of a body tells: asked for once, after `settle`. Only with bodies
   * of unknown size. What it throws ends the put, and nothing is stored.
   */
  readonly lateMeta?: () => Readonly<Record<string, string>>;
  readonly type: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly storageClass?: string;
  /** `exists` if anything is under this key, atomically. Always set by taskflow itself: a key is written once. */
  readonly ifAbsent: boolean;
  /** Hex: other bytes are `checksum_mismatch`, and nothing is stored. */
  readonly sha256?: string;
  /** More bytes than this are `too_large`, and nothing is stored: for bodies whose size isn't known beforehand. */
  readonly maxSize?: number;
  /** No bytes at all are `usage`, and nothing is stored: for bodies whose size isn't known beforehand. */
  readonly notEmpty?: boolean;
  /** What becomes of it if it is interrupted. Absent: nothing of it stays. Only of use with bodies that have `readAt`. */
  readonly resume?: Resume | undefined;
  readonly signal: AbortSignal;
  /**
   * Called with the number of bytes that have been taken from the body since the last call: 0 where they begin to go,
   * fewer than 0 where some have to go again.
   */
  readonly onBytes?: (count: number) => void;
  /** Bytes that were read to hash them, where all are before the first is stored. */
  readonly onRead?: (count: number) => void;
}

export interface Range {
  /** The first byte, counted from 0. */
  readonly start: number;
  /** The last byte, inclusive, as in HTTP. */
  readonly end: number;
}

export interface GetResult {
  readonly object: StoredObject;
  /**
   * A cut connection or a short file rejects, it never ends early. Leaving the loop closes what is open. A chunk is the
   * reader's own: its bytes are not used again.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface ListOptions {
  /** Only keys after this one, in key order. */
  readonly after?: string;
  readonly signal: AbortSignal;
}

export interface DeleteResult {
  readonly key: string;
  /** Present: this key was not deleted, for this reason. */
  readonly error?: TaskflowError;
  /** Whether there was something to delete; `null` where the store can't tell. Of two at once, a folder tells one `false`. */
  readonly existed: boolean | null;
  /** Whether `versions.undelete` can bring it back. */
  readonly undoable: boolean;
  readonly deletedAt: Date;
}

/** A deleted object whose content is still kept. */
export interface DeletedObject extends ObjectInfo {
  readonly deletedAt: Date;
}

export interface KeyResult {
  readonly key: string;
  readonly error?: TaskflowError;
}

/** What a store that keeps deleted content can do. */
export interface Versions {
  /**
   * Whether a delete can be undone from now on; `null` where that may not be known. Absent: always. `undoable` tells it
   * of each object afterwards.
   */
  keepsDeleted?(options: { signal: AbortSignal }): Promise<boolean | null>;
  /** Deleted objects in key order, one per key: the one deleted last. A key that is live is not among them. */
  listDeleted(prefix: string, options: ListOptions): AsyncIterable<DeletedObject>;
  /** As `head`, of the deleted object. `not_found` if this key is not deleted. */
  headDeleted(key: string, options: { signal: AbortSignal }): Promise<StoredObject & { deletedAt: Date }>;
  /**
   * What was recorded with the oldest content that is kept of the key; `null` where nothing was, where there is but one
   * content, or where that may not be read. Absent where a record outlasts the content that it is of.
   */
  firstRecord?(key: string, options: { signal: AbortSignal }): Promise<ObjectRecord | null>;
  /** Brings back what was deleted last. `exists` where the key is live, `not_found` where nothing is kept. */
  undelete(keys: Iterable<string>, options: { signal: AbortSignal }): AsyncIterable<KeyResult>;
  /** Destroys the key, live or deleted, with all its versions. `not_found` where there is nothing. */
  purge(keys: Iterable<string>, options: { signal: AbortSignal }): AsyncIterable<KeyResult>;
}

/** How quickly an archived object is wanted, in S3's words. */
export type ThawTier = "standard" | "bulk" | "expedited";

export interface ThawOptions {
  /** How long its bytes are to stay readable, 1 or more. */
  readonly days: number;
  readonly tier: ThawTier;
  /** Asks the store for nothing, only tells what would come of it. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** What came of asking for an archived object. */
export interface Thaw {
  readonly key: string;
  /** `extended`: a copy was there already, and stays longer. `not_archived`: nothing was asked for. */
  readonly outcome: "begun" | "under_way" | "extended" | "not_archived";
  /** `null`: it can be read as it is. */
  readonly archive: ArchiveState | null;
  /** Seconds that it takes as a rule; `null` where nothing is to come, or the store doesn't say. */
  readonly usually: { readonly from: number | null; readonly to: number } | null;
}

/** What a store with an archive can do. */
export interface Archive {
  /**
   * Asks for an object's bytes, or where none is live for those of what was deleted last; returns before they are there,
   * `head` or `headDeleted` tells when. `not_found` as `head`; `unsupported`, before anything is asked for, where its
   * class has no such tier.
   */
  thaw(key: string, options: ThawOptions): Promise<Thaw>;
}

/** What a store can honour; an option it can't is an error before a byte is sent. */
export interface Supports {
  /** `ifAbsent` is atomic. */
  readonly ifAbsent: boolean;
  readonly storageClass: boolean;
  readonly tags: boolean;
  /** The largest object, in bytes. */
  readonly maxSize: number;
}

export interface GetOptions {
  readonly range?: Range;
  /** Warns where tags may not be read, so that an object may have some that are not told. */
  readonly wantsTags?: boolean;
  readonly signal: AbortSignal;
}

export interface StorageDriver {
  /** Where it is, printable, never a secret: an absolute path or `s3://bucket`. */
  readonly location: string;
  readonly supports: Supports;
  /** Presence is the capability. */
  readonly versions?: Versions;
  /** Presence is the capability. */
  readonly archive?: Archive;
  /** Presence is the capability. */
  readonly lifecycle?: Lifecycle;
  /** Presence is the capability: a folder has it where it was opened with what signs its links. */
  readonly presigner?: Presigner;
  /** Whole or nothing; acknowledged only once durable. A body that fails or changes leaves nothing. */
  put(key: string, body: Body, options: PutOptions): Promise<StoredObject>;
  /** `not_found` where there is no live object. */
  head(key: string, options: { signal: AbortSignal }): Promise<StoredObject>;
  /** All that is known of one object, its versions too. `not_found` as `head`. */
  inspect(key: string, options: { signal: AbortSignal }): Promise<Inspection>;
  /** `not_found` as `head`. A range reaches at most to the end; one that begins past it is `usage`. */
  get(key: string, options: GetOptions): Promise<GetResult>;
  /** Live objects in S3's key order (bytes of UTF-8), a page at a time. A broken page throws; the list is never shorter than the truth. */
  list(prefix: string, options: ListOptions): AsyncIterable<ObjectInfo>;
  /** One result a key, in the order given, each only once it is durable. An absent key is no error. */
  delete(keys: Iterable<string>, options: { signal: AbortSignal }): AsyncIterable<DeleteResult>;
  /** What is right and wrong with the store, for `doctor`. Presence is the capability. Rejects with the signal's reason only. */
  check?(options: CheckOptions): AsyncIterable<CheckResult>;
  close(): Promise<void>;
}
