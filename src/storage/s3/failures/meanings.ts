/** What S3's own names and statuses mean in our words. */
import type { ErrorCode } from "../../../errors.ts";

export interface Meaning {
  readonly code: ErrorCode;
  readonly why: string;
  readonly hint?: string | null;
  /** Refused, and nothing is known of why: see `isLacking`. */
  readonly refused?: true;
}

const SIGN_IN = "sign in again (aws sso login, or fresh keys), then run the same command";

const CUT_SHORT = { code: "network", why: "the bytes came too slowly, or not all of them" } as const;
const FULL = {
  code: "io",
  why: "the store is full, or its quota is used up",
  hint: "make room there, or have the quota raised; old versions count too",
} as const;
const SLOWER = { code: "throttled", why: "the store asks to slow down" } as const;

/** By the name of the error, which is S3's code. */
export const NAMES: Readonly<Record<string, Meaning | undefined>> = {
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
  // Of STS, which is asked for a role's session.
  InvalidClientTokenId: {
    code: "access_denied",
    why: "AWS doesn't know the access key that the role is asked for with",
    hint: "check the keys of the source_profile in AWS's own files",
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
  GlacierExpeditedRetrievalNotAvailable: {
    code: "throttled",
    why: "there is no capacity for expedited thaws now",
    hint: "run the same command again, or with --tier standard",
  },
  SlowDown: SLOWER,
  // Of STS, with status 400.
  Throttling: SLOWER,
  ThrottlingException: SLOWER,
  RequestLimitExceeded: SLOWER,
  RequestTimeout: CUT_SHORT,
  RequestTimeoutException: CUT_SHORT,
  IncompleteBody: CUT_SHORT,
  // Of Ceph, for a user or a bucket; and of MinIO, for a bucket and for its disks.
  QuotaExceeded: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
  XMinioStorageFull: FULL,
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
    hint: "a new bucket needs some minutes; else check the endpoint",
  },
};

/** Where the name says nothing. */
export const STATUSES: Readonly<Record<number, Meaning | undefined>> = {
  307: NAMES["TemporaryRedirect"],
  404: NAMES["NoSuchKey"],
  405: NAMES["MethodNotAllowed"],
  408: CUT_SHORT,
  409: { code: "network", why: "others write to it at the same time" },
  412: NAMES["PreconditionFailed"],
  416: NAMES["InvalidRange"],
  429: NAMES["SlowDown"],
  501: NAMES["NotImplemented"],
  507: FULL,
};
