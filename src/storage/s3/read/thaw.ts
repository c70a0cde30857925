/** Archived objects: asking S3 for a copy of the bytes that can be read for some days. */
import { RestoreObjectCommand } from "@aws-sdk/client-s3";
import type { RestoreRequest, Tier } from "@aws-sdk/client-s3";
import { TaskflowError, isTaskflowError, throwIfAborted } from "../../../errors.ts";
import type { ArchiveState, Thaw, ThawOptions, ThawTier } from "../../driver.ts";
import { DEFAULT_CLASS } from "./describe.ts";
import { headRaw } from "./head.ts";
import { versionsOfKey } from "../versions/key-versions.ts";
import { keptOf } from "../versions/list-deleted.ts";
import { explained, requestRaw } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import { isNamed } from "../failures/sdk-error.ts";
import { archiveStateOf } from "./states.ts";
import type { S3Store } from "../store.ts";

/** As `Archive.thaw`: a HEAD, the request itself, and a second HEAD where only that tells the new end. */
export async function thaw(store: S3Store, key: string, options: ThawOptions): Promise<Thaw> {
  const { tier, dryRun, signal } = options;
  const found = await find(store, key, signal);
  const { archive, place } = found;
  if (archive === null) return { key, outcome: "not_archived", archive, usually: null };
  const known = USUALLY[place]?.[tier];
  if (known === undefined) throw noSuchTier(key, place, tier);
  const usually = store.isAws ? known : null;
  if (dryRun) return { key, outcome: OUTCOMES[archive.state], archive, usually };
  const outcome = await restore(store, key, found, options);
  if (outcome !== "extended") return { key, outcome, archive: { state: "thawing", until: null }, usually };
  return { key, outcome, archive: (await lookAt(store, key, { signal, ...found.version })).archive, usually: null };
}

const HOUR = 3600;
const COLD = {
  expedited: { from: 60, to: 300 },
  standard: { from: 3 * HOUR, to: 5 * HOUR },
  bulk: { from: 5 * HOUR, to: 12 * HOUR },
} as const;
const COLDEST = { standard: { from: null, to: 12 * HOUR }, bulk: { from: null, to: 48 * HOUR } } as const;

/**
 * By storage class, or archive tier of INTELLIGENT_TIERING (S3 User Guide, "Understanding archive retrieval options").
 * What isn't there S3 refuses.
 */
const USUALLY: Readonly<Record<string, { readonly [tier in ThawTier]?: NonNullable<Thaw["usually"]> }>> = {
  GLACIER: COLD,
  DEEP_ARCHIVE: COLDEST,
  ARCHIVE_ACCESS: COLD,
  DEEP_ARCHIVE_ACCESS: COLDEST,
};

const TIERS = { standard: "Standard", bulk: "Bulk", expedited: "Expedited" } as const satisfies Record<ThawTier, Tier>;

/** What each state leads to, as far as it can be told beforehand. */
const OUTCOMES = { archived: "begun", thawing: "under_way", thawed: "extended" } as const satisfies Record<
  ArchiveState["state"],
  Thaw["outcome"]
>;

/** Also where a thaw is under way: a quicker tier then makes it quicker, and S3 says which of both it is. */
async function restore(
  store: S3Store,
  key: string,
  { moves, version }: Found,
  { days, tier, signal }: ThawOptions,
): Promise<"begun" | "under_way" | "extended"> {
  const call: SignalledCall = { act: `thaw ${key}`, action: "s3:RestoreObject", key, signal };
  const request: RestoreRequest = {
    GlacierJobParameters: { Tier: TIERS[tier] },
    ...(moves ? {} : { Days: days }),
  };
  try {
    const { $metadata } = await requestRaw(store, call, (client, options) =>
      client.send(
        new RestoreObjectCommand({
          Bucket: store.bucket,
          Key: key,
          ...(version.versionId === undefined ? {} : { VersionId: version.versionId }),
          RestoreRequest: request,
        }),
        options,
      ),
    );
    // 202 where it was archived, 200 where a copy was there (API reference, RestoreObject).
    return $metadata.httpStatusCode === 200 ? "extended" : "begun";
  } catch (error) {
    if (isNamed(error, "RestoreAlreadyInProgress")) return "under_way";
    throw await explained(store, call, error);
  }
}

interface Place {
  readonly archive: ArchiveState | null;
  /** The storage class, or the archive tier of INTELLIGENT_TIERING. */
  readonly place: string;
  /** Out of INTELLIGENT_TIERING's archives an object moves for good: there is no copy that could end. */
  readonly moves: boolean;
}

interface Found extends Place {
  /** Of what was deleted; empty: it is live. */
  readonly version: { readonly versionId?: string };
}

/** Undelete may have to copy a version, and then needs its bytes. */
async function find(store: S3Store, key: string, signal: AbortSignal): Promise<Found> {
  try {
    return { ...(await lookAt(store, key, { signal })), version: {} };
  } catch (error) {
    if (!isTaskflowError(error) || error.code !== "not_found") throw error;
    // Who may not list versions is told of the live one.
    const entries = await versionsOfKey(store, key, signal).catch(() => []);
    throwIfAborted(signal);
    const kept = keptOf(entries);
    if (kept === null) throw error;
    const version = { versionId: kept.version.versionId };
    return { ...(await lookAt(store, key, { signal, ...version })), version };
  }
}

async function lookAt(
  store: S3Store,
  key: string,
  options: { readonly signal: AbortSignal; readonly versionId?: string },
): Promise<Place> {
  const { StorageClass = DEFAULT_CLASS, Restore, ArchiveStatus } = await headRaw(store, key, options);
  return {
    archive: archiveStateOf(StorageClass, Restore, ArchiveStatus),
    place: ArchiveStatus ?? StorageClass,
    moves: ArchiveStatus !== undefined,
  };
}

function noSuchTier(key: string, place: string, tier: ThawTier): TaskflowError {
  const tiers = Object.keys(USUALLY[place] ?? {});
  return new TaskflowError("unsupported", `cannot thaw ${key}: ${place} knows no ${tier} tier`, {
    hint: tiers.length === 0 ? null : `it knows: ${tiers.join(", ")}`,
    context: { key, storageClass: place },
  });
}
