/** The second pass: parts in flight, as many buffers, each part compared with its CRC32 of the first pass. */
import { crc32 } from "node:zlib";
import { UploadPartCommand } from "@aws-sdk/client-s3";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { PutOptions } from "../driver.ts";
import { crcHeader } from "./crc32.ts";
import { UNSIGNED, withPayloadHash } from "./payload.ts";
import { request } from "./request.ts";
import type { SignalledCall } from "./request.ts";
import { MiB } from "./store.ts";
import type { S3Store } from "./store.ts";

export interface PartSource {
  /** As `Body.readAt`. */
  readAt(buffer: Uint8Array, position: number, length: number): Promise<number>;
  /** What to throw where other bytes are there than the first pass saw. */
  changed(bytesRead: number): Promise<TaskflowError>;
}

export interface SentPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  readonly crc: number;
}

export interface PartsJob {
  readonly store: S3Store;
  readonly call: SignalledCall;
  readonly key: string;
  readonly uploadId: string;
  readonly source: PartSource;
  readonly size: number;
  readonly partSize: number;
  readonly partCrcs: readonly number[];
  readonly options: Pick<PutOptions, "onBytes">;
}

const PARTS_IN_FLIGHT = 4;

/** All buffers together: parts of very large objects are large themselves. */
const BUFFERS_AT_MOST = 64 * MiB;

/** All parts, in order. The first failure stops the others, and rejects once none is in flight any more. */
export async function sendParts(job: PartsJob): Promise<SentPart[]> {
  const { call, partSize, partCrcs } = job;
  const stop = new AbortController();
  const signal = AbortSignal.any([call.signal, stop.signal]);
  const numbers = partCrcs.keys();
  const sent: SentPart[] = [];
  async function work(): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(partSize, job.size));
    for (const index of numbers) {
      throwIfAborted(signal);
      sent.push(await sendPart(job, index, buffer, signal));
    }
  }
  const workers = Math.min(PARTS_IN_FLIGHT, partCrcs.length, Math.max(1, Math.floor(BUFFERS_AT_MOST / partSize)));
  let failure: unknown = null;
  await Promise.all(
    Array.from({ length: workers }, () =>
      work().catch((error: unknown) => {
        failure ??= error;
        stop.abort();
      }),
    ),
  );
  throwIfAborted(call.signal);
  if (failure !== null) throw failure;
  return sent.sort((a, b) => a.number - b.number);
}

async function sendPart(job: PartsJob, index: number, buffer: Buffer, signal: AbortSignal): Promise<SentPart> {
  const { store, key, uploadId, source, size, partSize, options } = job;
  const position = index * partSize;
  const length = Math.min(partSize, size - position);
  const bytesRead = await source.readAt(buffer, position, length);
  const bytes = buffer.subarray(0, length);
  const crc = job.partCrcs[index] ?? 0;
  if (bytesRead !== length) throw await source.changed(position + bytesRead);
  if (crc32(bytes) !== crc) throw await source.changed(size);
  const number = index + 1;
  const call: SignalledCall = { ...job.call, act: `${job.call.act} (part ${number})`, signal };
  const { ETag } = await request(store, call, (client, { abortSignal }) => {
    const command = new UploadPartCommand({
      Bucket: store.bucket,
      Key: key,
      UploadId: uploadId,
      PartNumber: number,
      Body: bytes,
      ContentLength: length,
      ...(store.isAws ? { ChecksumCRC32: crcHeader(crc) } : {}),
    });
    return client.send(isVouchedFor(store) ? withPayloadHash(command, UNSIGNED) : command, { abortSignal });
  });
  if (ETag === undefined) {
    throw new TaskflowError("network", `cannot ${call.act}: the store doesn't tell the part's tag`);
  }
  options.onBytes?.(length);
  return { number, etag: ETag, crc };
}

/** The CRC32 is checked and the connection can't be changed by others: another hash of each part shows nothing more. */
function isVouchedFor({ isAws, settings: { endpoint } }: S3Store): boolean {
  return isAws && (endpoint === null || endpoint.startsWith("https:"));
}
