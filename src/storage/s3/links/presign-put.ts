/** A link to upload with: one PUT, and what binds it. */
import { HeadBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { TaskflowError, isTaskflowError } from "../../../errors.ts";
import { encodeRecord } from "../../metadata.ts";
import type { PresignPutOptions } from "../../presigner.ts";
import { request } from "../client/request.ts";
import { GiB } from "../store.ts";
import type { S3Store } from "../store.ts";

/** The most that one PUT or POST takes (API reference). */
export const ONE_REQUEST_AT_MOST = 5 * GiB;

/** Errors: `too_large`; `unsupported` for a largest size, which no header of a PUT can say. */
export function checkBindable(store: S3Store, { name, size, maxSize }: PresignPutOptions): void {
  if (size !== null && size > ONE_REQUEST_AT_MOST) {
    throw new TaskflowError(
      "too_large",
      `cannot sign an upload of ${name}: one PUT takes at most ${ONE_REQUEST_AT_MOST} bytes`,
    );
  }
  if (size === null && maxSize !== null && maxSize < ONE_REQUEST_AT_MOST) {
    throw new TaskflowError(
      "unsupported",
      `cannot sign an upload of ${name}: a PUT to ${store.location} can't bind a largest size`,
      { hint: "--size binds the exact one, --post a range" },
    );
  }
}

/** A link for another region or no bucket at all would fail only for its holder. Who may not ask isn't told. */
export async function checkBucket(store: S3Store, signal: AbortSignal): Promise<void> {
  if (store.learnt.bucketExists) return;
  const call = { act: `look for ${store.location}`, action: "s3:ListBucket", signal };
  try {
    await request(store, call, (client, options) =>
      client.send(new HeadBucketCommand({ Bucket: store.bucket }), options),
    );
  } catch (error) {
    if (!isTaskflowError(error) || error.code !== "access_denied") throw error;
  }
}

export function putCommand(
  store: S3Store,
  key: string,
  { name, type, size, sha256 }: PresignPutOptions,
): PutObjectCommand {
  const record =
    size === null || sha256 === null
      ? null
      : { name, size, sha256, createdAt: store.now(), uploadedBy: null, note: null, meta: {} };
  return new PutObjectCommand({
    Bucket: store.bucket,
    Key: key,
    IfNoneMatch: "*",
    ...(type === null ? {} : { ContentType: type }),
    ...(size === null ? {} : { ContentLength: size }),
    ...(sha256 === null ? {} : { ChecksumSHA256: base64Of(sha256) }),
    // The record counts only whole, and only with both is it known now.
    ...(record === null ? {} : { Metadata: encodeRecord(record) }),
  });
}

/** What binds is a signed header: S3 compares what is sent, and refuses what is not. */
export function headersToSend(
  { type, size }: PresignPutOptions,
  { input: { ChecksumSHA256, Metadata } }: PutObjectCommand,
): Record<string, string> {
  return {
    "If-None-Match": "*",
    ...(type === null ? {} : { "Content-Type": type }),
    ...(size === null ? {} : { "Content-Length": String(size) }),
    ...(ChecksumSHA256 === undefined ? {} : { "x-amz-checksum-sha256": ChecksumSHA256 }),
    ...Object.fromEntries(Object.entries(Metadata ?? {}).map(([name, value]) => [`x-amz-meta-${name}`, value])),
  };
}

/** As S3 has digests. */
export function base64Of(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
