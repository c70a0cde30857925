/** What is known of one object, without its bytes. */
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import type { StoredObject } from "../../driver.ts";
import { describe } from "./describe.ts";
import { failed } from "../failures/errors.ts";
import { notS3 } from "../failures/network.ts";
import { causeOf, headersOf, statusOf, withETag } from "../failures/sdk-error.ts";
import { explained, requestRaw } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";
import { tagsOf } from "./tags.ts";

interface HeadOptions {
  readonly signal: AbortSignal;
  /** Absent: the live object. */
  readonly versionId?: string;
  /** Ask for the checksum that S3 keeps. */
  readonly checksum?: true;
  /** What it is asked for, where that is something else than to read it: after "cannot". */
  readonly act?: string;
}

/** As `StorageDriver.head`. */
export async function head(store: S3Store, key: string, options: HeadOptions): Promise<StoredObject> {
  return await describeHead(store, key, await headRaw(store, key, options), options);
}

/** What `headRaw` brought, with the tags. */
export async function describeHead(
  store: S3Store,
  key: string,
  output: HeadObjectCommandOutput,
  options: HeadOptions,
): Promise<StoredObject> {
  return describe(key, sizeOf(store, key, output), output, await tagsOf(store, key, output.TagCount, options));
}

/** The reply itself. Errors: `not_found`, which says so where it was deleted, and the others. */
export async function headRaw(
  store: S3Store,
  key: string,
  { signal, versionId, checksum, act = `read ${key}` }: HeadOptions,
): Promise<HeadObjectCommandOutput> {
  const call: SignalledCall = { act, action: "s3:GetObject", key, signal };
  try {
    return await requestRaw(store, call, async (client, options) => {
      const command = new HeadObjectCommand({
        Bucket: store.bucket,
        Key: key,
        ...(versionId === undefined ? {} : { VersionId: versionId }),
        ...(checksum === undefined ? {} : { ChecksumMode: "ENABLED" }),
      });
      return withETag(await client.send(command, options));
    });
  } catch (error) {
    throw await missing(store, call, error);
  }
}

/** A 404 of HEAD or GET: that of a delete marker says so in its headers. */
export async function missing(store: S3Store, call: SignalledCall, error: unknown): Promise<TaskflowError> {
  if (statusOf(error) === 404 && headersOf(error)["x-amz-delete-marker"] === "true") {
    store.learnt.bucketExists = true;
    return new TaskflowError("not_found", `cannot ${call.act}: it was deleted`, {
      hint: `bring it back with: taskflow attach undelete '${call.key ?? ""}'`,
      context: { key: call.key ?? null },
      cause: causeOf(error),
    });
  }
  return await explained(store, call, error);
}

/** A reply without a length tells nothing that bytes could be compared with. */
export function sizeOf(store: S3Store, key: string, { ContentLength }: { ContentLength?: number | undefined }): number {
  if (ContentLength !== undefined) return ContentLength;
  throw failed(`read ${key}`, notS3(store, "the reply doesn't tell its size"));
}
