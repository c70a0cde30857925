/** Links that S3 itself answers: requests signed with our credentials, good while those are. */
import { GetObjectCommand, HeadBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { TaskflowError, isTaskflowError, throwIfAborted } from "../../errors.ts";
import { encodeRecord } from "../metadata.ts";
import type { LimitedBy, Presigner, PresignPutOptions, SignedRequest } from "../presigner.ts";
import { asTaskflowError } from "./errors.ts";
import type { Call } from "./errors.ts";
import { request } from "./request.ts";
import type { S3Store } from "./store.ts";
import { GiB } from "./store.ts";

/**
 * As `Presigner`, but that a link to GET isn't good for HEAD: S3 signs the method. No request is sent for a GET where
 * the region is known; a link to upload makes sure that the bucket is where it is signed for.
 */
export function s3Presigner(store: S3Store): Presigner {
  return {
    async ready({ signal }) {
      throwIfAborted(signal);
      await identityOf(store, await store.client());
    },
    async get(key, { expiresSeconds, disposition, signal }) {
      throwIfAborted(signal);
      const command = new GetObjectCommand({
        Bucket: store.bucket,
        Key: key,
        ResponseContentDisposition: disposition.header,
      });
      return await sign(store, "GET", expiresSeconds, {}, (client, options) => getSignedUrl(client, command, options));
    },
    async put(key, options) {
      throwIfAborted(options.signal);
      checkBindable(store, key, options);
      await checkBucket(store, options.signal);
      const command = putCommand(store, key, options);
      const headers = headersToSend(options, command);
      return await sign(store, "PUT", options.expiresSeconds, headers, (client, how) =>
        getSignedUrl(client, command, how),
      );
    },
  };
}

/** The most that one PUT takes (API reference); no header of a PUT says less. */
const PUT_AT_MOST = 5 * GiB;

function checkBindable(store: S3Store, key: string, { size, maxSize }: PresignPutOptions): void {
  if (size !== null && size > PUT_AT_MOST) {
    throw new TaskflowError("too_large", `cannot sign an upload of ${key}: one PUT takes at most ${PUT_AT_MOST} bytes`);
  }
  if (size === null && maxSize !== null && maxSize < PUT_AT_MOST) {
    throw new TaskflowError(
      "unsupported",
      `cannot sign an upload of ${key}: ${store.location} can't bind a largest size`,
      {
        hint: "--size binds the exact one, --post a range",
      },
    );
  }
}

/** A link for another region or no bucket at all would fail only for its holder. Who may not ask isn't told. */
async function checkBucket(store: S3Store, signal: AbortSignal): Promise<void> {
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

function putCommand(store: S3Store, key: string, { name, type, size, sha256 }: PresignPutOptions): PutObjectCommand {
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
    ...(sha256 === null ? {} : { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") }),
    // The record counts only whole, and only with both is it known now.
    ...(record === null ? {} : { Metadata: encodeRecord(record) }),
  });
}

/** What binds is a signed header: S3 compares what is sent, and refuses what is not. */
function headersToSend(
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
  // The server's clock decides; where a reply told how far ours is off, the SDK remembers.
  const now = new Date(store.now().getTime() + client.config.systemClockOffset);
  const requestedExpiresAt = new Date(now.getTime() + expiresSeconds * 1000);
  const { expiresAt, limitedBy } = await endOf(store, client, requestedExpiresAt);
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const url = await signed(client, {
    expiresIn: expiresSeconds,
    signingDate: now,
    signableHeaders: new Set(["host", ...names]),
    unhoistableHeaders: new Set(names),
  });
  return { method, url, headers, fields: null, requestedExpiresAt, expiresAt, limitedBy };
}

/** The earlier of what was asked and the credentials' own end; those that end sooner are asked for anew first. */
async function endOf(
  store: S3Store,
  client: S3Client,
  asked: Date,
): Promise<{ readonly expiresAt: Date | null; readonly limitedBy: LimitedBy }> {
  let identity = await identityOf(store, client);
  if (identity.end !== null && identity.end < asked) identity = await identityOf(store, client, true);
  if (identity.end === null) {
    // Keys that last have no token; a token without an end is a session that may end any time.
    return identity.isSession
      ? { expiresAt: null, limitedBy: "credentials" }
      : { expiresAt: asked, limitedBy: "request" };
  }
  return identity.end < asked
    ? { expiresAt: identity.end, limitedBy: "credentials" }
    : { expiresAt: asked, limitedBy: "request" };
}

interface Identity {
  readonly isSession: boolean;
  /** `null`: none is known. */
  readonly end: Date | null;
}

async function identityOf(store: S3Store, client: S3Client, forceRefresh = false): Promise<Identity> {
  const call: Call = { act: "sign links", action: "s3:GetObject" };
  try {
    const { sessionToken, expiration, originalExpiration } = (await client.config.credentials(
      forceRefresh ? { forceRefresh } : {},
    )) as { sessionToken?: string; expiration?: Date; originalExpiration?: Date };
    // An instance's role that can't be renewed is used beyond its end: the end that was told first is the true one.
    return { isSession: sessionToken !== undefined, end: originalExpiration ?? expiration ?? null };
  } catch (error) {
    throw asTaskflowError(error, call, store);
  }
}
