/** The bytes of an object: all of them, or an error; a cut connection is taken up again where it broke. */
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { TaskflowError, abortReason, isTaskflowError } from "../../../errors.ts";
import type { GetOptions, GetResult, Range } from "../../driver.ts";
import { decodeRecord } from "../../metadata.ts";
import { archivedError } from "../failures/archived.ts";
import { describe } from "./describe.ts";
import { causeOf, isNamed, isUnclear, statusOf, withETag } from "../failures/sdk-error.ts";
import { missing, sizeOf } from "./head.ts";
import { explained, requestRaw } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";
import { tagsOf } from "./tags.ts";

/** As `StorageDriver.get`. */
export async function get(store: S3Store, key: string, { range, wantsTags, signal }: GetOptions): Promise<GetResult> {
  const call: SignalledCall = { act: `read ${key}`, action: "s3:GetObject", key, signal };
  const reply = await open(store, call, key, range === undefined ? undefined : rangeHeader(range.start, range.end));
  try {
    const { start, end, size } = spanOf(store, key, range, reply);
    const object = describe(
      key,
      size,
      reply,
      await tagsOf(store, key, reply.TagCount, { signal, wanted: wantsTags === true }),
    );
    const source: Source = { store, call, key, etag: reply.ETag, start, end };
    return { object, chunks: { [Symbol.asyncIterator]: () => read(source, bodyOf(reply)) } };
  } catch (error) {
    bodyOf(reply).destroy();
    throw error;
  }
}

/** What Node has as the body of a reply. */
interface NodeBody extends AsyncIterable<Uint8Array, undefined> {
  destroy(): void;
}

interface Source {
  readonly store: S3Store;
  readonly call: SignalledCall;
  readonly key: string;
  readonly etag: string | undefined;
  /** First byte, and the one after the last. */
  readonly start: number;
  readonly end: number;
}

/** Without anything having come in between. */
const RESUMES = 3;

/** So much, and a connection was good: the count of resumes begins anew. */
const GOOD_BYTES = 8 * 1024 * 1024;

/** The largest number that any server can be expected to read. */
const ENDLESS = 2 ** 50;

function rangeHeader(start: number, end: number): string {
  return end >= ENDLESS ? `bytes=${start}-` : `bytes=${start}-${end}`;
}

async function open(
  store: S3Store,
  call: SignalledCall,
  key: string,
  range: string | undefined,
  etag?: string,
): Promise<GetObjectCommandOutput> {
  try {
    return await requestRaw(store, call, async (client, options) => {
      const command = new GetObjectCommand({
        Bucket: store.bucket,
        Key: key,
        ...(range === undefined ? {} : { Range: range }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
      });
      const reply = await client.send(command, options);
      return readable(reply, () => withETag(reply));
    });
  } catch (error) {
    if (etag !== undefined && (statusOf(error) === 412 || statusOf(error) === 404)) throw replaced(key, error);
    if (isNamed(error, "InvalidRange") || statusOf(error) === 416) {
      throw new TaskflowError("usage", `cannot read ${key}: it ends before this range begins`, {
        cause: causeOf(error),
      });
    }
    if (isNamed(error, "InvalidObjectState")) throw await archivedError(store, key, call, error);
    throw await missing(store, call, error);
  }
}

function spanOf(
  store: S3Store,
  key: string,
  range: Range | undefined,
  reply: GetObjectCommandOutput,
): { start: number; end: number; size: number } {
  if (range === undefined) {
    // Without a length only the record can tell a body that was cut from one that has ended.
    const size = reply.ContentLength ?? decodeRecord(reply.Metadata ?? {})?.size;
    const whole = sizeOf(store, key, { ContentLength: size });
    return { start: 0, end: whole, size: whole };
  }
  const told = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(reply.ContentRange ?? "");
  if (told === null || Number(told[1]) !== range.start) {
    throw new TaskflowError("unsupported", `cannot read ${key}: the store gives no parts of objects`, { hint: null });
  }
  return { start: range.start, end: Number(told[2]) + 1, size: Number(told[3]) };
}

/** What `check` gives; where it throws the connection ends, for a body that nobody reads would keep it for ever. */
function readable<T>(reply: GetObjectCommandOutput, check: () => T): T {
  try {
    return check();
  } catch (error) {
    bodyOf(reply).destroy();
    throw error;
  }
}

function bodyOf(reply: GetObjectCommandOutput): NodeBody {
  if (reply.Body === undefined) throw new TaskflowError("internal", "a reply to GET without a body");
  return reply.Body as unknown as NodeBody;
}

/** By hand, because a generator that was never begun doesn't hear that it is left, and the connection would stay. */
function read(source: Source, first: NodeBody): AsyncIterator<Uint8Array, undefined> {
  const { start, end, key, call } = source;
  let body: NodeBody | null = first;
  let chunks: AsyncIterator<Uint8Array, undefined> = first[Symbol.asyncIterator]();
  let position = start;
  let resumes = 0;
  let goodAt = start + GOOD_BYTES;

  function close(): void {
    body?.destroy();
    body = null;
  }

  async function resume(error: unknown): Promise<void> {
    close();
    resumes += 1;
    if (resumes > RESUMES) throw error;
    const reply = await open(source.store, call, key, rangeHeader(position, end - 1), source.etag);
    readable(reply, () => spanOf(source.store, key, { start: position, end: end - 1 }, reply));
    body = bodyOf(reply);
    chunks = body[Symbol.asyncIterator]();
  }

  /** The bytes are all there; a connection whose reply was read to its end can be used again. */
  async function drain(): Promise<void> {
    const extra = await chunks.next().catch(() => null);
    if (extra !== null && extra.done !== true) throw replaced(key);
  }

  /** `null`: at the end. */
  async function next(): Promise<Uint8Array | null> {
    for (;;) {
      if (position >= end) {
        await drain();
        return null;
      }
      try {
        const result = await chunks.next();
        if (result.done !== true) {
          const { value } = result;
          if (value.length === 0) continue;
          if (position + value.length > end) throw replaced(key);
          position += value.length;
          if (position >= goodAt) {
            resumes = 0;
            goodAt = position + GOOD_BYTES;
          }
          return value;
        }
        await resume(Object.assign(new Error(`it ended at byte ${position} of ${end}`), { code: "ECONNRESET" }));
      } catch (error) {
        if (call.signal.aborted) throw abortReason(call.signal);
        if (isTaskflowError(error) || !isUnclear(error)) throw error;
        await resume(error);
      }
    }
  }

  return {
    async next() {
      if (body === null) return { done: true, value: undefined };
      try {
        const value = call.signal.aborted ? await Promise.reject(abortReason(call.signal)) : await next();
        if (value !== null) return { done: false, value };
        close();
        return { done: true, value: undefined };
      } catch (error) {
        close();
        throw await explained(source.store, call, error);
      }
    },
    return() {
      close();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

function replaced(key: string, cause?: unknown): TaskflowError {
  const what = `cannot read ${key}: it was replaced or deleted while it was read`;
  return new TaskflowError("changed", what, cause === undefined ? {} : { cause: causeOf(cause) });
}
