/** Sends the parts of an upload: some in flight, each with a buffer of its own. */
import { UploadPartCommand } from "@aws-sdk/client-s3";
import { TaskflowError, isTaskflowError, throwIfAborted } from "../../../errors.ts";
import { countedBody } from "./counted-body.ts";
import { crcHeader } from "./crc32.ts";
import type { SentPart, Upload } from "./multipart.ts";
import type { Part, PartFeed } from "./part-feeds.ts";
import { asSdkBody } from "../client/part-body.ts";
import { UNSIGNED, withPayloadHash } from "../client/payload.ts";
import { request } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import { MiB } from "../store.ts";
import type { S3Store } from "../store.ts";
import { sideBySide } from "./workers.ts";

export interface PartsJob {
  readonly upload: Upload;
  readonly feed: PartFeed;
  /** Called with the length of each part that has arrived. */
  readonly onSent: (bytes: number) => void | Promise<void>;
  /** As `PutOptions.onBytes`. */
  readonly onBytes: ((count: number) => void) | undefined;
}

const PARTS_IN_FLIGHT = 4;

/** All buffers together: a stream's parts are kept whole, and those of very large objects are large themselves. */
const BUFFERS_AT_MOST = 64 * MiB;

/** All parts of the feed, in order. The first failure stops the others, and rejects once none is in flight any more. */
export async function sendParts(job: PartsJob): Promise<SentPart[]> {
  const { upload, feed, onSent, onBytes } = job;
  const sent: SentPart[] = [];
  async function work(signal: AbortSignal): Promise<void> {
    const buffer = Buffer.allocUnsafe(feed.bufferSize);
    for (;;) {
      throwIfAborted(signal);
      const part = await feed.next(buffer);
      if (part === null) return;
      throwIfAborted(signal);
      const counted = countedBody(part.body, onBytes);
      const etag = await sendPart(upload, { ...part, body: counted.body }, signal);
      sent.push({ number: part.number, etag, crc: part.crc });
      counted.arrived();
      await onSent(part.body.length);
    }
  }
  const workers = Math.min(PARTS_IN_FLIGHT, feed.left, Math.max(1, Math.floor(BUFFERS_AT_MOST / feed.bufferSize)));
  await sideBySide(workers, upload.call.signal, work);
  return sent.sort((a, b) => a.number - b.number);
}

async function sendPart(upload: Upload, part: Part, signal: AbortSignal): Promise<string> {
  try {
    return await sendBytes(upload, part, signal);
  } catch (error) {
    // Hurt on the way, or read otherwise than the first time: the store can't tell.
    if (isTaskflowError(error) && error.code === "checksum_mismatch") await part.check?.();
    throw error;
  }
}

async function sendBytes(upload: Upload, part: Part, signal: AbortSignal): Promise<string> {
  const { store, key, uploadId } = upload;
  const { number, body, crc } = part;
  const hash = isVouchedFor(store) ? UNSIGNED : await part.digest("sha256");
  const call: SignalledCall = { ...upload.call, act: `${upload.call.act} (part ${number})`, signal };
  const { ETag } = await request(store, call, (client, { abortSignal }) => {
    const command = new UploadPartCommand({
      Bucket: store.bucket,
      Key: key,
      UploadId: uploadId,
      PartNumber: number,
      Body: asSdkBody(body),
      ContentLength: body.length,
      ...(store.isAws ? { ChecksumCRC32: crcHeader(crc) } : {}),
    });
    return client.send(withPayloadHash(command, hash), { abortSignal });
  });
  if (ETag !== undefined) return ETag;
  throw new TaskflowError("network", `cannot ${call.act}: the store doesn't tell the part's tag`);
}

/** The CRC32 is checked and the connection can't be changed by others: another hash of each part shows nothing more. */
function isVouchedFor({ isAws, settings: { endpoint } }: S3Store): boolean {
  return isAws && (endpoint === null || endpoint.startsWith("https:"));
}
