/** A form to upload with: one POST, and the policy that bounds it. */
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import type { S3Client } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import type { PresignPutOptions, SignedRequest } from "../../presigner.ts";
import { linkTerm } from "./link-term.ts";
import { ONE_REQUEST_AT_MOST, base64Of, checkBucket } from "./presign-put.ts";
import type { S3Store } from "../store.ts";

/**
 * As `Presigner.post`. The key is exact; type and digest must be sent as they stand in the fields; what is sent has
 * `size` bytes, else 1 to `maxSize` (a form that is sent without a file has none).
 * Errors: `unsupported` on Cloudflare's R2; `too_large`; as a link to PUT.
 */
export async function presignPost(store: S3Store, key: string, options: PresignPutOptions): Promise<SignedRequest> {
  checkTakesForms(store);
  const [least, most] = sizesOf(options);
  await checkBucket(store, options.signal);
  const client = await store.linkClient();
  const { signedAt, ...term } = await linkTerm(store, client, options.expiresSeconds);
  const { url, fields } = await createPresignedPost(atTime(client, signedAt), {
    Bucket: store.bucket,
    Key: key,
    Expires: options.expiresSeconds,
    Conditions: [["content-length-range", least, most]],
    Fields: fieldsOf(options),
  });
  return { method: "POST", url, headers: {}, fields, ...term };
}

/** Cloudflare's R2 has presigned GET, HEAD, PUT and DELETE, and no POST (its documentation, "Presigned URLs"). */
function checkTakesForms({ location, settings: { endpoint, linkEndpoint } }: S3Store): void {
  const { hostname } = new URL(linkEndpoint ?? endpoint ?? "https://s3.amazonaws.com");
  if (!hostname.endsWith(".r2.cloudflarestorage.com")) return;
  throw new TaskflowError("unsupported", `${location} is on R2, which takes no upload forms`, {
    hint: "presign --put makes a link that takes the file itself: curl -T FILE URL",
  });
}

function sizesOf({ name, size, maxSize }: PresignPutOptions): [least: number, most: number] {
  if (size === null) return [1, Math.min(maxSize ?? ONE_REQUEST_AT_MOST, ONE_REQUEST_AT_MOST)];
  if (size <= ONE_REQUEST_AT_MOST) return [size, size];
  throw new TaskflowError(
    "too_large",
    `cannot sign an upload of ${name}: one POST takes at most ${ONE_REQUEST_AT_MOST} bytes`,
  );
}

function fieldsOf({ type, sha256 }: PresignPutOptions): Record<string, string> {
  return {
    ...(type === null ? {} : { "Content-Type": type }),
    ...(sha256 === null ? {} : { "x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": base64Of(sha256) }),
  };
}

/** The SDK takes no time to sign at: it adds the client's offset to the system's clock. */
function atTime(client: S3Client, time: Date): S3Client {
  const config = { ...client.config, systemClockOffset: time.getTime() - Date.now() };
  return Object.create(client, { config: { value: config } }) as S3Client;
}
