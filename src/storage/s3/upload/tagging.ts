/** Tags that go with what is stored. */
import { PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import type { StoredObject } from "../../driver.ts";
import { request } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";

type Tags = StoredObject["tags"];

/** As a header has them. */
export function taggingOf(tags: Tags): { readonly Tagging?: string } {
  const pairs = Object.entries(tags);
  if (pairs.length === 0) return {};
  return { Tagging: pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&") };
}

/** RADOS Gateway forgets the tags that an upload in parts was begun with. */
export async function tagAfterwards(
  store: S3Store,
  call: SignalledCall,
  { key, tags }: Pick<StoredObject, "key" | "tags">,
): Promise<void> {
  const pairs = Object.entries(tags);
  if (store.isAws || pairs.length === 0) return;
  const tagging: SignalledCall = { ...call, act: `tag ${key}`, action: "s3:PutObjectTagging" };
  await request(store, tagging, (client, { abortSignal }) =>
    client.send(
      new PutObjectTaggingCommand({
        Bucket: store.bucket,
        Key: key,
        Tagging: { TagSet: pairs.map(([Key, Value]) => ({ Key, Value })) },
      }),
      { abortSignal },
    ),
  );
}
