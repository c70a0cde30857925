/** Archived objects: asking S3 for a copy of the bytes that can be read for some days. */
import { RestoreObjectCommand } from "@aws-sdk/client-s3";
import type { RestoreRequest, Tier } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../errors.ts";
import type { ArchiveState, Thaw, ThawOptions, ThawTier } from "../driver.ts";
import { DEFAULT_CLASS } from "./describe.ts";
import { headRaw } from "./head.ts";
import { explained, requestRaw } from "./request.ts";
import type { SignalledCall } from "./request.ts";
import { isNamed } from "./sdk-error.ts";
import { archiveStateOf } from "./states.ts";
import type { S3Store } from "./store.ts";

/** As `Archive.thaw`: a HEAD, the request itself, and a second HEAD where only that tells the new end. */
export async function thaw(store: S3Store, key: string, options: ThawOptions): Promise<Thaw> {
  const { tier, dryRun, signal } = options;
  const { archive, place, moves } = await lookAt(store, key, signal);
  if (archive === null) return { key, outcome: "not_archived", archive, usually: null };
  const known = USUALLY[place]?.[tier];
  if (known === undefined) throw noSuchTier(key, place, tier);
  const usually = store.isAws ? known : null;
  if (dryRun) return { key, outcome: OUTCOMES[archive.state], archive, usually };
  const outcome = await restore(store, key, moves, options);
  if (outcome !== "extended") return { key, outcome, archive: { state: "thawing", until: null }, usually };
  return { key, outcome, archive: (await lookAt(store, key, signal)).archive, usually: null };
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
  moves: boolean,
  { days, tier, signal }: ThawOptions,
): Promise<"begun" | "under_way" | "extended"> {
  const call: SignalledCall = { act: `thaw ${key}`, action: "s3:RestoreObject", key, signal };
  const request: RestoreRequest = {
    GlacierJobParameters: { Tier: TIERS[tier] },
    ...(moves ? {} : { Days: days }),
  };
  try {
    const { $metadata } = await requestRaw(store, call, (client, options) =>
      client.send(new RestoreObjectCommand({ Bucket: store.bucket, Key: key, RestoreRequest: request }), options),
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

async function lookAt(store: S3Store, key: string, signal: AbortSignal): Promise<Place> {
  const { StorageClass = DEFAULT_CLASS, Restore, ArchiveStatus } = await headRaw(store, key, { signal });
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
