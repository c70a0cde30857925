/** Upload in one request. */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { TaskflowError, throwIfAborted } from "../../../errors.ts";
import type { ObjectRecord, PutOptions, StoredObject } from "../../driver.ts";
import { encodeRecord } from "../../metadata.ts";
import { DEFAULT_CLASS } from "../read/describe.ts";
import { attemptsOf, isNamed, statusOf, withETag } from "../failures/sdk-error.ts";
import { withGrace } from "../client/grace.ts";
import { refuseTaken, undoReplacement } from "./guard.ts";
import { asSdkBody } from "../client/part-body.ts";
import type { PartBody } from "../client/part-body.ts";
import { withPayloadHash } from "../client/payload.ts";
import { dateOf } from "../client/reply.ts";
import { requestRaw } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import { settleWrite } from "./settle.ts";
import { expiryOf } from "../read/states.ts";
import type { S3Store } from "../store.ts";
import { taggingOf } from "./tagging.ts";

export interface Content {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** What the object will be, as the store will tell it but for its time. */
export function planned(store: S3Store, key: string, { size, sha256 }: Content, options: PutOptions): StoredObject {
  return {
    key,
    size,
    modifiedAt: store.now(),
    storageClass: options.storageClass ?? DEFAULT_CLASS,
    type: options.type,
    record: { ...options.record, size, sha256 },
    tags: { ...options.tags },
  };
}

/** What goes with the bytes, in one request or before the parts. */
export function headersFor(
  object: StoredObject,
  { storageClass }: PutOptions,
): {
  readonly ContentType?: string;
  readonly Metadata: Record<string, string>;
  readonly Tagging?: string;
  readonly StorageClass?: NonNullable<ConstructorParameters<typeof PutObjectCommand>[0]["StorageClass"]>;
} {
  return {
    ...(object.type === null ? {} : { ContentType: object.type }),
    Metadata: encodeRecord(recordOf(object)),
    ...taggingOf(object.tags),
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as "STANDARD" }),
  };
}

function recordOf({ record }: StoredObject): ObjectRecord {
  if (record === null) throw new TaskflowError("internal", "an upload without a record");
  return record;
}

/** All bytes are here, hashed and checked. Errors: `exists`, `checksum_mismatch`, and what every request may meet. */
export async function putSingle(
  store: S3Store,
  key: string,
  bytes: PartBody,
  sha256: string,
  options: PutOptions,
): Promise<StoredObject> {
  throwIfAborted(options.signal);
  const object = planned(store, key, { size: bytes.length, sha256 }, options);
  const grace = withGrace(options.signal);
  const call: SignalledCall = { act: `store ${key}`, action: "s3:PutObject", key, signal: grace.signal };
  const { ignoresConditions } = store.learnt;
  try {
    if (options.ifAbsent && ignoresConditions) await refuseTaken(store, key, call);
    return await sendSingle(store, call, bytes, object, options);
  } catch (error) {
    const misjudged = !store.isAws && options.ifAbsent && statusOf(error) === 412 && attemptsOf(error) === 1;
    const refused = !ignoresConditions && isRefusedCondition(error, options);
    if (!refused && !misjudged) return await settleWrite(store, call, error, object);
    await refuseTaken(store, key, call);
    const stored = await sendSingle(store, call, bytes, object, { ...options, ifAbsent: false }).catch(
      (second: unknown) => settleWrite(store, call, second, object),
    );
    // Only now: it may have been something else that the store can't do.
    if (refused) giveUpConditions(store);
    return stored;
  } finally {
    grace.done();
  }
}

async function sendSingle(
  store: S3Store,
  call: SignalledCall,
  bytes: PartBody,
  object: StoredObject,
  options: PutOptions,
): Promise<StoredObject> {
  const { sha256: digest } = recordOf(object);
  const output = await requestRaw(store, call, async (client, { abortSignal }) => {
    const reply = await client.send(
      withPayloadHash(
        new PutObjectCommand({
          Bucket: store.bucket,
          Key: object.key,
          Body: asSdkBody(bytes),
          ContentLength: bytes.length,
          ...headersFor(object, options),
          ...(store.isAws ? { ChecksumSHA256: Buffer.from(digest, "hex").toString("base64") } : {}),
          ...(options.ifAbsent && !store.learnt.ignoresConditions ? { IfNoneMatch: "*" } : {}),
        }),
        digest,
      ),
      { abortSignal },
    );
    return withETag(reply);
  });
  if (options.ifAbsent) await undoReplacement(store, object, call, output);
  return asWritten(object, output);
}

/** What was planned, with what the reply to the write tells: when it was stored, and when a rule will remove it. */
export function asWritten(object: StoredObject, output: { readonly Expiration?: string | undefined }): StoredObject {
  const expires = expiryOf(output.Expiration);
  return {
    ...object,
    modifiedAt: dateOf(output) ?? object.modifiedAt,
    ...(expires === null ? {} : { expires }),
  };
}

/** A store that doesn't know conditions says so rather than ignore them: 501, or 400 for a header it doesn't know. */
export function isRefusedCondition(error: unknown, { ifAbsent }: PutOptions): boolean {
  return ifAbsent && (isNamed(error, "NotImplemented") || statusOf(error) === 501);
}

/** Keys are new in any case; only two writers of one key at the same time would not hear of each other. */
export function giveUpConditions(store: S3Store): void {
  if (store.learnt.ignoresConditions) return;
  store.learnt.ignoresConditions = true;
  store.warn(`${store.location} can't refuse to replace an object; taskflow looks before each upload instead`);
}
