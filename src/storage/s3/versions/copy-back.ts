/** Brings a version back by copying it over its marker: for who may write but not remove versions. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart, CreateMultipartUploadCommandInput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { TaskflowError, isTaskflowError } from "../../../errors.ts";
import { isArchiveClass } from "../../archive-class.ts";
import { DEFAULT_CLASS } from "../read/describe.ts";
import { head, headRaw } from "../read/head.ts";
import type { Entry } from "./key-versions.ts";
import { explained, request, requestRaw } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import { GiB, MiB } from "../store.ts";
import type { S3Store } from "../store.ts";
import { allTags } from "../read/tags.ts";
import { abandon } from "../upload/multipart.ts";
import type { Upload } from "../upload/multipart.ts";
import { mayBeDone, settleWrite } from "../upload/settle.ts";
import { tagAfterwards, taggingOf } from "../upload/tagging.ts";
import { sideBySide } from "../upload/workers.ts";

/** The most that CopyObject copies (API reference). */
const COPY_AT_MOST = 5 * GiB;

const PARTS_AT_ONCE = 8;

/**
 * Bytes, type, metadata, tags and class are those of the version, but that a thawed one comes back where it can be read;
 * its time is that of the copy. Errors: `archived` where the bytes can't be read; `exists` where something is under the key by now.
 */
export async function copyBack(
  store: S3Store,
  { key, versionId, size, storageClass }: Entry,
  signal: AbortSignal,
): Promise<void> {
  const call: SignalledCall = { act: `undelete ${key}`, action: "s3:PutObject", key, signal };
  const copy: Copy = {
    store,
    call,
    key,
    versionId,
    size,
    source: `${store.bucket}/${encodePath(key)}?versionId=${encodeURIComponent(versionId)}`,
    storageClass:
      storageClass === DEFAULT_CLASS || isArchiveClass(storageClass)
        ? {}
        : { StorageClass: storageClass as "STANDARD" },
    // Over a marker there is nothing; over what somebody put there meanwhile it would be a replacement.
    condition: store.isAws ? { IfNoneMatch: "*" } : {},
  };
  try {
    if (size > COPY_AT_MOST) await copyInParts(copy);
    else await copyWhole(copy);
  } catch (error) {
    throw isTaskflowError(error) && error.code === "archived" ? cannotBeRead(key, error) : error;
  }
}

/** Only who may remove the marker needs no bytes. */
function cannotBeRead(key: string, { requestId, context, cause }: TaskflowError): TaskflowError {
  return new TaskflowError("archived", `cannot undelete ${key}: it is archived, and can't be copied back`, {
    hint: `first: taskflow attach thaw '${key}' --wait; who may s3:DeleteObjectVersion need not`,
    requestId,
    context,
    cause,
  });
}

interface Copy {
  readonly store: S3Store;
  readonly call: SignalledCall;
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly source: string;
  readonly storageClass: { readonly StorageClass?: "STANDARD" };
  readonly condition: { readonly IfNoneMatch?: "*" };
}

/** S3 copies metadata and tags by itself; the class is the one thing that it doesn't. */
async function copyWhole(copy: Copy): Promise<void> {
  const { store, call, key, source, storageClass, condition } = copy;
  await requestRaw(store, call, (client, options) =>
    client.send(
      new CopyObjectCommand({ Bucket: store.bucket, Key: key, CopySource: source, ...storageClass, ...condition }),
      options,
    ),
  ).catch((error: unknown) => settle(copy, error));
}

/** As `settleWrite`, where what is expected is what the version is. */
async function settle({ store, call, key, versionId }: Copy, error: unknown): Promise<void> {
  if (!mayBeDone(error)) throw await explained(store, call, error);
  const version = await head(store, key, { signal: call.signal, versionId }).catch(async () => {
    throw await explained(store, call, error);
  });
  await settleWrite(store, call, error, version);
}

async function copyInParts(copy: Copy): Promise<void> {
  const { store, call, key, versionId, storageClass, condition } = copy;
  const { signal } = call;
  const version = await headRaw(store, key, { signal, versionId });
  const tags = await tagsOfVersion(copy);
  const target = { Bucket: store.bucket, Key: key };
  const { UploadId } = await request(store, call, (client, options) =>
    client.send(
      new CreateMultipartUploadCommand({
        ...target,
        ...headersOfVersion(version),
        ...storageClass,
        ...taggingOf(tags),
      }),
      options,
    ),
  );
  if (UploadId === undefined) throw new TaskflowError("network", `cannot ${call.act}: the store tells no upload id`);
  const upload: Upload = { store, call, key, uploadId: UploadId };
  try {
    const Parts = await copyParts(copy, UploadId);
    await requestRaw(store, call, (client, options) =>
      client.send(
        new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts }, ...condition }),
        options,
      ),
    ).catch((error: unknown) => settle(copy, error));
  } catch (error) {
    await abandon(upload);
    throw error;
  }
  await tagAfterwards(store, call, { key, tags });
}

/** HEAD leaves out how many there are for whom may not read them: that they are lost is said, not passed over. */
async function tagsOfVersion({ store, call, key, versionId }: Copy): Promise<Readonly<Record<string, string>>> {
  const tags = await allTags(store, { key, versionId }, call.signal);
  if (tags !== null) return tags;
  store.warn(`${key} comes back without tags, if it had any: they may not be read (s3:GetObjectVersionTagging)`);
  return {};
}

/** All of them, in order. The first failure stops the others, and rejects once none is in flight any more. */
async function copyParts({ store, call, key, size, source }: Copy, uploadId: string): Promise<CompletedPart[]> {
  const partSize = Math.max(512 * MiB, Math.ceil(size / 10_000 / MiB) * MiB);
  const count = Math.ceil(size / partSize);
  const copied: CompletedPart[] = [];
  let begun = 0;
  await sideBySide(PARTS_AT_ONCE, call.signal, async (signal) => {
    while (begun < count) {
      begun += 1;
      const number = begun;
      const input = {
        Bucket: store.bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: number,
        CopySource: source,
        CopySourceRange: `bytes=${(number - 1) * partSize}-${Math.min(number * partSize, size) - 1}`,
      };
      const { CopyPartResult } = await request(store, { ...call, signal }, (client, options) =>
        client.send(new UploadPartCopyCommand(input), options),
      );
      copied[number - 1] = { PartNumber: number, ETag: CopyPartResult?.ETag ?? "" };
    }
  });
  return copied;
}

function headersOfVersion(version: HeadObjectCommandOutput): Partial<CreateMultipartUploadCommandInput> {
  const { ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, Metadata } = version;
  const all = { ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, Metadata };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The slashes stay. */
function encodePath(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}
