/** What pages of other origins may do with links: nothing, unless `--cors` names them (Fetch standard, CORS protocol). */
import type { IncomingMessage } from "node:http";
import type { Reply } from "./exchange.ts";

const METHODS = "GET, HEAD, PUT";
const SENT = "content-type, if-match, if-none-match, if-modified-since, if-unmodified-since, if-range, range";
const SHOWN = "content-disposition, content-length, content-range, etag, last-modified, repr-digest, accept-ranges";

/** A day, after which browsers ask again. */
const MAX_AGE_SECONDS = "86400";

/** Headers of every answer to this request. Empty without `--cors`. */
export function corsHeaders({ headers }: IncomingMessage, origins: readonly string[]): Record<string, string> {
  if (origins.length === 0) return {};
  const { origin } = headers;
  const allowed = origin !== undefined && origins.includes(origin);
  return {
    Vary: "Origin",
    ...(allowed ? { "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": SHOWN } : {}),
  };
}

/** The answer to OPTIONS, with which a browser asks whether it may; without `--cors` there is no such method. */
export function preflight({ headers }: IncomingMessage, origins: readonly string[]): Reply {
  if (origins.length === 0) return methodNotAllowed(origins);
  if (headers.origin === undefined || !origins.includes(headers.origin)) {
    return { status: 403, text: "pages of this origin may not use links: serve was started without it" };
  }
  return {
    status: 204,
    headers: {
      "Access-Control-Allow-Methods": METHODS,
      "Access-Control-Allow-Headers": SENT,
      "Access-Control-Max-Age": MAX_AGE_SECONDS,
    },
  };
}

export function methodNotAllowed(origins: readonly string[]): Reply {
  return {
    status: 405,
    headers: { Allow: origins.length === 0 ? METHODS : `${METHODS}, OPTIONS` },
    text: "links are for GET, HEAD and PUT",
  };
}
