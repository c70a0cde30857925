/** Sends one request: with its signal, to the bucket's own region, its failure in our words. */
import { setTimeout as sleep } from "node:timers/promises";
import { GetBucketVersioningCommand, HeadBucketCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { abortReason, throwIfAborted } from "../../../errors.ts";
import type { TaskflowError } from "../../../errors.ts";
import { unlessAborted } from "../../abortable.ts";
import { asTaskflowError, failed } from "../failures/errors.ts";
import { isFromStranger, isNamed, statusOf } from "../failures/sdk-error.ts";
import type { Call } from "../failures/errors.ts";
import { noSuchBucket } from "../failures/classics.ts";
import { hearClock } from "./clock.ts";
import { hearMany } from "./grace.ts";
import { regionIn } from "./region.ts";
import type { S3Store } from "../store.ts";

export interface SignalledCall extends Call {
  readonly signal: AbortSignal;
}

type Send<T> = (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>;

/** Errors: as errors.ts has them; the signal's reason once it is aborted. */
export async function request<T>(store: S3Store, call: SignalledCall, send: Send<T>): Promise<T> {
  try {
    return await requestRaw(store, call, send);
  } catch (error) {
    throw await explained(store, call, error);
  }
}

/** As `request`, for callers that look at what was thrown before it is put into words: rejects with the SDK's error. */
export async function requestRaw<T>(store: S3Store, call: SignalledCall, send: Send<T>): Promise<T> {
  const signal = hearMany(call.signal);
  throwIfAborted(signal);
  const client = await unlessAborted(store.client(), signal);
  try {
    return await sentBy(client, store, send, signal);
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    const region = regionIn(error);
    // Another request may have heard it first, while this one was on its way to the old place.
    const isElsewhere = region !== null && (store.moveTo(region) || (await store.client()) !== client);
    if (!isElsewhere) throw error;
    return await sent(store, send, signal);
  }
}

/** The error in our words. A 400 without a body is asked about with another request; a 404 without a body may mean the bucket: that is asked where nothing told of it yet. */
export async function explained(store: S3Store, call: SignalledCall, error: unknown): Promise<TaskflowError> {
  if (call.signal.aborted) return abortReason(call.signal);
  if (statusOf(error) === 400 && isNamed(error, ...UNSAID)) {
    return asTaskflowError(await spelledOut(store, call, error), call, store);
  }
  const bodiless = statusOf(error) === 404 && !isNamed(error, "NoSuchKey", "NoSuchVersion", "NoSuchUpload");
  if (!bodiless || isFromStranger(error) || store.learnt.bucketExists || !(await isBucketMissing(store, call))) {
    return asTaskflowError(error, call, store);
  }
  return failed(call.act, noSuchBucket(store), error);
}

/** What the SDK calls an error whose reply had no body. */
const UNSAID = ["Unknown", "UnknownError", "BadRequest", "400"] as const;

/** HEAD has no body that could say why it is refused, as with credentials that have ended. A GET has. */
async function spelledOut(store: S3Store, { signal }: SignalledCall, error: unknown): Promise<unknown> {
  try {
    await sent(
      store,
      (client, options) => client.send(new GetBucketVersioningCommand({ Bucket: store.bucket }), options),
      signal,
    );
    return error;
  } catch (told) {
    return statusOf(told) === 400 ? told : error;
  }
}

async function sent<T>(store: S3Store, send: Send<T>, signal: AbortSignal): Promise<T> {
  return await sentBy(await unlessAborted(store.client(), signal), store, send, signal);
}

async function sentBy<T>(client: S3Client, store: S3Store, send: Send<T>, signal: AbortSignal): Promise<T> {
  try {
    const output = await endedOrLeft(send(client, { abortSignal: signal }), signal);
    store.learnt.bucketExists = true;
    hearClock(store, output);
    return output;
  } catch (error) {
    if (isNamed(error, "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "PreconditionFailed")) {
      store.learnt.bucketExists = true;
    }
    throw error;
  }
}

/** How long a request that was aborted may take to end. */
const ENDS_MS = 500;

/**
 * What is sent. Aborted, the SDK ends a request by itself, and what it gives then counts; but while it waits for
 * credentials it hears nothing of the signal, and is left.
 */
async function endedOrLeft<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await unlessAborted(sending, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const stop = new AbortController();
    const left = sleep(ENDS_MS, null, { signal: stop.signal }).catch(() => null);
    const ended = await Promise.race([sending.then((value) => ({ value })), left]).finally(() => stop.abort());
    if (ended === null) throw error;
    return ended.value;
  }
}

async function isBucketMissing(store: S3Store, { signal }: SignalledCall): Promise<boolean> {
  try {
    await sent(
      store,
      (client, options) => client.send(new HeadBucketCommand({ Bucket: store.bucket }), options),
      signal,
    );
    return false;
  } catch (error) {
    // Denied is no sign of absence.
    return statusOf(error) === 404;
  }
}
