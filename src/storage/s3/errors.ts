/** What S3, the SDK and the network say, in our words: by name, then by HTTP status, then by the socket's code. */
import { TaskflowError, isTaskflowError } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { accessDenied, isObjectLock, noCredentials, noSuchBucket, wrongRegion } from "./classics.ts";
import { regionIn } from "./region.ts";
import type { S3Store } from "./store.ts";

/** What was being done, for the message. */
export interface Call {
  /** After "cannot". */
  readonly act: string;
  /** The permission that it takes: `s3:PutObject`. */
  readonly action: string;
  readonly key?: string;
}

/** Of an SDK error. Everything is optional: it may be anything that was thrown. */
interface SdkError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

export interface Meaning {
  readonly code: ErrorCode;
  readonly why: string;
  readonly hint?: string | null;
}

/** The error of a call. Never its keys or signature: name, status, request id and what S3 says. */
export function asTaskflowError(error: unknown, call: Call, store: S3Store): TaskflowError {
  if (isTaskflowError(error)) return error;
  const { code, why, hint } = meaningOf(error, call, store);
  const status = statusOf(error);
  const attempts = attemptsOf(error);
  const times = attempts > 1 ? `, ${attempts} times` : "";
  return new TaskflowError(code, oneLine(`cannot ${call.act}: ${why}${times}`), {
    ...(hint === undefined ? {} : { hint }),
    requestId: requestIdOf(error),
    context: {
      name: nameOf(error),
      status,
      attempts,
      bucket: store.bucket,
      ...(call.key === undefined ? {} : { key: call.key }),
      ...(socketCode(error) === null ? {} : { socket: socketCode(error) }),
    },
    cause: causeOf(error),
  });
}

/**
 * What is kept of an SDK error: it holds the whole request, signature and session token with it, and what S3 says of a
 * wrong signature repeats them.
 */
export function causeOf(error: unknown): unknown {
  if (!(error instanceof Error) || isTaskflowError(error)) return error;
  const cause = new Error(messageOf(error));
  const code = socketCode(error);
  Object.defineProperty(cause, "name", { value: error.name });
  if (error.stack !== undefined) Object.defineProperty(cause, "stack", { value: error.stack });
  return code === null ? cause : Object.assign(cause, { code });
}

/** A failure that is put into words already. */
export function failed(act: string, { code, why, hint }: Meaning, cause?: unknown): TaskflowError {
  const known = hint === undefined ? {} : { hint };
  return new TaskflowError(
    code,
    oneLine(`cannot ${act}: ${why}`),
    cause === undefined ? known : { ...known, cause: causeOf(cause) },
  );
}

export function nameOf(error: unknown): string {
  const { name } = Object(error) as SdkError;
  return typeof name === "string" ? name : "";
}

export function isNamed(error: unknown, ...names: string[]): boolean {
  return names.includes(nameOf(error));
}

/** The HTTP status; `null` where no reply came. */
export function statusOf(error: unknown): number | null {
  const { $metadata } = Object(error) as SdkError;
  return $metadata?.httpStatusCode ?? null;
}

/** How often it was sent. More than once, and an earlier one may have done it. */
export function attemptsOf(error: unknown): number {
  const { $metadata } = Object(error) as SdkError;
  return $metadata?.attempts ?? 1;
}

export function headersOf(error: unknown): Readonly<Record<string, string | undefined>> {
  const { $response } = Object(error) as SdkError;
  return $response?.headers ?? {};
}

/** No reply that says no: it may have happened or not. */
export function isUnclear(error: unknown): boolean {
  const status = statusOf(error);
  return status === null ? socketCode(error) !== null || isGarbage(error) : status >= 500 || status === 200;
}

export function messageOf(error: unknown): string {
  const { message } = Object(error) as SdkError;
  return typeof message === "string" ? oneLine(message) : "";
}

function requestIdOf(error: unknown): string | null {
  const { $metadata } = Object(error) as SdkError;
  return $metadata?.requestId ?? null;
}

function socketCode(error: unknown): string | null {
  const { code } = Object(error) as SdkError;
  if (typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  return nameOf(error) === "TimeoutError" ? "ETIMEDOUT" : null;
}

function meaningOf(error: unknown, call: Call, store: S3Store): Meaning {
  const name = nameOf(error);
  const status = statusOf(error);
  if (/^CredentialsProviderError$|^TokenProviderError$/.test(name)) return noCredentials(error, store);
  if (name === "NoSuchBucket") return noSuchBucket(store);
  if (isObjectLock(error)) return { code: "retained", why: "it is locked against deletion (object lock)", hint: null };
  const region = regionIn(error);
  const elsewhere = region !== null && region !== store.region();
  if (elsewhere || status === 301 || isNamed(error, ...MISPLACED)) return wrongRegion(region, store);
  const known = NAMES[name] ?? sockets(error, store) ?? STATUSES[status ?? 0];
  if (known !== undefined) return known;
  if (status === 403) return accessDenied(error, call, store);
  if (status !== null && status >= 500) return { code: "network", why: `${server(store)} fails (${status} ${name})` };
  if (isGarbage(error)) return notS3(store);
  if (status === null) return { code: "internal", why: messageOf(error), hint: null };
  return { code: "unsupported", why: `${server(store)} refuses it: ${status} ${name} ${messageOf(error)}`.trim() };
}

/** A reply that is none of S3's: a captive portal, a proxy's page, another server. */
export function notS3(store: S3Store, what = "what answered is not S3"): Meaning {
  return {
    code: "network",
    why: `${what} (${server(store)})`,
    hint: "a proxy or a login page may be in the way, or AWS_ENDPOINT_URL_S3 names another kind of server",
  };
}

export function server({ settings: { endpoint } }: S3Store): string {
  return endpoint ?? "S3";
}

/** XML that is none, or JSON that was HTML: the SDK's parser throws. */
function isGarbage(error: unknown): boolean {
  return nameOf(error) === "SyntaxError" || messageOf(error).includes("Deserialization error");
}

const MISPLACED = ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"] as const;

const SIGN_IN = "sign in again (aws sso login, or fresh keys), then run the same command";

const NAMES: Readonly<Record<string, Meaning | undefined>> = {
  ExpiredToken: { code: "expired_credentials", why: "the credentials have ended", hint: SIGN_IN },
  ExpiredTokenException: { code: "expired_credentials", why: "the credentials have ended", hint: SIGN_IN },
  TokenRefreshRequired: { code: "expired_credentials", why: "the credentials have ended", hint: SIGN_IN },
  RequestExpired: { code: "clock_skew", why: "this machine's clock is wrong" },
  RequestTimeTooSkewed: { code: "clock_skew", why: "this machine's clock is wrong" },
  InvalidAccessKeyId: {
    code: "access_denied",
    why: "this access key is not known there",
    hint: "check AWS_ACCESS_KEY_ID, and that key and endpoint belong together",
  },
  SignatureDoesNotMatch: {
    code: "access_denied",
    why: "the secret key doesn't belong to the access key",
    hint: "check AWS_SECRET_ACCESS_KEY, where a blank or line break at its end counts",
  },
  InvalidToken: {
    code: "access_denied",
    why: "the session token is not valid",
    hint: "set AWS_SESSION_TOKEN of the same sign-in as the keys, or none for lasting keys",
  },
  NoSuchKey: { code: "not_found", why: "there is no such object" },
  NoSuchVersion: { code: "not_found", why: "there is no such version" },
  NoSuchUpload: { code: "network", why: "the store has dropped what was sent of it" },
  PreconditionFailed: { code: "exists", why: "there is an object under this key already" },
  InvalidObjectState: { code: "archived", why: "it is archived", hint: "bring it back first: taskflow attach thaw" },
  RestoreAlreadyInProgress: { code: "archived", why: "it is being brought back from the archive", hint: null },
  SlowDown: { code: "throttled", why: "the store asks to slow down" },
  EntityTooLarge: { code: "too_large", why: "it is larger than the store takes" },
  BadDigest: { code: "checksum_mismatch", why: "other bytes arrived than were sent; nothing was stored" },
  XAmzContentSHA256Mismatch: {
    code: "checksum_mismatch",
    why: "other bytes arrived than were sent; nothing was stored",
  },
  XAmzContentChecksumMismatch: {
    code: "checksum_mismatch",
    why: "other bytes arrived than were sent; nothing was stored",
  },
  InvalidBucketName: { code: "bad_config", why: "the bucket's name is not one" },
  InvalidStorageClass: { code: "usage", why: "the store has no such storage class" },
  InvalidTag: { code: "usage", why: "the store doesn't take these tags" },
  KeyTooLongError: { code: "usage", why: "the key is too long" },
  MetadataTooLarge: { code: "usage", why: "the metadata are too large" },
  InvalidRange: { code: "usage", why: "there is no such range" },
  NotImplemented: { code: "unsupported", why: "the store can't do this" },
  MethodNotAllowed: { code: "unsupported", why: "the store doesn't allow this" },
  TemporaryRedirect: {
    code: "bad_config",
    why: "the server sends elsewhere, and what is signed for one is not given to another",
    hint: "a new bucket needs some minutes; else check AWS_ENDPOINT_URL_S3",
  },
};

const STATUSES: Readonly<Record<number, Meaning | undefined>> = {
  307: NAMES["TemporaryRedirect"],
  404: NAMES["NoSuchKey"],
  405: NAMES["MethodNotAllowed"],
  409: { code: "network", why: "others write to it at the same time" },
  412: NAMES["PreconditionFailed"],
  416: NAMES["InvalidRange"],
  429: NAMES["SlowDown"],
  501: NAMES["NotImplemented"],
};

function sockets(error: unknown, store: S3Store): Meaning | undefined {
  const code = socketCode(error);
  if (code === null || statusOf(error) !== null) return undefined;
  const { hostname = "", address, port } = Object(error) as { hostname?: string; address?: string; port?: number };
  const where = hostname || (address === undefined ? server(store) : `${address}:${port ?? ""}`);
  const check = store.settings.endpoint === null ? "check the network" : "check the network and AWS_ENDPOINT_URL_S3";
  if (/CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return {
      code: "network",
      why: `the certificate of ${where} is not trusted (${code})`,
      hint: "name the authority's certificate with --ca-file or AWS_CA_BUNDLE",
    };
  }
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { code: "network", why: `the name ${where} can't be looked up (${code})`, hint: check };
    case "ECONNREFUSED":
      return { code: "network", why: `nothing answers at ${where}`, hint: check };
    case "ETIMEDOUT":
      return { code: "network", why: `${where} doesn't answer: ${messageOf(error)}`, hint: check };
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return { code: "network", why: `${where} doesn't speak TLS`, hint: "check http or https in the endpoint" };
    default:
      return { code: "network", why: `the connection to ${where} broke (${code})` };
  }
}

/** Servers write what they like; a message is one line. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}
