/** What S3, the SDK and the network say, in our words: by name, then by HTTP status, then by the socket's code. */
import { TaskflowError, isTaskflowError } from "../../../errors.ts";
import { accessDenied, isObjectLock, noCredentials, noSuchBucket, wrongRegion } from "./classics.ts";
import { NAMES, STATUSES } from "./meanings.ts";
import type { Meaning } from "./meanings.ts";
import { notS3, server, sockets } from "./network.ts";
import { regionIn } from "../client/region.ts";
import {
  attemptsOf,
  causeOf,
  isFromStranger,
  isGarbage,
  isNamed,
  messageOf,
  nameOf,
  oneLine,
  requestIdOf,
  socketCode,
  statusOf,
} from "./sdk-error.ts";
import type { S3Store } from "../store.ts";

/** What was being done, for the message. */
export interface Call {
  /** After "cannot". */
  readonly act: string;
  /** The permission that it takes: `s3:PutObject`. */
  readonly action: string;
  readonly key?: string;
}

/** The error of a call. Never its keys or signature: name, status, request id and what S3 says. */
export function asTaskflowError(error: unknown, call: Call, store: S3Store): TaskflowError {
  if (isTaskflowError(error)) return error;
  const { code, why, hint, refused } = meaningOf(error, call, store);
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
      ...(refused === undefined ? {} : { refused }),
    },
    cause: causeOf(error),
  });
}

/** A failure that is put into words already. */
export function failed(act: string, { code, why, hint }: Meaning, cause?: unknown): TaskflowError {
  return new TaskflowError(code, oneLine(`cannot ${act}: ${why}`), {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { requestId: requestIdOf(cause), cause: causeOf(cause) }),
  });
}

const MISPLACED = ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"] as const;

function meaningOf(error: unknown, call: Call, store: S3Store): Meaning {
  const name = nameOf(error);
  const status = statusOf(error);
  if (/^CredentialsProviderError$|^TokenProviderError$/.test(name)) return noCredentials(error, store);
  if (isFromStranger(error)) return notS3(store);
  if (name === "NoSuchBucket") return noSuchBucket(store);
  if (isObjectLock(error, call))
    return { code: "retained", why: "it is locked against deletion (object lock)", hint: null };
  const region = regionIn(error);
  const elsewhere = region !== null && region !== store.region();
  if (elsewhere || status === 301 || isNamed(error, ...MISPLACED)) return wrongRegion(region, store);
  const known = NAMES[name] ?? sockets(error, store) ?? STATUSES[status ?? 0];
  if (known !== undefined) return known;
  if (status === 403) return accessDenied(error, call, store);
  if (status !== null && status >= 500) return { code: "network", why: `${server(store)} fails (${status} ${name})` };
  if (isGarbage(error)) return notS3(store);
  if (status === null) return { code: "internal", why: messageOf(error), hint: null };
  const why = `${server(store)} refuses it: ${status} ${name} ${messageOf(error)}`.trim();
  return { code: "unsupported", why, refused: true };
}
