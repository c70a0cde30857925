/** Tags, which take a request of their own and a permission of their own. */
import { GetObjectTaggingCommand } from "@aws-sdk/client-s3";
import { isTaskflowError } from "../../../errors.ts";
import { request } from "../client/request.ts";
import type { S3Store } from "../store.ts";

type Tags = Record<string, string>;

interface Place {
  readonly key: string;
  /** Absent: the live object. */
  readonly versionId?: string | undefined;
}

export interface TagsOptions {
  readonly signal: AbortSignal;
  readonly versionId?: string;
  /** As `GetOptions.wantsTags`. */
  readonly wanted?: boolean;
}

/** `count`: as HEAD or GET told it; left out where there are none, or none may be read. */
export async function tagsOf(
  store: S3Store,
  key: string,
  count: number | undefined,
  { signal, versionId, wanted = false }: TagsOptions,
): Promise<Tags> {
  const { learnt } = store;
  const isUnknown = count === undefined && wanted && learnt.tags === null;
  if ((!isUnknown && (count ?? 0) === 0) || learnt.tags === "hidden") return {};
  const tags = await allTags(store, { key, versionId }, signal);
  if (tags !== null) learnt.tags = "told";
  else hide(store, wanted);
  return tags ?? {};
}

function hide({ location, learnt, warn }: S3Store, wanted: boolean): void {
  if (wanted && learnt.tags !== "hidden") {
    warn(`tags may not be read in ${location} (s3:GetObjectTagging): what has any is taken without them`);
  }
  learnt.tags = "hidden";
}

/** `null` where they may not be read, or not any more. Asked for without a HEAD: it tells of tags only whom may read them. */
export async function knownTags(store: S3Store, place: Place, signal: AbortSignal): Promise<Tags | null> {
  return await readableTags(store, place, ["unsupported", "access_denied", "not_found"], signal);
}

/**
 * Asked for, whatever HEAD told, of an object that a reply has just told of. `null`: they may not be read. A store that
 * knows no tags has none; and one that finds nothing (404) says so of the tags, not of the object.
 */
export async function allTags(store: S3Store, place: Place, signal: AbortSignal): Promise<Tags | null> {
  try {
    return await readableTags(store, place, ["access_denied"], signal);
  } catch (error) {
    if (isTaskflowError(error) && ["unsupported", "not_found"].includes(error.code)) return {};
    throw error;
  }
}

/** As some stores answer for an object without tags, with 404. */
const NO_TAGS: ReadonlySet<unknown> = new Set(["NoSuchTagSet", "NoSuchTagSetError"]);

/** `null` for an error of these codes. */
async function readableTags(
  store: S3Store,
  { key, versionId }: Place,
  codes: readonly string[],
  signal: AbortSignal,
): Promise<Tags | null> {
  const call = { act: `read the tags of ${key}`, action: "s3:GetObjectTagging", key, signal };
  try {
    const { TagSet } = await request(store, call, (client, options) =>
      client.send(
        new GetObjectTaggingCommand({
          Bucket: store.bucket,
          Key: key,
          ...(versionId === undefined ? {} : { VersionId: versionId }),
        }),
        options,
      ),
    );
    return Object.fromEntries((TagSet ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
  } catch (error) {
    if (!isTaskflowError(error)) throw error;
    if (NO_TAGS.has(error.context["name"])) return {};
    if (codes.includes(error.code)) return null;
    throw error;
  }
}
