/**
 * The one layer of retries, as the SDK's `standard` mode has it, with two differences: it is bounded by time, counted
 * from the last request that succeeded (a part that arrived shows that the link is there), and it knows what S3 asks
 * to be sent again though it is no fault of the server's (a flipped bit, two writers at once).
 *
 * With the default time, five attempts must do where a server answers, but with failures, and where nothing has answered
 * yet, for most often the address is wrong. All of it is for a link that was there and broke.
 */
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { statusOf } from "../failures/sdk-error.ts";

export type RetryStrategy = Exclude<NonNullable<S3ClientConfig["retryStrategy"]>, { retry: unknown }>;
type RetryToken = Awaited<ReturnType<RetryStrategy["acquireInitialRetryToken"]>>;
type RetryErrorInfo = Parameters<RetryStrategy["refreshRetryTokenForRetry"]>[1];

export interface RetryOptions {
  /** How long to keep trying. All requests of one outage share it. */
  readonly retryForMs: number;
  /** When the link last was seen to carry bytes. Absent: only successes show that it does. */
  readonly movedAt?: () => number;
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
}

export const DEFAULT_RETRY_FOR_MS = 60_000;
export const MAX_ATTEMPTS = 5;

const FIRST_DELAY_MS = 100;
const FIRST_THROTTLED_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
/** The longest that a server may ask for by Retry-After. */
const LONGEST_HINT_MS = 30_000;

/** Sent once more, whatever the class of the error: bytes that were hurt on their way, and a race of two writers. */
const ONCE_MORE: ReadonlySet<string> = new Set([
  "BadDigest",
  "IncompleteBody",
  "XAmzContentSHA256Mismatch",
  "XAmzContentChecksumMismatch",
  "ConditionalRequestConflict",
  "OperationAborted",
]);

/** A request that begins so soon after another one failed meets the same outage. */
const SAME_OUTAGE_MS = 1000;

interface Token extends RetryToken {
  /** When this request, or the outage that it began in, started. */
  readonly startedAt: number;
  readonly onceMore: boolean;
}

export function createRetryStrategy(options: RetryOptions): RetryStrategy {
  const { retryForMs, movedAt = () => -Infinity, now = () => performance.now(), random = Math.random } = options;
  let lastSuccess = -Infinity;
  let hasAnswered = false;
  let outage: { readonly since: number; readonly lastFailure: number } | null = null;

  function attemptsFor(isReply: boolean): number {
    return retryForMs === DEFAULT_RETRY_FOR_MS && (isReply || !hasAnswered) ? MAX_ATTEMPTS : Infinity;
  }

  function begin(): number {
    return outage !== null && now() - outage.lastFailure < SAME_OUTAGE_MS ? outage.since : now();
  }

  function noteFailure(startedAt: number): void {
    const goesOn = outage !== null && startedAt - outage.lastFailure < SAME_OUTAGE_MS;
    outage = { since: goesOn && outage !== null ? outage.since : startedAt, lastFailure: now() };
  }

  function token(startedAt: number, count: number, delayMs: number, onceMore: boolean): Token {
    return { startedAt, onceMore, getRetryCount: () => count, getRetryDelay: () => delayMs };
  }

  function delayFor(count: number, { errorType, retryAfterHint }: RetryErrorInfo): number {
    const first = errorType === "THROTTLING" ? FIRST_THROTTLED_DELAY_MS : FIRST_DELAY_MS;
    // Full jitter, so that many who failed together don't come back together.
    const backoff = random() * Math.min(first * 2 ** count, LONGEST_DELAY_MS);
    if (retryAfterHint === undefined) return backoff;
    return Math.max(backoff, Math.min(retryAfterHint.getTime() - Date.now(), LONGEST_HINT_MS));
  }

  return {
    acquireInitialRetryToken: () => Promise.resolve(token(begin(), 0, 0, false)),
    refreshRetryTokenForRetry(given, info) {
      const { onceMore } = given as Token;
      const count = given.getRetryCount();
      const isReply = statusOf(info.error) !== null;
      hasAnswered ||= isReply;
      // A slow link may need longer for one part than there is for trying, and a server for one answer. Later attempts
      // share one such time.
      const cameAt = isReply ? now() : movedAt();
      const startedAt = Math.max((given as Token).startedAt, count === 0 ? cameAt : -Infinity);
      const again = info.errorType === "THROTTLING" || info.errorType === "TRANSIENT";
      if (again) noteFailure(startedAt);
      const hurt = !onceMore && ONCE_MORE.has(nameOf(info.error));
      const delayMs = delayFor(count, info);
      // That others get through says nothing of one that is answered with a failure.
      const deadline = (isReply ? startedAt : Math.max(startedAt, lastSuccess)) + retryForMs;
      const hopeless = isHopeless(info.error, hasAnswered);
      if (!(again || hurt) || hopeless || count + 1 >= attemptsFor(isReply) || now() + delayMs > deadline) {
        return Promise.reject(new Error("no more attempts"));
      }
      return Promise.resolve(token(startedAt, count + 1, delayMs, onceMore || hurt));
    },
    recordSuccess() {
      lastSuccess = now();
      hasAnswered = true;
      outage = null;
    },
  };
}

/** What the SDK would repeat though the answer will be the same: a certificate, a name that never existed. */
function isHopeless(error: unknown, wasThere: boolean): boolean {
  const { code } = Object(error) as { code?: unknown };
  if (code === "ENOTFOUND") return !wasThere;
  return typeof code === "string" && /CERT|^ERR_TLS|^EPROTO$/.test(code);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}
