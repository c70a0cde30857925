/** From when to when a link is good: by the server's clock, and not longer than the credentials that sign it. */
import type { S3Client } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import type { LimitedBy } from "../../presigner.ts";
import { asTaskflowError } from "../failures/errors.ts";
import type { Call } from "../failures/errors.ts";
import { serverTime } from "../client/clock.ts";
import type { S3Store } from "../store.ts";

export interface LinkTerm {
  readonly signedAt: Date;
  readonly requestedExpiresAt: Date;
  /** `null`: the session of the credentials ends, and nobody knows when. */
  readonly expiresAt: Date | null;
  readonly limitedBy: LimitedBy;
}

/**
 * The earlier of what was asked and the credentials' own end; credentials that end sooner are asked for anew first.
 * Errors: `no_credentials`; `expired_credentials` where a link would be dead from the start.
 */
export async function linkTerm(store: S3Store, client: S3Client, expiresSeconds: number): Promise<LinkTerm> {
  const signedAt = serverTime(store);
  const requestedExpiresAt = new Date(signedAt.getTime() + expiresSeconds * 1000);
  const { isSession, end } = await sessionUntil(store, client, requestedExpiresAt);
  const term = { signedAt, requestedExpiresAt };
  // Keys that last have no token; a token without an end is a session that may end any time.
  if (end === null && isSession) return { ...term, expiresAt: null, limitedBy: "credentials" };
  if (end === null || end >= requestedExpiresAt)
    return { ...term, expiresAt: requestedExpiresAt, limitedBy: "request" };
  if (end <= signedAt) {
    throw new TaskflowError("expired_credentials", `cannot sign links: the credentials ended at ${end.toISOString()}`);
  }
  return { ...term, expiresAt: end, limitedBy: "credentials" };
}

interface Session {
  readonly isSession: boolean;
  /** `null`: none is known. */
  readonly end: Date | null;
}

async function sessionUntil(store: S3Store, client: S3Client, wanted: Date): Promise<Session> {
  const session = await sessionOf(store, client);
  if (session.end === null || session.end >= wanted) return session;
  // What can't be had anew may still be good for a while.
  return await refreshed(store, client).catch(() => session);
}

/** Of a thousand links under one session each would ask for another, and get the same. */
const REFRESH_AT_MOST_EVERY_MS = 60_000;
const REFRESHES = new WeakMap<S3Client, { readonly at: number; readonly session: Promise<Session> }>();

async function refreshed(store: S3Store, client: S3Client): Promise<Session> {
  const now = store.now().getTime();
  const last = REFRESHES.get(client);
  if (last !== undefined && now - last.at < REFRESH_AT_MOST_EVERY_MS) return await last.session;
  const session = sessionOf(store, client, SIGN_LINKS, true);
  REFRESHES.set(client, { at: now, session });
  return await session;
}

const SIGN_LINKS: Call = { act: "sign links", action: "s3:GetObject" };

/** Errors: `no_credentials`, `expired_credentials`. */
export async function sessionOf(
  store: S3Store,
  client: S3Client,
  call = SIGN_LINKS,
  forceRefresh = false,
): Promise<Session> {
  try {
    const { sessionToken, expiration, originalExpiration } = (await client.config.credentials(
      forceRefresh ? { forceRefresh } : {},
    )) as { sessionToken?: string; expiration?: Date; originalExpiration?: Date };
    // An instance's role that can't be renewed is used beyond its end: the end that was told first is the true one.
    return { isSession: sessionToken !== undefined, end: originalExpiration ?? expiration ?? null };
  } catch (error) {
    throw asTaskflowError(error, call, store);
  }
}
