/** Upload in parts: a file, which a later run can go on with, or a stream whose digest is known beforehand. */
import { TaskflowError, isTaskflowError, throwIfAborted } from "../../../errors.ts";
import type { Body, PutOptions, StoredObject } from "../../driver.ts";
import { checkTaken } from "../../take-body.ts";
import { partSizeFor } from "./digest.ts";
import { isNamed } from "../failures/sdk-error.ts";
import { refuseTaken } from "./guard.ts";
import { head } from "../read/head.ts";
import type { ClaimedEntry } from "./ledger.ts";
import { UNSETTLED, abandon, begin, complete, timeToTidy } from "./multipart.ts";
import type { SentPart, Upload } from "./multipart.ts";
import { byPosition, inOrder } from "./part-feeds.ts";
import type { PartFeed, RangedFeed, RangedSource } from "./part-feeds.ts";
import { planned } from "./put-single.ts";
import type { Content } from "./put-single.ts";
import type { SignalledCall } from "../client/request.ts";
import { comparedParts, findEarlier, noteUpload } from "./resume.ts";
import type { Earlier, ListedPart } from "./resume.ts";
import { sendParts } from "./send-parts.ts";
import { isSame } from "./settle.ts";
import type { S3Store } from "../store.ts";
import { tagAfterwards } from "./tagging.ts";

export interface LargeSource extends RangedSource {
  /** Called once all parts are there: rejects with `changed` where the source is no longer what was hashed. */
  settle(): Promise<void>;
}

/**
 * Errors: as `StorageDriver.put`. With `resume` what was sent stays where the next run can use it; else, whatever
 * fails, the parts are removed.
 */
export async function putMultipart(
  store: S3Store,
  key: string,
  source: LargeSource,
  options: PutOptions,
): Promise<StoredObject> {
  throwIfAborted(options.signal);
  const call = callFor(key, options);
  const earlier = await findEarlier(store, call, source.digests, options);
  if (earlier?.kind === "stored") {
    options.onBytes?.(earlier.object.size);
    return earlier.object;
  }
  const work = earlier === null ? await beginNew(store, key, source.digests, options) : goOn(earlier, options);
  const feed = byPosition(source, work.partSize, { isProven: store.isAws });
  return await finished(work, feed, source.digests, {
    there: () => whatIsThere(work, feed),
    settle: () => source.settle(),
  });
}

/**
 * A stream that is read once, of known size and digest: its parts go out as they come. The SDK's lib-storage isn't used,
 * for it can't give the CRC32 of the whole at the end, nor tell whether a completion without an answer happened.
 * Errors: as `StorageDriver.put`; whatever fails, the parts are removed.
 */
export async function putStreamed(
  store: S3Store,
  key: string,
  body: Body,
  content: Content,
  options: PutOptions,
): Promise<StoredObject> {
  throwIfAborted(options.signal);
  const work = await beginNew(store, key, content, { ...options, resume: undefined });
  const feed = inOrder(body.chunks(options.signal), content.size, work.partSize);
  try {
    return await finished(work, feed, content, {
      there: () => Promise.resolve([]),
      async settle() {
        const taken = feed.taken();
        await body.settle(taken.size);
        checkTaken(key, taken, content.size, options);
      },
    });
  } finally {
    await feed.close();
  }
}

/** An upload under way. */
interface Work {
  readonly upload: Upload;
  readonly object: StoredObject;
  readonly options: PutOptions;
  readonly partSize: number;
  /** What an earlier run has sent, as the store lists it; `null`: there was none. */
  readonly listed: readonly ListedPart[] | null;
  /** `null`: no later run will go on with it. */
  readonly claimed: ClaimedEntry | null;
  /** So many are there. */
  bytes: number;
}

function callFor(key: string, { signal }: PutOptions): SignalledCall {
  return { act: `store ${key}`, action: "s3:PutObject", key, signal };
}

async function beginNew(store: S3Store, key: string, content: Content, options: PutOptions): Promise<Work> {
  const call = callFor(key, options);
  const object = planned(store, key, content, options);
  if (looksFirst(store, options)) await refuseTaken(store, key, call);
  const upload = await begin(store, call, object, options);
  const partSize = partSizeFor(content.size, store.partSize);
  const { createdAt } = options.record;
  const { uploadId, abortAt } = upload;
  const { size, sha256 } = content;
  const entry = { key, uploadId, size, sha256, partSize, createdAt, abortAt };
  const claimed = await noteUpload(store, entry, options.resume);
  return { upload, object, options, partSize, listed: null, claimed, bytes: 0 };
}

/** Under the key, and with the time, that it was begun with. */
function goOn({ upload, claimed, listed }: Extract<Earlier, { kind: "unfinished" }>, options: PutOptions): Work {
  const { key, size, sha256, createdAt, partSize } = claimed.entry;
  const then: PutOptions = { ...options, record: { ...options.record, createdAt } };
  const object = planned(upload.store, key, { size, sha256 }, then);
  return { upload, object, options: then, partSize, listed, claimed, bytes: 0 };
}

/** The parts that needn't be sent, which is told. */
async function whatIsThere(work: Work, feed: RangedFeed): Promise<readonly SentPart[]> {
  const { claimed, listed, object, options } = work;
  if (claimed === null || listed === null) return [];
  const there = await comparedParts(listed, feed, options.signal);
  feed.leaveOut(new Set(there.map(({ number }) => number)));
  work.bytes = there.reduce((sum, { number }) => sum + feed.lengthOf(number), 0);
  const { createdAt: begunAt } = claimed.entry;
  options.resume?.tell?.({ kind: "resuming", bytes: work.bytes, size: object.size, begunAt });
  return there;
}

/** AWS answers at the end. Others may overwrite without a word; and it would be a pity about the bytes. */
function looksFirst({ isAws, learnt }: S3Store, { ifAbsent }: PutOptions): boolean {
  return ifAbsent && (!isAws || learnt.ignoresConditions);
}

interface Steps {
  /** The parts that needn't be sent. */
  there(): Promise<readonly SentPart[]>;
  /** Rejects where what was sent isn't what was meant. */
  settle(): Promise<void>;
}

async function finished(work: Work, feed: PartFeed, content: Content, steps: Steps): Promise<StoredObject> {
  const stored = await completed(work, feed, content, steps);
  await tagged(work);
  return stored;
}

async function completed(work: Work, feed: PartFeed, { size }: Content, steps: Steps): Promise<StoredObject> {
  const { upload, object, options, claimed } = work;
  const { store, call, key } = upload;
  try {
    const there = await steps.there();
    const sent = await sendParts({
      upload,
      feed,
      async onSent(bytes) {
        work.bytes += bytes;
        await claimed?.touch();
      },
      onBytes: options.onBytes,
    });
    await steps.settle();
    throwIfAborted(options.signal);
    // Once more: much may have happened since, and this is the last moment.
    if (looksFirst(store, options)) await refuseTaken(store, key, call);
    const parts = [...there, ...sent].sort((a, b) => a.number - b.number);
    return await complete(upload, parts, feed.whole(), object, options);
  } catch (error) {
    const reason = isNamed(error, UNSETTLED) ? (error as Error).cause : error;
    if (claimed !== null && isWorthKeeping(reason)) {
      await claimed.release();
      options.resume?.tell?.({ kind: "kept", bytes: work.bytes, size });
      throw reason;
    }
    await abandon(upload);
    await claimed?.remove();
    // While its outcome was unknown the upload may have been completed: then it wasn't there to be removed.
    if (reason !== error) return await wasCompleted(upload, object, reason);
    throw error;
  }
}

/** The last step. Where it fails the object stays, and a later run that knows of it takes this step again. */
async function tagged({ upload: { store, call }, object, claimed }: Work): Promise<void> {
  try {
    await tagAfterwards(store, call, object);
  } catch (error) {
    await (isWorthKeeping(error) ? claimed?.release() : claimed?.remove());
    throw error;
  }
  await claimed?.remove();
}

/** The network's fault, the credentials', the person's: not that of what was sent. */
function isWorthKeeping(error: unknown): boolean {
  if (!isTaskflowError(error) || error.code === "changed") return false;
  return error.retryable || error.exit === 4 || error.code === "interrupted";
}

async function wasCompleted({ store, call, key }: Upload, object: StoredObject, cause: unknown): Promise<StoredObject> {
  try {
    const found = await head(store, key, { signal: timeToTidy(call) });
    if (isSame(found, object)) return { ...found, tags: object.tags };
  } catch {
    // The error that began it is the one to tell.
  }
  if (cause instanceof Error) throw cause;
  throw new TaskflowError("network", `cannot ${call.act}`, { cause });
}
