/** Live objects, a page at a time. */
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { ListOptions, ObjectInfo } from "../../driver.ts";
import { DEFAULT_CLASS, wholeSeconds } from "./describe.ts";
import { checkPage, eachOfPages, incomplete, listedKey } from "./pages.ts";
import { request } from "../client/request.ts";
import type { S3Store } from "../store.ts";

/** As `StorageDriver.list`. */
export function list(store: S3Store, prefix: string, { after, signal }: ListOptions): AsyncIterable<ObjectInfo> {
  const call = { act: `list ${store.location}/${prefix}`, action: "s3:ListBucket", signal };
  return eachOfPages(call, async (from) => {
    const page = await request(store, call, (client, options) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: store.bucket,
          EncodingType: "url",
          ...(prefix === "" ? {} : { Prefix: prefix }),
          ...(from === null ? {} : { ContinuationToken: from }),
          ...(after === undefined || from !== null ? {} : { StartAfter: after }),
        }),
        options,
      ),
    );
    const more = checkPage(store, call, page);
    if (more && !page.NextContinuationToken) throw incomplete(call, "the store says that there is more, but not where");
    const items = (page.Contents ?? []).map(({ Key, Size, LastModified, StorageClass }): ObjectInfo => {
      if (Key === undefined || Size === undefined || LastModified === undefined) {
        throw incomplete(call, "the store leaves out what each object is");
      }
      return {
        key: listedKey(call, prefix, Key, page.EncodingType),
        size: Size,
        modifiedAt: wholeSeconds(LastModified),
        storageClass: StorageClass ?? DEFAULT_CLASS,
      };
    });
    return { items, next: more ? (page.NextContinuationToken ?? null) : null };
  });
}
