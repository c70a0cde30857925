/** One request and its answer, and the few forms that all answers here have. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { ErrorCode, TaskflowError } from "../errors.ts";

export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Aborted when the client is gone, or the server stops. */
  readonly signal: AbortSignal;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

/** An answer that is a line of text, or nothing. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** One line, for whoever sent the request: never a path of this machine. */
  readonly text?: string;
}

/** What the log says of an answered request. */
export interface Answered {
  /** Bytes of the attachment that went over the wire. */
  readonly bytes?: number;
  /** The attachment, or the reason that the client isn't told. */
  readonly note?: string;
}

/** Answers one request whole. What it throws becomes the answer of `replyFor`. */
export type Handler = (exchange: Exchange) => Promise<Answered>;

/** A part of the server: whether a target is its own is decided on the raw text of the request line. */
export interface Route {
  match(target: string): Handler | null;
}

/** What every answer says: nothing is kept by caches, guessed at, run, or told to other sites. */
export const GUARDS = {
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "private, no-store",
  "Referrer-Policy": "no-referrer",
  "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
} as const;

/** Whether the request brings a body, or says so. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/**
 * Sends the answer. A body that was not read to its end is read on for a moment and thrown away: closed at once, the
 * connection would be reset, and the client might never see why.
 */
export async function sendReply({ req, res }: Exchange, reply: Reply, lingerMs: number): Promise<void> {
  const text = reply.text === undefined ? "" : `${reply.text}\n`;
  const unread = hasBody(req) && !req.complete;
  res.writeHead(reply.status, {
    ...GUARDS,
    ...(text === "" ? {} : { "Content-Type": "text/plain; charset=utf-8" }),
    ...(reply.status === 304 || reply.status === 204 ? {} : { "Content-Length": Buffer.byteLength(text) }),
    ...(unread ? { Connection: "close" } : {}),
    ...reply.headers,
  });
  if (unread) {
    if (text === "") res.flushHeaders();
    else res.write(text);
    await readOn(req, lingerMs);
    res.end();
  } else res.end(text);
}

/** What is wrong with a request is said; of what is wrong here the log tells, and the client only learns that it is. */
export function replyFor(error: TaskflowError): Reply {
  const ours = error.context["stored"] === true;
  const [status, text] = (ours ? undefined : REPLIES[error.code]) ?? [
    500,
    "this server has a problem; its log says more",
  ];
  const full = error.context["errno"] === "ENOSPC" || error.context["errno"] === "EDQUOT";
  return full ? { status: 507, text: "this server's disk is full" } : { status, text };
}

const REPLIES: Partial<Record<ErrorCode, readonly [number, string]>> = {
  usage: [400, "this request makes no sense here"],
  not_found: [404, "there is nothing here"],
  exists: [412, "this link was used: it takes one upload"],
  too_large: [413, "this is larger than the link takes"],
  type_not_allowed: [415, "this type is not taken here"],
  checksum_mismatch: [400, "these are other bytes than the link is for: their SHA-256 differs"],
  changed: [400, "these are fewer bytes than the link is for"],
  network: [408, "the upload came too slowly"],
  interrupted: [503, "this server is stopping"],
};

async function readOn(req: IncomingMessage, lingerMs: number): Promise<void> {
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => {
    for (const event of ["end", "close", "error"]) req.once(event, () => resolve());
  });
  req.resume();
  await Promise.race([ended, delay(lingerMs, undefined, { signal: over.signal })]).catch(() => undefined);
  over.abort();
}
