/** The parts of an upload that was begun. */
import { ListPartsCommand } from "@aws-sdk/client-s3";
import type { Part } from "@aws-sdk/client-s3";
import { isTaskflowError } from "../../../errors.ts";
import { checkPage, eachOfPages } from "../read/pages.ts";
import { request } from "../client/request.ts";
import type { S3Store } from "../store.ts";

/** Errors: those of every request; of an upload that was completed or aborted, one that `isGone` knows. */
export function listParts(
  store: S3Store,
  { key, uploadId }: { readonly key: string; readonly uploadId: string },
  signal: AbortSignal,
): AsyncIterable<Part> {
  const call = { act: `list the parts of ${key}`, action: "s3:ListMultipartUploadParts", key, signal };
  return eachOfPages(call, async (from) => {
    const page = await request(store, call, (client, options) =>
      client.send(
        new ListPartsCommand({
          Bucket: store.bucket,
          Key: key,
          UploadId: uploadId,
          ...(from === null ? {} : { PartNumberMarker: from }),
        }),
        options,
      ),
    );
    const more = checkPage(store, call, { IsTruncated: page.IsTruncated, Name: page.Bucket });
    return { items: page.Parts ?? [], next: more ? (page.NextPartNumberMarker ?? null) : null };
  });
}

/** Whether there is no such upload (any more): NoSuchUpload, and NoSuchKey from RADOS Gateway once it was completed. */
export function isGone(error: unknown): boolean {
  return isTaskflowError(error) && ["NoSuchUpload", "NoSuchKey"].includes(String(error.context["name"]));
}
