/** What the bucket's lifecycle rules are, and what they work on: S3 itself does what they say. */
import { GetBucketLifecycleConfigurationCommand } from "@aws-sdk/client-s3";
import type { GetBucketLifecycleConfigurationCommandOutput, LifecycleRule as SdkRule } from "@aws-sdk/client-s3";
import { isTaskflowError } from "../../errors.ts";
import type {
  CurrentVersion,
  KeptVersion,
  Lifecycle,
  LifecycleRules,
  NoncurrentVersion,
} from "../lifecycle/lifecycle.ts";
import type { LifecycleRule, MinimumSize } from "../lifecycle/rules.ts";
import { wholeSeconds } from "./read/describe.ts";
import { failed } from "./failures/errors.ts";
import { NULL_VERSION, listVersions } from "./versions/key-versions.ts";
import type { Entry } from "./versions/key-versions.ts";
import { notS3 } from "./failures/network.ts";
import { explained, requestRaw } from "./client/request.ts";
import { isNamed, statusOf } from "./failures/sdk-error.ts";
import type { S3Store, Versioning } from "./store.ts";
import { knownTags } from "./read/tags.ts";
import { unfinished } from "./upload/unfinished.ts";
import { versioningOf } from "./versions/versioning.ts";

export function s3Lifecycle(store: S3Store): Lifecycle {
  return {
    rules: ({ signal }) => readRules(store, signal),
    kept: (prefix, { signal }) => kept(store, prefix, signal),
    // The current version is asked for as it is read: by its key.
    tags: ({ key, versionId, state }, { signal }) =>
      knownTags(store, state === "current" ? { key } : { key, versionId }, signal),
    unfinished: (prefix, { signal }) => unfinished(store, prefix, signal),
  };
}

/** Errors: `network` for a reply that is none of S3's, which the SDK takes for a configuration without rules. */
async function readRules(store: S3Store, signal: AbortSignal): Promise<LifecycleRules | null> {
  const call = {
    act: `read the lifecycle rules of ${store.location}`,
    action: "s3:GetLifecycleConfiguration",
    signal,
  };
  const none: LifecycleRules = { rules: [], minimumSize: "none" };
  try {
    const output = await requestRaw(store, call, (client, options) =>
      client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: store.bucket }), options),
    );
    // S3 keeps no configuration without a rule: it says that there is none.
    if (output.Rules === undefined || output.Rules.length === 0) throw failed(call.act, notS3(store));
    return { rules: output.Rules.map(ruleOf), minimumSize: minimumSizeOf(store, output) };
  } catch (error) {
    if (isNamed(error, "NoSuchLifecycleConfiguration")) return none;
    const failure = isTaskflowError(error) ? error : await explained(store, call, error);
    if (failure.code === "access_denied") return null;
    // A server that doesn't know rules has none.
    if (failure.code === "unsupported" && [405, 501].includes(statusOf(error) ?? 0)) return none;
    throw failure;
  }
}

/** S3's JSON: what the SDK makes dates of is text there. */
function ruleOf(rule: SdkRule): LifecycleRule {
  return JSON.parse(JSON.stringify(rule)) as LifecycleRule;
}

function minimumSizeOf(
  { isAws }: S3Store,
  { TransitionDefaultMinimumObjectSize: told }: GetBucketLifecycleConfigurationCommandOutput,
): LifecycleRules["minimumSize"] {
  if (told === "all_storage_classes_128K" || told === "varies_by_storage_class") return told satisfies MinimumSize;
  return isAws ? "unknown" : "none";
}

async function* kept(store: S3Store, prefix: string, signal: AbortSignal): AsyncGenerator<KeptVersion> {
  const versioning = await versioningOf(store, signal);
  let above: Above | null = null;
  for await (const entry of listVersions(store, prefix, { signal })) {
    if (above !== null && entry.key !== above.latest.key) {
      yield* loneMarker(above);
      above = null;
    }
    if (!entry.isMarker) yield versionOf(entry, above, versioning);
    above = withOneMore(above, entry);
  }
  if (above !== null) yield* loneMarker(above);
}

/** What the key has above an entry: one may have more versions than fit. */
interface Above {
  readonly latest: Entry;
  /** The one that took its place; the latest itself where there is no other. */
  readonly successor: Entry;
  /** So many are noncurrent, without the markers. */
  readonly noncurrent: number;
  readonly onlyMarkers: boolean;
}

function withOneMore(above: Above | null, entry: Entry): Above {
  const { isMarker, isLatest } = entry;
  return {
    latest: above?.latest ?? entry,
    successor: entry,
    noncurrent: (above?.noncurrent ?? 0) + (isMarker || isLatest ? 0 : 1),
    onlyMarkers: isMarker && above?.onlyMarkers !== false,
  };
}

function versionOf(entry: Entry, above: Above | null, versioning: Versioning): CurrentVersion | NoncurrentVersion {
  const { key, size, storageClass, versionId } = entry;
  const info = { key, size, storageClass, versionId, modifiedAt: wholeSeconds(entry.modifiedAt) };
  if (entry.isLatest || above === null) {
    return { ...info, state: "current", undoable: isUndoable(versioning, versionId) };
  }
  const { latest, successor, noncurrent, onlyMarkers } = above;
  return {
    ...info,
    state: "noncurrent",
    noncurrentSince: wholeSeconds(successor.modifiedAt),
    newer: noncurrent,
    ...(onlyMarkers ? { deletedAt: wholeSeconds(latest.modifiedAt) } : {}),
  };
}

/** Once versioning is suspended a marker takes the place of what was written since, and hides only older versions. */
function isUndoable(versioning: Versioning, versionId: string): boolean | null {
  if (versioning === "unknown") return null;
  return versioning === "on" || (versioning === "suspended" && versionId !== NULL_VERSION);
}

function* loneMarker({ latest, successor }: Above): Generator<KeptVersion> {
  if (!latest.isMarker || successor !== latest) return;
  yield { state: "marker", key: latest.key, modifiedAt: wholeSeconds(latest.modifiedAt) };
}
