/**
 * Every way in which taskflow can fail, in ONE table: the code that programs act on, the exit status that scripts act
 * on, and what a person may do next when the place that failed knows nothing better.
 */
const NO_HINT = null;

export const ERRORS = {
  internal: { exit: 1, hint: "this is a fault of taskflow; run it again with --debug and report what it prints" },
  usage: { exit: 2, hint: "see --help" },
  ambiguous: { exit: 2, hint: "name it by its full id" },
  not_found: { exit: 3, hint: "taskflow attach list shows what there is" },
  no_credentials: { exit: 4, hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE" },
  expired_credentials: { exit: 4, hint: "sign in again, then run the same command" },
  access_denied: { exit: 4, hint: "taskflow attach doctor --write names the permission that is missing" },
  no_store: { exit: 5, hint: "name a store with --store DIR" },
  no_such_bucket: { exit: 5, hint: "bucket names are global: check AWS_S3_BUCKET" },
  wrong_region: { exit: 5, hint: "set AWS_REGION or --region to the bucket's region" },
  bad_config: { exit: 5, hint: "taskflow config list --origin shows where each value comes from" },
  permission: { exit: 5, hint: "check the owner and mode of the file or folder" },
  unsupported: { exit: 5, hint: NO_HINT },
  network: { exit: 6, hint: "run the same command again" },
  throttled: { exit: 6, hint: "wait a little, then run the same command again" },
  clock_skew: { exit: 6, hint: "set this machine's clock, then run the same command again" },
  io: { exit: 6, hint: "run the same command again" },
  changed: { exit: 6, hint: "run the same command again when nothing writes to it" },
  checksum_mismatch: { exit: 8, hint: NO_HINT },
  not_confirmed: { exit: 9, hint: "add --yes to confirm" },
  exists: { exit: 9, hint: NO_HINT },
  too_large: { exit: 9, hint: NO_HINT },
  type_not_allowed: { exit: 9, hint: NO_HINT },
  archived: { exit: 9, hint: NO_HINT },
  retained: { exit: 9, hint: NO_HINT },
  interrupted: { exit: 130, hint: NO_HINT },
} as const satisfies Record<string, { exit: number; hint: string | null }>;

export type ErrorCode = keyof typeof ERRORS;

/** Facts about where it happened; printed with --debug, never secrets. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | null>>;

export interface TaskflowErrorOptions {
  /** What to do next. `null` says that nothing can be done; absent takes the code's default. */
  readonly hint?: string | null;
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable?: boolean;
  readonly context?: ErrorContext;
  /** The id that an S3 store gave to the failed request. */
  readonly requestId?: string | null;
  /** Overrides the exit status of the table: `interrupted` does, by signal, and a command that `run` can't start. */
  readonly exit?: number;
  readonly cause?: unknown;
}

/** Recognizes errors across bundles, where `instanceof` would compare two copies of one class. */
const BRAND = Symbol.for("taskflow.error");

/** The only error that leaves a public function. Programs act on `code`; `message` is for people. */
export class TaskflowError extends Error {
  override readonly name = "TaskflowError";
  readonly code: ErrorCode;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly context: ErrorContext;
  readonly requestId: string | null;
  readonly exit: number;

  constructor(code: ErrorCode, message: string, options: TaskflowErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint === undefined ? ERRORS[code].hint : options.hint;
    this.retryable = options.retryable ?? ERRORS[code].exit === 6;
    this.context = options.context ?? {};
    this.requestId = options.requestId ?? null;
    this.exit = options.exit ?? ERRORS[code].exit;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

export function isTaskflowError(error: unknown): error is TaskflowError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/**
 * Whether the store has no such thing: `unsupported`, but for a refusal that it gives no known reason for (`refused` in
 * the context), which may be of this one request only.
 */
export function isLacking(error: unknown): boolean {
  return isTaskflowError(error) && error.code === "unsupported" && error.context["refused"] !== true;
}

/** Whatever was thrown, as a TaskflowError: unknown things become `internal`, with the original as cause. */
export function toTaskflowError(error: unknown): TaskflowError {
  if (isTaskflowError(error)) return error;
  const { code } = (error ?? {}) as { code?: unknown };
  // Without a descriptor not even a part of taskflow itself can be loaded.
  if (code === "EMFILE" || code === "ENFILE") {
    return new TaskflowError("io", "too many open files", { hint: "raise ulimit -n", cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new TaskflowError("internal", `unexpected: ${message}`, { cause: error });
}

/** Throws what the signal was aborted with, as `interrupted` where that was no TaskflowError. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal);
}

/** The TaskflowError that stands for an aborted signal. */
export function abortReason(signal: AbortSignal): TaskflowError {
  return isTaskflowError(signal.reason)
    ? signal.reason
    : new TaskflowError("interrupted", "interrupted", { cause: signal.reason });
}
