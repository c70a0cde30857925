/**
 * HTTP for the SDK, with time-outs that fire. The SDK's own handler is not used, because
 * - it hands a body to the socket in one piece, and an idle time-out then kills a slow upload over TLS that is well on
 *   its way (Node sees no progress inside one write: `TLSWrap.writeQueueSize` doesn't shrink);
 * - its idle time-out also ends a download whose reader is busy, and nothing in it ends one that drips.
 * Bodies go out here in slices, so that each one taken is progress; and they may be read only as they go.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createSecureContext } from "node:tls";
import type { Pace } from "../../pace.ts";
import { asksFirst, createSlices, send } from "./send-body.ts";
import type { SdkBody } from "./send-body.ts";
import { watch } from "./watchdog.ts";
import type { Limits } from "./watchdog.ts";

/** The part of the SDK's `HttpRequest` that is used. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: SdkBody;
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
  /** As `Slices.movedAt`, of all requests. */
  movedAt(): number;
  /** Closes all connections; what is being read then fails, and so does whatever is asked later. */
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
  const slices = createSlices(pace);
  const httpAgent = new HttpAgent(kept);
  let httpsAgent: HttpsAgent | null = null;
  const secureAgent = (): HttpsAgent =>
    // One context: each connection would parse all of `ca` again, and each request make one text of it.
    (httpsAgent ??= new HttpsAgent(
      certificates === null ? kept : { ...kept, secureContext: createSecureContext({ ca: [...certificates] }) },
    ));
  let destroyed = false;
  return {
    metadata: { handlerProtocol: "http/1.1" },
    handle: (request, { abortSignal } = {}) =>
      new Promise((resolve, reject) => {
        if (destroyed || abortSignal?.aborted === true) {
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
        send(outgoing, request, slices, watched);
      }),
    movedAt: () => slices.movedAt(),
    destroy() {
      destroyed = true;
      httpAgent.destroy();
      httpsAgent?.destroy();
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

/** Between probes on an idle connection: shorter than what routers forget in. */
const KEEP_ALIVE_MS = 30_000;

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
