/** Going on with an upload that an earlier run began: which one, and which of its parts are what they should be. */
import type { Part as ListedPart } from "@aws-sdk/client-s3";
import { isTaskflowError, throwIfAborted } from "../../../errors.ts";
import type { PutOptions, StoredObject } from "../../driver.ts";
import type { Resume } from "../../resume.ts";
import { crcHeader } from "./crc32.ts";
import type { Digests } from "./digest.ts";
import { head } from "../read/head.ts";
import { LedgerError } from "./ledger.ts";
import type { ClaimedEntry, LedgerEntry } from "./ledger.ts";
import { isGone, listParts } from "./list-parts.ts";
import { abandon } from "./multipart.ts";
import type { SentPart, Upload } from "./multipart.ts";
import type { RangedFeed } from "./part-feeds.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";
import { tagAfterwards } from "./tagging.ts";

export type { ListedPart };

/** An earlier upload of the same bytes: it was completed after all, or it goes on. */
export type Earlier =
  | { readonly kind: "stored"; readonly object: StoredObject }
  | {
      readonly kind: "unfinished";
      readonly claimed: ClaimedEntry;
      readonly upload: Upload;
      /** As listed, not yet compared. */
      readonly listed: readonly ListedPart[];
    };

/**
 * `null`: begin anew. What is no use any more is removed on the way: other bytes, parts that the bucket's rule takes,
 * all with `anew`. Errors: those of requests; the entry is left to the next run then.
 */
export async function findEarlier(
  store: S3Store,
  call: SignalledCall,
  digests: Digests,
  options: PutOptions,
): Promise<Earlier | null> {
  const { resume } = options;
  if (store.ledger === null || resume === undefined) return null;
  const { ledger } = store;
  return await withLedger(store, async () => {
    for (;;) {
      const claimed = await ledger.claim(identityOf(store, resume));
      if (claimed === null) break;
      const earlier = await lookInto(store, call, digests, options, claimed);
      if (earlier !== null) return earlier;
    }
    if (await ledger.isBusy(identityOf(store, resume))) resume.tell?.({ kind: "busy" });
    return null;
  });
}

/** Notes a new upload; `null` where it can't be or shouldn't. */
export async function noteUpload(
  store: S3Store,
  entry: LedgerEntry,
  resume: Resume | undefined,
): Promise<ClaimedEntry | null> {
  const { ledger } = store;
  if (ledger === null || resume === undefined || resume.anew) return null;
  return await withLedger(store, () => ledger.add(identityOf(store, resume), entry));
}

/** The parts that are there and what they should be. A part is told by its CRC32, else by its MD5; others are sent again. */
export async function comparedParts(
  listed: readonly ListedPart[],
  feed: RangedFeed,
  signal: AbortSignal,
): Promise<SentPart[]> {
  const same: SentPart[] = [];
  let buffer: Buffer | null = null;
  for (const { PartNumber: number = 0, Size: size, ETag: etag = "", ChecksumCRC32: crc } of listed) {
    throwIfAborted(signal);
    const expected = feed.crcOf(number);
    if (expected === null || size !== feed.lengthOf(number)) continue;
    if (crc === undefined) {
      buffer ??= Buffer.allocUnsafe(feed.bufferSize);
      if ((await feed.part(number, buffer).digest("md5")) !== etag.replaceAll('"', "")) continue;
    } else if (crc !== crcHeader(expected)) continue;
    same.push({ number, etag, crc: expected });
  }
  return same;
}

/** `null`: it was no use, and is gone. */
async function lookInto(
  store: S3Store,
  call: SignalledCall,
  digests: Digests,
  options: PutOptions,
  claimed: ClaimedEntry,
): Promise<Earlier | null> {
  const { key, uploadId, size, sha256, createdAt, abortAt } = claimed.entry;
  const upload: Upload = { store, call: { ...call, act: `store ${key}`, key }, key, uploadId };
  try {
    const isSame = size === digests.size && sha256 === digests.sha256;
    const isLate = abortAt !== null && abortAt <= store.now();
    if (isSame && options.resume?.anew !== true && !isLate) {
      const listed = await listedOrNone(upload, options.signal);
      if (listed !== null) return { kind: "unfinished", claimed, upload, listed };
      const object = await stored(upload, digests, options);
      await claimed.remove();
      return object === null ? null : { kind: "stored", object };
    }
    if (!isSame) options.resume?.tell?.({ kind: "changed", begunAt: createdAt });
    await abandon(upload);
    await claimed.remove();
    return null;
  } catch (error) {
    await claimed.release();
    throw error;
  }
}

/** `null`: there is no such upload any more. Who may not list the parts can send them again, over the same ones. */
async function listedOrNone({ store, key, uploadId }: Upload, signal: AbortSignal): Promise<ListedPart[] | null> {
  const parts: ListedPart[] = [];
  try {
    for await (const part of listParts(store, { key, uploadId }, signal)) parts.push(part);
    return parts;
  } catch (error) {
    if (isGone(error)) return null;
    if (isTaskflowError(error) && error.code === "access_denied") return [];
    throw error;
  }
}

/** The upload is gone: because it was completed, where our object is under its key. */
async function stored(
  { store, call, key }: Upload,
  { size, sha256 }: Digests,
  { tags = {}, signal }: PutOptions,
): Promise<StoredObject | null> {
  let found: StoredObject;
  try {
    found = await head(store, key, { act: `store ${key}`, signal });
  } catch (error) {
    if (isTaskflowError(error) && error.code === "not_found") return null;
    throw error;
  }
  if (found.size !== size || found.record?.sha256 !== sha256) return null;
  const object = { ...found, tags };
  await tagAfterwards(store, call, object);
  return object;
}

/** Without a ledger an upload is as good as any, only its interruption costs more. */
async function withLedger<T>(store: S3Store, work: () => Promise<T>): Promise<T | null> {
  if (store.learnt.cannotNote) return null;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    store.learnt.cannotNote = true;
    store.warn(
      `an interruption would begin this upload anew, for what is under way can't be noted at ${error.path}: ${error.message}`,
    );
    return null;
  }
}

function identityOf({ location, settings: { endpoint } }: S3Store, { identity }: Resume): string {
  return JSON.stringify([endpoint, location, identity]);
}
