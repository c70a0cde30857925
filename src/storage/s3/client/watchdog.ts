/** Ends requests that make no progress: no connection, silence, or a drip that would go on for ever. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

export interface Limits {
  /** Until there is a connection, names looked up and TLS agreed. */
  readonly connectMs: number;
  /** Between two signs of life. */
  readonly idleMs: number;
  /** At least `slowBytes` in each `slowMs`. 0: no matter how slow. */
  readonly slowMs: number;
  readonly slowBytes: number;
}

export const LIMITS: Limits = { connectMs: 5000, idleMs: 30_000, slowMs: 60_000, slowBytes: 1024 };

export interface Watched {
  /** A slice of the body was taken by the system. */
  progress(): void;
  /** All of the body was taken by the system, which may still have much of it to send. */
  sent(bodyBytes: number): void;
  /** Headers have come: from now on its body is watched, but only while somebody waits for it. */
  response(response: IncomingMessage): void;
}

/** What the system's buffers may hold. */
export const BUFFERED_BYTES = 4 * 1024 * 1024;
/** The slowest connection that is waited for to empty them. */
const SLOWEST_BYTES_A_MS = 64;

/** Destroys the request with `ETIMEDOUT` once a limit is passed. Ends with the request's `close`. */
export function watch(request: ClientRequest, limits: Limits): Watched {
  const { connectMs, idleMs, slowMs, slowBytes } = limits;
  let response: IncomingMessage | null = null;
  let socket: Socket | null = null;
  let bytesRead = 0;
  let lastSign = performance.now();
  let windowStart = lastSign;
  let windowBytes = 0;
  /** Longer than the idle time, while the system sends what it has taken: nobody tells how far it is. */
  let tailMs = 0;

  const connecting = setTimeout(() => fail(`no connection within ${seconds(connectMs)}`), connectMs);
  const ticking = setInterval(tick, Math.max(5, Math.min(1000, idleMs / 4, slowMs / 4)));
  // A socket under way keeps the process; this timer need not.
  ticking.unref();

  function fail(what: string): void {
    const error = Object.assign(new Error(what), { name: "TimeoutError", code: "ETIMEDOUT" });
    // A body that has begun is told by its own error.
    if (response !== null) response.destroy(error);
    else request.destroy(error);
  }

  function sign(bytes: number): void {
    lastSign = performance.now();
    windowBytes += bytes;
  }

  function tick(): void {
    if (socket !== null && socket.bytesRead > bytesRead) {
      sign(socket.bytesRead - bytesRead);
      bytesRead = socket.bytesRead;
    }
    const now = performance.now();
    if (response !== null && response.readableLength > 0) {
      // The reader is busy: nobody waits for the server.
      lastSign = now;
      windowStart = now;
      windowBytes = 0;
    } else if (now - lastSign > idleMs + tailMs) {
      fail(`silence for ${seconds(idleMs + tailMs)}`);
    } else if (tailMs === 0 && now - windowStart > slowMs) {
      if (windowBytes < slowBytes) fail(`less than ${slowBytes} bytes in ${seconds(slowMs)}`);
      windowStart = now;
      windowBytes = 0;
    }
  }

  request.once("socket", (given) => {
    socket = given;
    // A connection that was kept has read for others before.
    bytesRead = given.bytesRead;
    const connected = (): void => clearTimeout(connecting);
    if (!given.connecting) connected();
    else given.once("encrypted" in given ? "secureConnect" : "connect", connected);
  });
  request.once("close", () => {
    clearTimeout(connecting);
    clearInterval(ticking);
  });
  return {
    progress: () => sign(slowBytes),
    sent(bodyBytes) {
      tailMs = Math.min(bodyBytes, BUFFERED_BYTES) / SLOWEST_BYTES_A_MS;
    },
    response(incoming) {
      response = incoming;
      tailMs = 0;
      windowStart = performance.now();
      // An error that nobody listens to would end the process; readers learn of it all the same.
      incoming.on("error", () => undefined);
    },
  };
}

function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(1))} s`;
}
