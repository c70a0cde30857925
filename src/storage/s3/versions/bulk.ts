/** DeleteObjects: up to 1,000 objects or versions a request, and for each its own outcome. */
import { createHash } from "node:crypto";
import { DeleteObjectCommand, DeleteObjectsCommand } from "@aws-sdk/client-s3";
import type { DeletedObject as Removed, _Error as SdkFailure } from "@aws-sdk/client-s3";
import { TaskflowError, abortReason, isTaskflowError } from "../../../errors.ts";
import { asTaskflowError, failed } from "../failures/errors.ts";
import { notS3 } from "../failures/network.ts";
import { BATCH } from "./batches.ts";
import { withGrace } from "../client/grace.ts";
import { wholeSeconds } from "../read/describe.ts";
import { dateOf } from "../client/reply.ts";
import { request } from "../client/request.ts";
import type { SignalledCall } from "../client/request.ts";
import type { S3Store } from "../store.ts";

export interface Target {
  readonly key: string;
  /** Absent: the live object, which versioning keeps. Present: this version, for good. */
  readonly versionId?: string;
}

export interface Outcome {
  readonly target: Target;
  readonly error?: TaskflowError;
  /** The version of the delete marker that was made; `null`: none was. */
  readonly markerId: string | null;
  /** By the server's clock, at the latest. */
  readonly at: Date;
}

/**
 * One outcome a target, in the order given; at most 1,000 targets, none twice. Once begun it isn't cut by the signal but
 * for a grace, so that what was deleted is told. Errors of the request as a whole become those of each target; what the
 * end of the grace has cut is `interrupted`, and may be deleted.
 */
export async function deleteBatch(
  store: S3Store,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const grace = withGrace(signal);
  try {
    return await deleteEach(store, targets, grace.signal);
  } finally {
    grace.done();
  }
}

/**
 * The same for however many, in requests of 1,000, one after another. The grace is the caller's: what the signal cuts
 * has that for its outcome.
 */
export async function deleteAll(store: S3Store, targets: readonly Target[], signal: AbortSignal): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < targets.length; at += BATCH) {
    const some = targets.slice(at, at + BATCH);
    outcomes.push(...(await deleteEach(store, some, signal)));
  }
  return outcomes;
}

async function deleteEach(
  store: S3Store,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const odd = targets.filter(({ key }) => isUnwritable(key));
  const plain = targets.filter(({ key }) => !isUnwritable(key));
  const outcomes = new Map<Target, Outcome>();
  for (const outcome of plain.length === 0 ? [] : await deletePlain(store, plain, signal)) {
    outcomes.set(outcome.target, outcome);
  }
  for (const target of odd) {
    // What is not begun is as it was.
    const outcome = signal.aborted
      ? { target, error: abortReason(signal), markerId: null, at: store.now() }
      : await deleteOne(store, target, signal);
    outcomes.set(target, outcome);
  }
  return targets.map((target) => outcomes.get(target) ?? unanswered(store, target));
}

/** The first failure of each key. */
export function failuresOf(outcomes: readonly Outcome[]): ReadonlyMap<string, TaskflowError> {
  const failures = new Map<string, TaskflowError>();
  for (const { target, error } of outcomes) {
    if (error !== undefined && !failures.has(target.key)) failures.set(target.key, error);
  }
  return failures;
}

/** The name of the permission that it takes. */
function actionOf({ versionId }: Target): string {
  return versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
}

async function deletePlain(
  store: S3Store,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const [first] = targets;
  const call: SignalledCall = {
    act: targets.length === 1 ? `delete ${first?.key}` : `delete ${targets.length} objects`,
    action: first === undefined ? "s3:DeleteObject" : actionOf(first),
    ...(targets.length === 1 && first !== undefined ? { key: first.key } : {}),
    signal,
  };
  const startedAt = performance.now();
  try {
    const output = await request(store, call, (client, { abortSignal }) => {
      const command = new DeleteObjectsCommand({
        Bucket: store.bucket,
        Delete: { Objects: targets.map(identifierOf), Quiet: false },
      });
      if (!store.isAws) addMd5(command);
      return client.send(command, { abortSignal });
    });
    const at = earliestOf(output, startedAt, store.now());
    const removed = new Map((output.Deleted ?? []).map((one) => [idOf(one.Key, one.VersionId), one]));
    const failed = new Map((output.Errors ?? []).map((one) => [idOf(one.Key, one.VersionId), one]));
    if (removed.size === 0 && failed.size === 0) throw notAnswered(store, call);
    return targets.map((target): Outcome => {
      const id = idOf(target.key, target.versionId);
      const failure = failed.get(id);
      if (failure !== undefined) return { target, error: errorOf(store, target, failure), markerId: null, at };
      const one = removed.get(id);
      return one === undefined ? unanswered(store, target) : { target, markerId: markerOf(target, one), at };
    });
  } catch (error) {
    if (signal.aborted) return targets.map((target) => cutOff(store, target, signal));
    if (!isTaskflowError(error)) throw error;
    const at = store.now();
    return targets.map((target) => ({ target, error: ofOne(error, call, target), markerId: null, at }));
  }
}

/** Of a request that the signal has cut: the server may have done it. Whoever removes versions says what may remain. */
function cutOff(store: S3Store, target: Target, signal: AbortSignal): Outcome {
  const reason = abortReason(signal);
  const { code, message, hint, retryable, exit, context } = reason;
  const { key, versionId } = target;
  const error =
    versionId === undefined
      ? new TaskflowError(code, `${message}: ${key} may be deleted`, {
          hint,
          retryable,
          exit,
          context: { ...context, key },
          cause: reason,
        })
      : reason;
  return { target, error, markerId: null, at: store.now() };
}

/** What the whole request met, as the error of one of its targets. */
function ofOne(error: TaskflowError, { act }: SignalledCall, { key }: Target): TaskflowError {
  const { code, message, hint, retryable, requestId, context, exit } = error;
  // A key may have `$&` in it, which means something in a text that replaces.
  const own = message.replace(act, () => `delete ${key}`);
  return new TaskflowError(code, own, { hint, retryable, requestId, exit, context: { ...context, key }, cause: error });
}

/** XML 1.0 has no way to write most control characters: such keys of others go alone, in the path. */
function isUnwritable(key: string): boolean {
  return /[\u0000-\u001f\u007f\ufffe\uffff]/.test(key);
}

async function deleteOne(store: S3Store, target: Target, signal: AbortSignal): Promise<Outcome> {
  const call: SignalledCall = { act: `delete ${target.key}`, action: actionOf(target), key: target.key, signal };
  const startedAt = performance.now();
  try {
    const output = await request(store, call, (client, { abortSignal }) =>
      client.send(new DeleteObjectCommand({ Bucket: store.bucket, ...identifierOf(target) }), { abortSignal }),
    );
    const markerId = target.versionId === undefined && output.DeleteMarker === true ? (output.VersionId ?? null) : null;
    return { target, markerId, at: earliestOf(output, startedAt, store.now()) };
  } catch (error) {
    if (signal.aborted) return cutOff(store, target, signal);
    if (!isTaskflowError(error)) throw error;
    return { target, error, markerId: null, at: store.now() };
  }
}

function identifierOf({ key, versionId }: Target): { Key: string; VersionId?: string } {
  return { Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) };
}

function idOf(key: string | undefined, versionId: string | undefined): string {
  return JSON.stringify([key, versionId ?? null]);
}

function markerOf({ versionId }: Target, one: Removed): string | null {
  return versionId === undefined && one.DeleteMarker === true ? (one.DeleteMarkerVersionId ?? null) : null;
}

/** Older servers ask for it where AWS takes the SDK's CRC32. */
function addMd5(command: DeleteObjectsCommand): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers, body } = args.request as { headers: Record<string, string>; body: string | Uint8Array };
      headers["content-md5"] = createHash("md5").update(body).digest("base64");
      return next(args);
    },
    { step: "build", name: "taskflowContentMd5", priority: "low" },
  );
}

function errorOf(store: S3Store, target: Target, failure: SdkFailure): TaskflowError {
  const thrown = Object.assign(new Error(failure.Message ?? failure.Code ?? ""), {
    name: failure.Code ?? "Unknown",
    $metadata: { httpStatusCode: STATUS[failure.Code ?? ""] ?? 400 },
  });
  return asTaskflowError(thrown, { act: `delete ${target.key}`, action: actionOf(target), key: target.key }, store);
}

/** What the same failure of a single delete would have had. */
const STATUS: Readonly<Record<string, number | undefined>> = {
  AccessDenied: 403,
  InternalError: 500,
  ServiceUnavailable: 503,
  SlowDown: 503,
  NoSuchBucket: 404,
};

function unanswered(store: S3Store, target: Target): Outcome {
  const call: SignalledCall = {
    act: `delete ${target.key}`,
    action: actionOf(target),
    signal: new AbortController().signal,
  };
  return { target, error: notAnswered(store, call), markerId: null, at: store.now() };
}

function notAnswered(store: S3Store, { act }: SignalledCall): TaskflowError {
  return failed(act, notS3(store, "there was no word of it in the reply"));
}

/**
 * When a request that began at `startedAt` (milliseconds of `performance.now`) was done at the earliest, by the server's
 * clock: a search for what was deleted from then on finds it.
 */
function earliestOf(output: object, startedAt: number, now: Date): Date {
  const answered = dateOf(output) ?? now;
  return wholeSeconds(new Date(answered.getTime() - (performance.now() - startedAt)));
}
