/**
 * The HTTP server. It is Node's own `http`: what matters here lies below where frameworks begin, namely the raw request
 * line (they parse it as a URL, which `//evil/x` and `/%2e%2e/` are made for), both of two Host headers, `100 Continue`
 * only after the checks, and limits on the connection itself. What a framework would add, routing, is one expression.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { TaskflowError, toTaskflowError } from "../errors.ts";
import { replyFor, sendReply } from "./exchange.ts";
import type { Answered, Exchange, Reply, Route } from "./exchange.ts";
import { hostList, inUrl } from "./hosts.ts";
import type { Limits } from "./limits.ts";
import { answerBroken } from "./broken-request.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** The public base of the links: its host is one that may be asked for, its path may come before every target. */
  readonly baseUrl: string;
  readonly limits: Limits;
  /** Asked in order; the first that knows the target answers. */
  readonly routes: readonly Route[];
  readonly log: (entry: LogEntry) => void;
}

/** What is known of a request once it is over. */
export interface LogEntry extends Answered {
  /** `null` where there was no request that could be understood. */
  readonly method: string | null;
  /** As it came. It may hold a secret. */
  readonly target: string | null;
  /** `null` where the connection ended without an answer. */
  readonly status: number | null;
  readonly milliseconds: number;
  /** Why it failed, where it is not the client's fault. */
  readonly error?: TaskflowError;
}

export interface RunningServer {
  /** `http://ADDRESS:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Takes no more connections, lets what runs end for up to `drainMs`, then cuts it. Resolves when all is over. */
  close(): Promise<void>;
}

/** Errors: `bad_config` where the port is in use or the address is none of this machine's; `permission`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { limits } = options;
  const running = new Map<Promise<void>, AbortController>();
  /** Each open connection, with the answer that is under way on it. */
  const connections = new Map<Duplex, ServerResponse | null>();
  let hosts: ReadonlySet<string> = new Set();
  let stopping = false;

  const server = createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    // It counts the whole request, and so ends every upload that is larger than it is quick.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headMs),
  });
  server.maxConnections = limits.connections;
  server.timeout = limits.stalledMs;
  server.on("connection", (socket) => {
    connections.set(socket, null);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("clientError", (error, socket) => {
    const underWay = connections.get(socket) ?? null;
    const status = answerBroken(error, socket, underWay);
    // A request that was understood as far as that has a line of its own.
    if (status !== null && underWay === null)
      options.log({ method: null, target: null, status, milliseconds: 0, note: "not HTTP" });
  });
  server.on("request", (req, res) => take(req, res, false));
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => take(req, res, true));

  function take(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const controller = new AbortController();
    const { socket } = req;
    connections.set(socket, res);
    if (stopping) res.shouldKeepAlive = false;
    res.once("close", () => {
      if (!res.writableFinished) controller.abort(new TaskflowError("network", "the client left"));
      if (stopping) socket.destroySoon();
      else if (connections.get(socket) === res) connections.set(socket, null);
    });
    const over = answer({ req, res, signal: controller.signal, expectsContinue }, () => hosts, options).finally(() => {
      running.delete(over);
    });
    running.set(over, controller);
  }

  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  hosts = hostList({ ...options, port });
  return {
    url: `http://${inUrl(options.host)}:${port}`,
    port,
    async close() {
      stopping = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const [socket, underWay] of connections) {
        if (underWay === null) socket.destroy();
        else underWay.shouldKeepAlive = false;
      }
      const cut = setTimeout(() => {
        for (const controller of running.values()) {
          controller.abort(new TaskflowError("interrupted", "the server stopped"));
        }
        server.closeAllConnections();
      }, limits.drainMs);
      await closed;
      await Promise.all(running.keys());
      clearTimeout(cut);
    },
  };
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen(error, host, port)));
    server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port, exclusive: true }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): TaskflowError {
  const at = `${inUrl(host)}:${port}`;
  if (error.code === "EADDRINUSE") {
    const hint = "--port 0 takes a free one; or is serve running already?";
    return new TaskflowError("bad_config", `port ${port} of ${host} is in use`, { hint, cause: error });
  }
  if (error.code === "EACCES") {
    const hint = "ports below 1024 are the system's: name another with --port";
    return new TaskflowError("permission", `may not listen on ${at}`, { hint, cause: error });
  }
  const hint = "--host takes a name or address of this machine";
  return new TaskflowError("bad_config", `cannot listen on ${at}: ${error.code ?? error.message}`, {
    hint,
    cause: error,
  });
}

/** Never rejects: every request ends with an answer or a cut connection, and one entry in the log. */
async function answer(exchange: Exchange, hosts: () => ReadonlySet<string>, options: ServerOptions): Promise<void> {
  const { req, res } = exchange;
  const began = performance.now();
  const target = req.url ?? "";
  let answered: Answered = {};
  let failure: TaskflowError | null = null;
  try {
    const refusal = refuseHost(req, hosts());
    const handler = refusal === null ? handlerOf(target, options) : null;
    if (handler === null) await sendReply(exchange, refusal ?? NOT_FOUND, options.limits.lingerMs);
    else answered = await handler(exchange);
  } catch (error) {
    failure = toTaskflowError(error);
    // Too late to say anything but that it is not whole.
    if (res.headersSent) res.destroy();
    else if (!res.destroyed) await sendReply(exchange, replyFor(failure), options.limits.lingerMs);
  }
  options.log({
    ...answered,
    method: req.method ?? null,
    target,
    status: res.headersSent ? res.statusCode : null,
    milliseconds: Math.round(performance.now() - began),
    ...(failure === null ? {} : { error: failure }),
  });
}

const NOT_FOUND: Reply = { status: 404, text: "there is nothing here" };

/** Errors of the Host header: none at all is HTTP/1.0, where no browser is; Node itself asks 1.1 for one. */
function refuseHost({ headers, rawHeaders }: IncomingMessage, hosts: ReadonlySet<string>): Reply | null {
  const given = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
  if (given.length > 1) return { status: 400, text: "this request has several Host headers" };
  if (headers.host === undefined || hosts.has(headers.host.toLowerCase())) return null;
  return { status: 421, text: "this server is not known by that name: TASKFLOW_URL or --host tells it" };
}

/** Decided on the text of the request line: anything that has to be decoded first is nobody's. */
function handlerOf(target: string, { routes, baseUrl }: ServerOptions): ReturnType<Route["match"]> {
  const prefix = new URL(baseUrl).pathname.replace(/\/$/, "");
  const own = prefix !== "" && target.startsWith(`${prefix}/`) ? target.slice(prefix.length) : target;
  for (const route of routes) {
    const handler = route.match(own);
    if (handler !== null) return handler;
  }
  return null;
}
