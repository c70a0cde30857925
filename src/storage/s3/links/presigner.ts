/** Links that S3 itself answers: requests signed with our credentials, good while those are. */
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { throwIfAborted } from "../../../errors.ts";
import { unlessAborted } from "../../abortable.ts";
import type { Presigner, SignedRequest } from "../../presigner.ts";
import { linkTerm } from "./link-term.ts";
import { presignPost } from "./presign-post.ts";
import { checkBindable, checkBucket, headersToSend, putCommand } from "./presign-put.ts";
import type { S3Store } from "../store.ts";

/**
 * As `Presigner`, but that a link to GET isn't good for HEAD: S3 signs the method. No request is sent for a GET where
 * the region is known; a link to upload makes sure that the bucket is where it is signed for.
 */
export function s3Presigner(store: S3Store): Presigner {
  return {
    async ready({ signal }) {
      throwIfAborted(signal);
      const client = await unlessAborted(store.client(), signal);
      await unlessAborted(linkTerm(store, client, 1), signal);
    },
    async get(key, { expiresSeconds, disposition, signal }) {
      throwIfAborted(signal);
      const command = new GetObjectCommand({
        Bucket: store.bucket,
        Key: key,
        ResponseContentDisposition: disposition.header,
      });
      const signed = sign(store, "GET", expiresSeconds, {}, (client, how) => getSignedUrl(client, command, how));
      return await unlessAborted(signed, signal);
    },
    async put(key, options) {
      throwIfAborted(options.signal);
      checkBindable(store, options);
      await checkBucket(store, options.signal);
      const command = putCommand(store, key, options);
      const headers = headersToSend(options, command);
      const signed = sign(store, "PUT", options.expiresSeconds, headers, (client, how) =>
        getSignedUrl(client, command, how),
      );
      return await unlessAborted(signed, options.signal);
    },
    async post(key, options) {
      throwIfAborted(options.signal);
      return await unlessAborted(presignPost(store, key, options), options.signal);
    },
  };
}

interface HowToSign {
  readonly expiresIn: number;
  readonly signingDate: Date;
  readonly signableHeaders: Set<string>;
  readonly unhoistableHeaders: Set<string>;
}

async function sign(
  store: S3Store,
  method: "GET" | "PUT",
  expiresSeconds: number,
  headers: Readonly<Record<string, string>>,
  signed: (client: S3Client, options: HowToSign) => Promise<string>,
): Promise<SignedRequest> {
  const client = await store.linkClient();
  const { signedAt, ...term } = await linkTerm(store, client, expiresSeconds);
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const url = await signed(client, {
    expiresIn: expiresSeconds,
    signingDate: signedAt,
    signableHeaders: new Set(["host", ...names]),
    unhoistableHeaders: new Set(names),
  });
  return { method, url, headers, fields: null, ...term };
}
