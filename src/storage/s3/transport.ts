/**
 * HTTP for the SDK, with time-outs that fire. The SDK's own handler is not used, because
 * - it hands a body to the socket in one piece, and an idle time-out then kills a slow upload over TLS that is well on
 *   its way (Node sees no progress inside one write: `TLSWrap.writeQueueSize` doesn't shrink);
 * - its idle time-out also ends a download whose reader is busy, and nothing in it ends one that drips.
 * Bodies go out here in slices, so that each one taken is progress.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createSecureContext } from "node:tls";
import type { Pace } from "../pace.ts";
import { watch } from "./watchdog.ts";
import type { Limits, Watched } from "./watchdog.ts";

/** The part of the SDK's `HttpRequest` that is used. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: IncomingMessage;
}

/** What `S3ClientConfig.requestHandler` takes. */
export interface Transport {
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: AbortSignal },
  ): Promise<{ readonly response: SdkResponse }>;
  /** Closes all connections; what is being read then fails. */
  destroy(): void;
  readonly metadata: { readonly handlerProtocol: string };
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
}

/** `certificates`: PEM, all that are trusted; `null`: Node's. `pace`: holds back what is sent. */
export function createTransport(
  limits: Limits,
  certificates: readonly string[] | null = null,
  pace: Pace | null = null,
): Transport {
  const kept = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
  const httpAgent = new HttpAgent(kept);
  let httpsAgent: HttpsAgent | null = null;
  const secureAgent = (): HttpsAgent =>
    // One context: each connection would parse all of `ca` again, and each request make one text of it.
    (httpsAgent ??= new HttpsAgent(
      certificates === null ? kept : { ...kept, secureContext: createSecureContext({ ca: [...certificates] }) },
    ));
  return {
    metadata: { handlerProtocol: "http/1.1" },
    handle: (request, { abortSignal } = {}) =>
      new Promise((resolve, reject) => {
        if (abortSignal?.aborted === true) {
          reject(abortError());
          return;
        }
        const secure = request.protocol === "https:";
        const options = optionsOf(request, secure ? secureAgent() : httpAgent);
        const outgoing = secure ? httpsRequest(options) : httpRequest(options);
        const watched = watch(outgoing, isSlowOnPurpose(request) ? { ...limits, ...PATIENT } : limits);
        const stop = (): void => {
          outgoing.destroy(abortError());
        };
        abortSignal?.addEventListener("abort", stop, { once: true });
        outgoing.once("close", () => abortSignal?.removeEventListener("abort", stop));
        // Stays for the body's time too: an error that nobody listens to would end the process.
        outgoing.on("error", (error: NodeJS.ErrnoException) => reject(named(error)));
        outgoing.once("response", (response) => {
          watched.response(response);
          resolve({ response: toSdk(response) });
        });
        send(outgoing, request, pace === null ? watched : { ...watched, pace });
      }),
    destroy() {
      httpAgent.destroy();
      httpsAgent?.destroy();
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

/** Between probes on an idle connection: shorter than what routers forget in. */
const KEEP_ALIVE_MS = 30_000;

/** Small enough that TLS needs no second copy of a part, large enough that calls don't count. */
const SLICE = 256 * 1024;

/** A server may work for minutes on these, sending a blank now and then. */
const PATIENT = { idleMs: 180_000, slowBytes: 0 } as const;

function isSlowOnPurpose({ method, query, headers }: SdkRequest): boolean {
  return headers["x-amz-copy-source"] !== undefined || (method === "POST" && query?.["uploadId"] !== undefined);
}

function optionsOf(request: SdkRequest, agent: HttpAgent): RequestOptions {
  const { hostname, port, method, path } = request;
  const query = queryOf(request.query ?? {});
  return {
    agent,
    method,
    host: hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname,
    ...(port === undefined ? {} : { port }),
    path: query === "" ? path : `${path}?${query}`,
    headers: asksFirst(request) ? { ...request.headers, expect: "100-continue" } : request.headers,
  };
}

/** As it was signed: RFC 3986, names in order. */
function queryOf(query: NonNullable<SdkRequest["query"]>): string {
  const pairs = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return pairs
    .flatMap(([name, value]) => {
      if (value === null) return [escapeUri(name)];
      return [value].flat().map((one) => `${escapeUri(name)}=${escapeUri(one)}`);
    })
    .join("&");
}

function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** How long a server may take to say "go on" before it gets the body anyway. */
const CONTINUE_MS = 2000;

/**
 * A server that refuses a body it has not read yet closes the connection, and its reply (403, 412, 503) may be lost
 * with it. So a repeated request asks before it sends; the first one doesn't, that would cost a round trip.
 */
function asksFirst({ headers, body }: SdkRequest): boolean {
  const attempt = /^attempt=(\d+)/.exec(headers["amz-sdk-request"] ?? "")?.[1];
  return attempt !== undefined && Number(attempt) > 1 && body instanceof Uint8Array && body.length > SLICE;
}

/** What is told, and asked, of each slice. */
interface Sending extends Pick<Watched, "progress" | "sent"> {
  readonly pace?: Pace;
}

function send(outgoing: ClientRequest, request: SdkRequest, sending: Sending): void {
  const body = bytesOf(request.body);
  if (body === null || body.length === 0) {
    outgoing.end();
    return;
  }
  if (!asksFirst(request)) {
    sendSlices(outgoing, body, sending);
    return;
  }
  let begun = false;
  const begin = (): void => {
    if (begun || outgoing.destroyed) return;
    begun = true;
    clearTimeout(timer);
    sendSlices(outgoing, body, sending);
  };
  const timer = setTimeout(begin, CONTINUE_MS);
  outgoing.once("continue", begin);
  // A final reply came instead: the body is not wanted, and the connection is of no more use.
  outgoing.once("response", (response) => {
    if (begun) return;
    begun = true;
    clearTimeout(timer);
    response.once("close", () => outgoing.destroy());
  });
  outgoing.once("close", () => clearTimeout(timer));
  outgoing.flushHeaders();
}

/** Held back, a slice takes a fraction of a second all the same, so that progress shows. */
const SLICES_A_SECOND = 4;

function sendSlices(outgoing: ClientRequest, body: Uint8Array, { progress, sent, pace }: Sending): void {
  const most = pace === undefined ? SLICE : Math.min(SLICE, Math.ceil(pace.bytesPerSecond / SLICES_A_SECOND));
  let at = 0;
  const next = (error?: Error | null): void => {
    if (error || outgoing.destroyed) return;
    progress();
    if (at >= body.length) {
      sent(body.length);
      outgoing.end();
      return;
    }
    const slice = body.subarray(at, at + most);
    at += slice.length;
    const delayMs = pace?.reserve(slice.length) ?? 0;
    if (delayMs === 0) outgoing.write(slice, next);
    else waiting = setTimeout(() => outgoing.write(slice, next), delayMs);
  };
  let waiting: NodeJS.Timeout | undefined;
  outgoing.once("close", () => clearTimeout(waiting));
  next();
}

function bytesOf(body: unknown): Uint8Array | null {
  if (body === undefined || body === null) return null;
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string") return Buffer.from(body);
  throw new TypeError("a body that is neither text nor bytes could not be sent twice");
}

function toSdk(response: IncomingMessage): SdkResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = typeof value === "string" ? value : value.join(", ");
  }
  return { statusCode: response.statusCode ?? -1, reason: response.statusMessage ?? "", headers, body: response };
}

/** The SDK repeats what is called so. */
function named(error: NodeJS.ErrnoException): Error {
  return error.code === "ETIMEDOUT" ? Object.assign(error, { name: "TimeoutError" }) : error;
}

function abortError(): Error {
  return Object.assign(new Error("the request was aborted"), { name: "AbortError" });
}
