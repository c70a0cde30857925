/** Upload in parts: read by position, some in flight, each compared with what the first pass saw. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { PutOptions, StoredObject } from "../driver.ts";
import { crcHeader } from "./crc32.ts";
import { partDigests, partSizeFor } from "./digest.ts";
import type { Digests } from "./digest.ts";
import { isNamed, isUnclear, messageOf, statusOf } from "./sdk-error.ts";
import { withGrace } from "./grace.ts";
import { head } from "./head.ts";
import { refuseTaken, undoReplacement } from "./guard.ts";
import { giveUpConditions, headersFor, isRefusedCondition, planned } from "./put-single.ts";
import { dateOf } from "./reply.ts";
import { request, requestRaw } from "./request.ts";
import type { SignalledCall } from "./request.ts";
import { sendParts } from "./send-parts.ts";
import type { PartSource, SentPart } from "./send-parts.ts";
import { settleWrite } from "./settle.ts";
import type { S3Store } from "./store.ts";

export interface LargeSource extends PartSource {
  readonly digests: Digests;
  /** Called once all parts are there: rejects with `changed` where the source is no longer what was hashed. */
  settle(): Promise<void>;
}

/** Errors: as `StorageDriver.put`. Whatever fails, the parts are removed. */
export async function putMultipart(
  store: S3Store,
  key: string,
  source: LargeSource,
  options: PutOptions,
): Promise<StoredObject> {
  throwIfAborted(options.signal);
  const call: SignalledCall = { act: `store ${key}`, action: "s3:PutObject", key, signal: options.signal };
  const object = planned(store, key, source.digests, options);
  if (looksFirst(store, options)) await refuseTaken(store, key, call);
  const partSize = partSizeFor(source.digests.size, store.partSize);
  const { parts: partCrcs, whole } = partDigests(source.digests, partSize);
  const upload: Upload = { store, call, key, uploadId: await begin(store, call, object, options) };
  try {
    const parts = await sendParts({ ...upload, source, size: object.size, partSize, partCrcs, options });
    await source.settle();
    throwIfAborted(options.signal);
    // Once more: much may have happened since, and this is the last moment.
    if (looksFirst(store, options)) await refuseTaken(store, key, call);
    const stored = await complete(upload, parts, whole, object, options);
    await tagAfterwards(upload, object);
    return stored;
  } catch (error) {
    await abandon(upload);
    // While its outcome was unknown the upload may have been completed: then it wasn't there to be removed.
    if (isNamed(error, UNSETTLED)) return await wasCompleted(upload, object, (error as Error).cause);
    throw error;
  }
}

/** AWS answers at the end. Others may overwrite without a word; and it would be a pity about the bytes. */
function looksFirst({ isAws, learnt }: S3Store, { ifAbsent }: PutOptions): boolean {
  return ifAbsent && (!isAws || learnt.ignoresConditions);
}

interface Upload {
  readonly store: S3Store;
  readonly call: SignalledCall;
  readonly key: string;
  readonly uploadId: string;
}

async function begin(store: S3Store, call: SignalledCall, object: StoredObject, options: PutOptions): Promise<string> {
  const { UploadId } = await request(store, call, (client, { abortSignal }) =>
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
  if (UploadId !== undefined) return UploadId;
  throw new TaskflowError("network", `cannot ${call.act}: the store begins an upload without telling its id`);
}

const UNSETTLED = "taskflow.unsettled";

async function complete(
  { store, call, key, uploadId }: Upload,
  parts: readonly SentPart[],
  whole: number,
  object: StoredObject,
  options: PutOptions,
): Promise<StoredObject> {
  const grace = withGrace(options.signal);
  const finishing: SignalledCall = { ...call, signal: grace.signal };
  const send = (): Promise<StoredObject> =>
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
          ...(options.ifAbsent && !store.learnt.ignoresConditions ? { IfNoneMatch: "*" } : {}),
        }),
        { abortSignal },
      );
      if (options.ifAbsent) await undoReplacement(store, key, finishing, output);
      return { ...object, modifiedAt: dateOf(output) ?? object.modifiedAt };
    });
  try {
    try {
      return await send();
    } catch (error) {
      if (!isRefusedCondition(store, error, options)) throw error;
      giveUpConditions(store);
      return await send();
    }
  } catch (error) {
    try {
      return await settleWrite(store, finishing, error, object);
    } catch (settled) {
      if (!isUnclear(error)) throw settled;
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

/** RADOS Gateway forgets the tags that an upload in parts was begun with. */
async function tagAfterwards({ store, call, key }: Upload, { tags }: StoredObject): Promise<void> {
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

/** How long the tidying up after a failure may take. */
const TIDY_MS = 10_000;
const TIDY_AFTER_SIGNAL_MS = 2500;

/** Aborts, and once more where a part that was on its way has come in after it. */
async function abandon({ store, call, key, uploadId }: Upload): Promise<void> {
  const signal = AbortSignal.timeout(call.signal.aborted ? TIDY_AFTER_SIGNAL_MS : TIDY_MS);
  const target = { Bucket: store.bucket, Key: key, UploadId: uploadId };
  const tidy: SignalledCall = { act: `abort the upload of ${key}`, action: "s3:AbortMultipartUpload", key, signal };
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await requestRaw(store, tidy, (client, options) => client.send(new AbortMultipartUploadCommand(target), options));
      const { Parts } = await requestRaw(store, tidy, (client, options) =>
        client.send(new ListPartsCommand(target), options),
      );
      if ((Parts ?? []).length === 0) return;
    }
  } catch (error) {
    // That it is gone is what was wanted; ListParts may be denied, and then the one abort has to do.
    if (statusOf(error) === 404 || statusOf(error) === 403) return;
    store.warn(
      `parts of ${key} may be left in ${store.location} (${messageOf(error)}): the bucket's rule removes them, or taskflow attach doctor --fix`,
    );
  }
}

async function wasCompleted({ store, call, key }: Upload, object: StoredObject, cause: unknown): Promise<StoredObject> {
  try {
    const found = await head(store, key, { signal: AbortSignal.timeout(TIDY_MS) });
    if (found.size === object.size && found.record?.sha256 === object.record?.sha256)
      return { ...found, tags: object.tags };
  } catch {
    // The error that began it is the one to tell.
  }
  if (cause instanceof Error) throw cause;
  throw new TaskflowError("network", `cannot ${call.act}`, { cause });
}
