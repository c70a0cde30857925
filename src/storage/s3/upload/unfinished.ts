/** Multipart uploads that were begun, and neither completed nor aborted: their parts are paid for all the same. */
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { pMapIterable } from "p-map";
import { isTaskflowError } from "../../../errors.ts";
import type { UnfinishedUpload } from "../../lifecycle/lifecycle.ts";
import { wholeSeconds } from "../read/describe.ts";
import { isGone, listParts } from "./list-parts.ts";
import { checkPage, decodeKey, eachOfPages, incomplete } from "../read/pages.ts";
import { request } from "../client/request.ts";
import type { S3Store } from "../store.ts";

const UPLOADS_AT_ONCE = 16;

type Begun = Omit<UnfinishedUpload, "size">;

/** As `Lifecycle.unfinished`: a request a thousand, and one at least for the parts of each. */
export async function* unfinished(
  store: S3Store,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<UnfinishedUpload, void, undefined> {
  const sized = async (upload: Begun): Promise<UnfinishedUpload | null> => {
    const size = await sizeOfParts(store, upload, signal);
    return size === "gone" ? null : { ...upload, size };
  };
  const uploads = pMapIterable(begun(store, prefix, signal), sized, {
    concurrency: UPLOADS_AT_ONCE,
    backpressure: 4 * UPLOADS_AT_ONCE,
  });
  for await (const upload of uploads) if (upload !== null) yield upload;
}

function begun(store: S3Store, prefix: string, signal: AbortSignal): AsyncIterable<Begun> {
  const call = {
    act: `list the unfinished uploads of ${store.location}/${prefix}`,
    action: "s3:ListBucketMultipartUploads",
    signal,
  };
  return eachOfPages(call, async (from) => {
    const [keyMarker, idMarker] = from === null ? [] : (JSON.parse(from) as [string, string | undefined]);
    const page = await request(store, call, (client, options) =>
      client.send(
        new ListMultipartUploadsCommand({
          Bucket: store.bucket,
          EncodingType: "url",
          ...(prefix === "" ? {} : { Prefix: prefix }),
          ...(keyMarker === undefined ? {} : { KeyMarker: keyMarker }),
          ...(idMarker === undefined ? {} : { UploadIdMarker: idMarker }),
        }),
        options,
      ),
    );
    const more = checkPage(store, call, { IsTruncated: page.IsTruncated, Name: page.Bucket });
    const { NextKeyMarker, NextUploadIdMarker, EncodingType } = page;
    if (more && !NextKeyMarker) throw incomplete(call, "the store says that there is more, but not where");
    const items = (page.Uploads ?? []).map(({ Key, UploadId, Initiated }): Begun => {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) {
        throw incomplete(call, "the store leaves out what each upload is");
      }
      return { key: decodeKey(Key, EncodingType), uploadId: UploadId, startedAt: wholeSeconds(Initiated) };
    });
    const next = JSON.stringify([decodeKey(NextKeyMarker ?? "", EncodingType), NextUploadIdMarker]);
    return { items, next: more ? next : null };
  });
}

/** Bytes; `null`: may not be read. `gone`: completed or aborted since it was listed. */
async function sizeOfParts(store: S3Store, upload: Begun, signal: AbortSignal): Promise<number | null | "gone"> {
  let size = 0;
  try {
    for await (const { Size } of listParts(store, upload, signal)) size += Size ?? 0;
    return size;
  } catch (error) {
    if (isGone(error)) return "gone";
    if (isTaskflowError(error) && (error.code === "access_denied" || error.code === "unsupported")) return null;
    throw error;
  }
}
