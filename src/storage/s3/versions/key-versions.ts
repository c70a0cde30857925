/** Versions and delete markers, in S3's order: by key, the newest of each first. */
import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import type { ObjectVersion } from "@aws-sdk/client-s3";
import { isTaskflowError, throwIfAborted } from "../../../errors.ts";
import type { TaskflowError } from "../../../errors.ts";
import { compareKeys, sortKeys } from "../../key-order.ts";
import { DEFAULT_CLASS } from "../read/describe.ts";
import type { Call } from "../failures/errors.ts";
import { checkPage, decodeKey, eachOfPages, incomplete, listedKey } from "../read/pages.ts";
import { request } from "../client/request.ts";
import type { S3Store } from "../store.ts";

export interface Entry {
  readonly key: string;
  readonly versionId: string;
  readonly isMarker: boolean;
  /** Whether it is what the key shows now. */
  readonly isLatest: boolean;
  readonly modifiedAt: Date;
  /** Bytes; 0 of a marker. */
  readonly size: number;
  readonly storageClass: string;
}

/** What a version is called that was stored while versioning was not on: another such write or delete replaces it. */
export const NULL_VERSION = "null";

export interface VersionsOptions {
  /** Only keys after this one. */
  readonly after?: string;
  readonly signal: AbortSignal;
}

/** Everything that is kept under the prefix, a page at a time. */
export async function* listVersions(
  store: S3Store,
  prefix: string,
  { after, signal }: VersionsOptions,
): AsyncGenerator<Entry, void, undefined> {
  const call = { act: `list the versions of ${store.location}/${prefix}`, action: "s3:ListBucketVersions", signal };
  const entries = eachOfPages(call, async (from) => {
    const [keyMarker = after, versionMarker] = from === null ? [] : (JSON.parse(from) as [string, string | undefined]);
    const page = await request(store, call, (client, options) =>
      client.send(
        new ListObjectVersionsCommand({
          Bucket: store.bucket,
          EncodingType: "url",
          ...(prefix === "" ? {} : { Prefix: prefix }),
          ...(keyMarker === undefined ? {} : { KeyMarker: keyMarker }),
          ...(!versionMarker ? {} : { VersionIdMarker: versionMarker }),
        }),
        options,
      ),
    );
    const more = checkPage(store, call, page);
    const { NextKeyMarker, NextVersionIdMarker, EncodingType, Versions, DeleteMarkers } = page;
    if (more && !NextKeyMarker) throw incomplete(call, "the store says that there is more, but not where");
    const items = merge(
      (Versions ?? []).map((one) => entryOf(call, prefix, { ...one, isMarker: false }, EncodingType)),
      (DeleteMarkers ?? []).map((one) => entryOf(call, prefix, { ...one, isMarker: true }, EncodingType)),
    );
    const next = JSON.stringify([decodeKey(NextKeyMarker ?? "", EncodingType), NextVersionIdMarker]);
    return { items, next: more ? next : null };
  });
  for await (const entry of entries) if (after === undefined || compareKeys(entry.key, after) > 0) yield entry;
}

/** All that is kept of one key, the newest first. */
export async function versionsOfKey(store: S3Store, key: string, signal: AbortSignal): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of listVersions(store, key, { signal })) {
    // The prefix comes before everything that begins with it.
    if (entry.key !== key) break;
    found.push(entry);
  }
  return found;
}

/** Of so many neighbours one listing is cheaper than one for each. */
const NEIGHBOURS = 4;

/** Entries that a listing of neighbours may bring for each that is wanted; with more, each key is asked for itself. */
const ENTRIES_A_KEY = 20;

/** What is kept of one of the keys that were asked for, the newest first. */
export type EntriesOf = (key: string) => Promise<readonly Entry[]>;

/** All that is kept of each of the keys, the newest first; a few requests where they are neighbours. */
export async function versionsOfKeys(store: S3Store, keys: readonly string[], signal: AbortSignal): Promise<EntriesOf> {
  const found = new Map<string, Entry[]>();
  const failed = new Map<string, TaskflowError>();
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    groups.set(folder, [...(groups.get(folder) ?? []), key]);
  }
  for (const group of groups.values()) {
    if (group.length < NEIGHBOURS) continue;
    await scan(store, sortKeys(group), found, signal).catch((error: unknown) => {
      throwIfAborted(signal);
      // A server that fails is not asked once more for each of them. Any other failure is told of each.
      if (isTaskflowError(error) && error.retryable) for (const key of group) failed.set(key, error);
    });
  }
  return async (key) => {
    const known = found.get(key);
    if (known !== undefined) return known;
    const failure = failed.get(key);
    if (failure !== undefined) throw failure;
    return await versionsOfKey(store, key, signal);
  };
}

/** One listing from the first to the last of them. Fills in only what it has seen all of. */
async function scan(
  store: S3Store,
  sorted: readonly string[],
  found: Map<string, Entry[]>,
  signal: AbortSignal,
): Promise<void> {
  const [first = ""] = sorted;
  const last = sorted.at(-1) ?? "";
  const folder = first.slice(0, first.lastIndexOf("/") + 1);
  const wanted = new Map(sorted.map((key): [string, Entry[]] => [key, []]));
  let budget = ENTRIES_A_KEY * sorted.length;
  // A listing goes on after a key; this one is just before the first.
  for await (const entry of listVersions(store, folder, { after: first.slice(0, -1), signal })) {
    if (compareKeys(entry.key, last) > 0) break;
    budget -= 1;
    if (budget < 0) return;
    wanted.get(entry.key)?.push(entry);
  }
  // A server may lose the first entry after a marker that is no key (moto 5.2): such a key is asked for itself.
  for (const [key, entries] of wanted) if (entries[0]?.isLatest === true) found.set(key, entries);
}

type Listed = ObjectVersion & { readonly isMarker: boolean };

function entryOf(call: Call, prefix: string, listed: Listed, encoding: string | undefined): Entry {
  const { Key, VersionId, IsLatest, LastModified, Size, StorageClass, isMarker } = listed;
  if (Key === undefined || VersionId === undefined || LastModified === undefined) {
    throw incomplete(call, "the store leaves out what each version is");
  }
  return {
    key: listedKey(call, prefix, Key, encoding),
    versionId: VersionId,
    isMarker,
    isLatest: IsLatest === true,
    modifiedAt: LastModified,
    size: Size ?? 0,
    storageClass: StorageClass ?? DEFAULT_CLASS,
  };
}

/** The SDK hands the two kinds out apart; each is in order. Of one key the latest is first, then the newer one. */
function merge(versions: readonly Entry[], markers: readonly Entry[]): Entry[] {
  const merged: Entry[] = [];
  let v = 0;
  let m = 0;
  for (;;) {
    const version = versions[v];
    const marker = markers[m];
    if (version === undefined) return [...merged, ...markers.slice(m)];
    if (marker === undefined) return [...merged, ...versions.slice(v)];
    if (comesFirst(version, marker)) {
      merged.push(version);
      v += 1;
    } else {
      merged.push(marker);
      m += 1;
    }
  }
}

function comesFirst(version: Entry, marker: Entry): boolean {
  const order = compareKeys(version.key, marker.key);
  if (order !== 0) return order < 0;
  if (version.isLatest || marker.isLatest) return version.isLatest;
  return version.modifiedAt > marker.modifiedAt;
}
