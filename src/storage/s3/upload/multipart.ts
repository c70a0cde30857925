/** The requests of an upload in parts, but for the parts themselves: begin, list, complete, abort. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
} from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import type { PutOptions, StoredObject } from "../../driver.ts";
import { crcHeader } from "./crc32.ts";
import { isUnclear, messageOf, statusOf } from "../failures/sdk-error.ts";
import { withGrace } from "../client/grace.ts";
import { undoReplacement } from "./guard.ts";
import { asWritten, giveUpConditions, headersFor, isRefusedCondition } from "./put-single.ts";
import { request, requestRaw } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import { settleWrite } from "./settle.ts";
import type { S3Store } from "../store.ts";

/** An upload that was begun. */
export interface Upload {
  readonly store: S3Store;
  readonly call: SignalledCall;
  readonly key: string;
  readonly uploadId: string;
}

export interface SentPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  readonly crc: number;
}

/** `abortAt`: when a rule of the bucket removes what was sent, as the store says; `null`: it says nothing. */
export async function begin(
  store: S3Store,
  call: SignalledCall,
  object: StoredObject,
  options: PutOptions,
): Promise<Upload & { readonly abortAt: Date | null }> {
  const { UploadId, AbortDate } = await request(store, call, (client, { abortSignal }) =>
    client.send(
      new CreateMultipartUploadCommand({
        Bucket: store.bucket,
        Key: object.key,
        ...headersFor(object, options),
        ...(store.isAws ? { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" } : {}),
      }),
      { abortSignal },
    ),
  );
  if (UploadId === undefined) {
    throw new TaskflowError("network", `cannot ${call.act}: the store begins an upload without telling its id`);
  }
  return { store, call, key: object.key, uploadId: UploadId, abortAt: AbortDate ?? null };
}

/** What `complete` throws where its outcome is not known; its cause is the error to tell. */
export const UNSETTLED = "taskflow.unsettled";

/** `whole`: CRC32 of all parts in a row. Errors: `exists`, those of every request, and `UNSETTLED`. */
export async function complete(
  { store, call, key, uploadId }: Upload,
  parts: readonly SentPart[],
  whole: number,
  object: StoredObject,
  options: PutOptions,
): Promise<StoredObject> {
  const grace = withGrace(options.signal);
  const finishing: SignalledCall = { ...call, signal: grace.signal };
  const isConditional = options.ifAbsent && !store.learnt.ignoresConditions;
  const send = (condition: { readonly IfNoneMatch?: "*" }): Promise<StoredObject> =>
    requestRaw(store, finishing, async (client, { abortSignal }) => {
      const output = await client.send(
        new CompleteMultipartUploadCommand({
          Bucket: store.bucket,
          Key: key,
          UploadId: uploadId,
          MultipartUpload: { Parts: parts.map(({ number, etag, crc }) => partOf(store, number, etag, crc)) },
          ...(store.isAws
            ? { ChecksumCRC32: crcHeader(whole), ChecksumType: "FULL_OBJECT", MpuObjectSize: object.size }
            : {}),
          ...condition,
        }),
        { abortSignal },
      );
      if (options.ifAbsent) await undoReplacement(store, object, finishing, output);
      return asWritten(object, output);
    });
  try {
    try {
      return await send(isConditional ? { IfNoneMatch: "*" } : {});
    } catch (error) {
      if (!isConditional || !isRefusedCondition(error, options)) throw error;
      const stored = await send({});
      // Only now: it may have been something else that the store can't do.
      giveUpConditions(store);
      return stored;
    }
  } catch (error) {
    try {
      return await settleWrite(store, finishing, error, object);
    } catch (settled) {
      // What the end of the grace has cut may have happened as well.
      if (!isUnclear(error) && !grace.signal.aborted) throw settled;
      throw Object.assign(new Error("unsettled", { cause: settled }), { name: UNSETTLED });
    }
  } finally {
    grace.done();
  }
}

function partOf(
  { isAws }: S3Store,
  number: number,
  etag: string,
  crc: number,
): { PartNumber: number; ETag: string; ChecksumCRC32?: string } {
  return { PartNumber: number, ETag: etag, ...(isAws ? { ChecksumCRC32: crcHeader(crc) } : {}) };
}

const TIDY_MS = 10_000;
const TIDY_AFTER_SIGNAL_MS = 2500;

/** How long each step of the tidying up after a failure may take: who pressed Ctrl-C doesn't wait for long. */
export function timeToTidy({ signal }: SignalledCall): AbortSignal {
  return AbortSignal.timeout(signal.aborted ? TIDY_AFTER_SIGNAL_MS : TIDY_MS);
}

/** Aborts, and once more where a part that was on its way has come in after it. Never rejects: it warns. */
export async function abandon({ store, call, key, uploadId }: Upload): Promise<void> {
  const signal = timeToTidy(call);
  const target = { Bucket: store.bucket, Key: key, UploadId: uploadId };
  const tidy: SignalledCall = { act: `abort the upload of ${key}`, action: "s3:AbortMultipartUpload", key, signal };
  let aborted = false;
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await requestRaw(store, tidy, (client, options) => client.send(new AbortMultipartUploadCommand(target), options));
      aborted = true;
      const { Parts } = await requestRaw(store, tidy, (client, options) =>
        client.send(new ListPartsCommand(target), options),
      );
      if ((Parts ?? []).length === 0) return;
    }
  } catch (error) {
    // That it is gone is what was wanted; ListParts may be denied, and then the one abort has to do.
    if (statusOf(error) === 404 || (aborted && statusOf(error) === 403)) return;
    store.warn(
      `parts of ${key} may be left in ${store.location} (${messageOf(error)}): the bucket's rule removes them, or taskflow attach doctor --fix`,
    );
  }
}
