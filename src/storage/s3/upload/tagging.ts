/** Tags that go with what is stored. */
import { PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { TaskflowError, toTaskflowError } from "../../../errors.ts";
import type { StoredObject } from "../../driver.ts";
import { withGrace } from "../client/grace.ts";
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

/**
 * RADOS Gateway forgets the tags that an upload in parts was begun with. Errors: those of every request, with a word
 * that it is stored.
 */
export async function tagAfterwards(
  store: S3Store,
  call: SignalledCall,
  { key, tags }: Pick<StoredObject, "key" | "tags">,
): Promise<void> {
  const pairs = Object.entries(tags);
  if (store.isAws || pairs.length === 0) return;
  const grace = withGrace(call.signal);
  const tagging: SignalledCall = { act: `tag ${key}`, action: "s3:PutObjectTagging", key, signal: grace.signal };
  try {
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
  } catch (error) {
    throw storedUntagged(key, toTaskflowError(error));
  } finally {
    grace.done();
  }
}

/** No hint to run it again: not all who would can go on with this one, and others would store a second. */
function storedUntagged(key: string, cause: TaskflowError): TaskflowError {
  const { code, message, hint, retryable, requestId, context, exit } = cause;
  const told = `${key} is stored, but without its tags: ${message}`;
  return new TaskflowError(code, told, {
    hint: retryable ? null : hint,
    retryable,
    requestId,
    context,
    exit,
    cause,
  });
}
