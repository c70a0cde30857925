/** Upload: which way the bytes go. One request up to the part size; parts beyond. */
import { createHash } from "node:crypto";
import { TaskflowError, throwIfAborted, toTaskflowError } from "../../../errors.ts";
import type { Body, PutOptions, StoredObject } from "../../driver.ts";
import { metaAtEnd } from "../../late-meta.ts";
import { checkTaken, takeBody } from "../../take-body.ts";
import { countedBody } from "./counted-body.ts";
import { createDigester } from "./digest.ts";
import { hearMany } from "../client/grace.ts";
import { inMemory } from "../client/part-body.ts";
import { putMultipart, putStreamed } from "./put-multipart.ts";
import { putSingle } from "./put-single.ts";
import { spool } from "./spool.ts";
import type { S3Store } from "../store.ts";

/** As `StorageDriver.put`. */
export async function put(store: S3Store, key: string, body: Body, options: PutOptions): Promise<StoredObject> {
  throwIfAborted(hearMany(options.signal));
  const { size } = body;
  try {
    if (size !== null && size <= store.partSize) return await putSmall(store, key, body, size, options);
    if (isReadableByPosition(body)) return await putLarge(store, key, body, options);
    const { sha256 } = options;
    // What is recorded goes before the bytes; here it is known by then.
    if (size !== null && sha256 !== undefined) return await putStreamed(store, key, body, { size, sha256 }, options);
    return await putSpooled(store, key, body, options);
  } catch (error) {
    throw toTaskflowError(error);
  }
}

/** One buffer, filled, hashed and sent. */
async function putSmall(
  store: S3Store,
  key: string,
  body: Body,
  size: number,
  options: PutOptions,
): Promise<StoredObject> {
  const bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  const came = await takeBody(key, body, options, (chunk) => {
    // What doesn't fit is counted all the same: the count tells that it changed.
    bytes.set(chunk.subarray(0, size - filled), filled);
    filled = Math.min(size, filled + chunk.length);
  });
  await body.settle(came);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  checkTaken(key, { size: came, sha256 }, size, options);
  return await putCounted(store, key, bytes, sha256, options);
}

/** What was sent counts for as long as it isn't to be sent again. */
async function putCounted(
  store: S3Store,
  key: string,
  bytes: Uint8Array,
  sha256: string,
  options: PutOptions,
): Promise<StoredObject> {
  const counted = countedBody(inMemory(bytes), options.onBytes);
  try {
    const stored = await putSingle(store, key, counted.body, sha256, options);
    counted.arrived();
    return stored;
  } catch (error) {
    counted.failed();
    throw error;
  }
}

type LargeBody = Body & { readonly size: number } & Required<Pick<Body, "readAt">>;

function isReadableByPosition(body: Body): body is LargeBody {
  return body.size !== null && body.repeatable && body.readAt !== undefined;
}

/** Read twice: what is recorded of the whole goes before the first part. */
async function putLarge(store: S3Store, key: string, body: LargeBody, options: PutOptions): Promise<StoredObject> {
  const digester = createDigester();
  await takeBody(key, body, options, (chunk) => {
    digester.update(chunk);
    options.onRead?.(chunk.length);
  });
  const digests = digester.end();
  if (digests.size !== body.size) await body.settle(digests.size);
  checkTaken(key, digests, body.size, options);
  return await putMultipart(
    store,
    key,
    {
      digests,
      readAt: (buffer, position, length) => body.readAt(buffer, position, length),
      settle: () => body.settle(digests.size),
      async changed(bytesRead) {
        await body.settle(bytesRead);
        return new TaskflowError("changed", `cannot store ${key}: its bytes changed while they were read`);
      },
    },
    options,
  );
}

/** Read once, kept until its digest is known, then as a file. */
async function putSpooled(store: S3Store, key: string, body: Body, options: PutOptions): Promise<StoredObject> {
  const spooled = await spool(store, key, body, options);
  try {
    const { digests, bytes } = spooled;
    await body.settle(digests.size);
    checkTaken(key, digests, body.size, options);
    const atEnd: PutOptions = { ...options, record: { ...options.record, meta: metaAtEnd(options) } };
    if (bytes !== null) return await putCounted(store, key, bytes, digests.sha256, atEnd);
    return await putMultipart(
      store,
      key,
      {
        digests,
        readAt: (buffer, position, length) => spooled.readAt(buffer, position, length),
        settle: () => Promise.resolve(),
        changed: () =>
          Promise.resolve(
            new TaskflowError("io", `cannot store ${key}: what was kept of the input came back otherwise`),
          ),
      },
      // Nobody can read them again.
      { ...atEnd, resume: undefined },
    );
  } finally {
    await spooled.remove();
  }
}
