/** Who signs requests, and until when. */
import type { TaskflowError } from "../../../errors.ts";
import { TaskflowError as Failure } from "../../../errors.ts";
import { unlessAborted } from "../../abortable.ts";
import { ok, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import { signedBy } from "../failures/classics.ts";
import { asTaskflowError } from "../failures/errors.ts";
import type { Call } from "../failures/errors.ts";
import { sessionOf } from "../links/link-term.ts";
import type { S3Store } from "../store.ts";
import type { Reach } from "./reach.ts";

const CALL: Call = { act: "sign requests", action: "sts:GetCallerIdentity" };
const SOON_MS = 15 * 60_000;

/** Errors: `no_credentials`, `expired_credentials`; what the store says of keys that it doesn't know. */
export async function checkCredentials(
  store: S3Store,
  reach: () => Promise<Reach>,
  signal: AbortSignal,
): Promise<Finding> {
  const client = await unlessAborted(store.client(), signal);
  const { isSession, end } = await unlessAborted(sessionOf(store, client, CALL), signal);
  const now = store.now().getTime();
  if (end !== null && end.getTime() <= now) {
    throw new Failure("expired_credentials", `the credentials ended at ${end.toISOString()}`);
  }
  const who = (store.isAws ? await callerOf(store, signal) : null) ?? signedBy(store);
  const { error } = await reach();
  if (error !== null && isOfCredentials(error)) throw error;
  if (end === null && isSession) {
    return warn(`${who}, for a session: nobody knows when it ends`, "set AWS_CREDENTIAL_EXPIRATION beside the keys");
  }
  if (end === null) return ok(`${who}, which doesn't end`);
  const until = `${who}, until ${end.toISOString()}`;
  return end.getTime() - now < SOON_MS ? warn(until, "sign in again before long transfers") : ok(until);
}

/** What the store says before it looks at permissions. */
const NAMES: ReadonlySet<unknown> = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "InvalidToken",
  "ExpiredToken",
  "TokenRefreshRequired",
]);

function isOfCredentials({ code, context }: TaskflowError): boolean {
  return code === "no_credentials" || code === "expired_credentials" || NAMES.has(context["name"]);
}

/** `null`: STS doesn't answer, as from a network that reaches S3 alone. GetCallerIdentity needs no permission. */
async function callerOf(store: S3Store, signal: AbortSignal): Promise<string | null> {
  // A client of its own, which nothing else needs.
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  const { config } = await store.client();
  const sts = new STSClient({
    region: await config.region(),
    credentials: config.credentials,
    requestHandler: { ...store.transport },
    maxAttempts: 1,
    logger: config.logger,
  });
  try {
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
    return Arn ?? null;
  } catch (thrown) {
    const error = asTaskflowError(thrown, CALL, store);
    if (error.exit === 6 && error.code !== "clock_skew") return null;
    throw error;
  }
}
