/** Sends the body of a request in slices: read, handed to the system, and only then the next. */
import type { ClientRequest } from "node:http";
import type { Pace } from "../../pace.ts";
import { inMemory } from "./part-body.ts";
import type { PartBody } from "./part-body.ts";
import { BUFFERED_BYTES } from "./watchdog.ts";
import type { Watched } from "./watchdog.ts";

/** What the SDK makes of bodies; a part's goes through it as it is. */
export type SdkBody = string | Uint8Array | PartBody | undefined;

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: SdkBody;
}

/** How long the slices are: all requests of a transport learn from each other what the link takes. */
export interface Slices {
  next(): { readonly most: number; readonly delayMs: (bytes: number) => number };
  /** A slice was taken by the system after so long; `end`: so much of its body is gone by now. */
  taken(bytes: number, milliseconds: number, end: number): void;
  /** When bytes last went that no buffer on the way could have held, on the clock of `performance.now()`. */
  movedAt(): number;
}

const KiB = 1024;
const FIRST_SLICE = 256 * KiB;
/** A slower link shows no progress for the whole idle time inside one slice. */
const LEAST_SLICE = 16 * KiB;
/** Fewer calls of the system, but still in the processor's cache when it is encrypted. */
const LONGEST_SLICE = 1024 * KiB;
const QUICK_MS = 250;
const SLOW_MS = 2000;

/** Held back, a slice takes a fraction of a second all the same, so that progress shows. */
const SLICES_A_SECOND = 4;

export function createSlices(pace: Pace | null): Slices {
  let length = FIRST_SLICE;
  let movedAt = -Infinity;
  const most = pace === null ? Infinity : Math.ceil(pace.bytesPerSecond / SLICES_A_SECOND);
  return {
    next: () => ({ most: Math.min(length, most), delayMs: (bytes) => pace?.reserve(bytes) ?? 0 }),
    taken(bytes, milliseconds, end) {
      if (end > BUFFERED_BYTES) movedAt = performance.now();
      if (milliseconds > SLOW_MS) length = Math.max(LEAST_SLICE, length / 2);
      else if (milliseconds < QUICK_MS && bytes >= length) length = Math.min(LONGEST_SLICE, length * 2);
    },
    movedAt: () => movedAt,
  };
}

/** How long a server may take to say "go on" before it gets the body anyway. */
const CONTINUE_MS = 2000;

/**
 * A server that refuses a body it has not read yet closes the connection, and its reply (403, 412, 503) may be lost
 * with it. So a repeated request asks before it sends; the first one doesn't, that would cost a round trip.
 */
export function asksFirst({ headers, body }: Request): boolean {
  const attempt = /^attempt=(\d+)/.exec(headers["amz-sdk-request"] ?? "")?.[1];
  return attempt !== undefined && Number(attempt) > 1 && typeof body === "object" && body.length > FIRST_SLICE;
}

/**
 * Sends all of it and ends the request; whatever hinders that destroys the request. A final reply that comes before all
 * is out ends the sending: nothing more of the body is read then, and the connection goes with the reply's end.
 */
export function send(outgoing: ClientRequest, request: Request, slices: Slices, watched: Watched): void {
  const body = bodyOf(request.body);
  if (body.length === 0) {
    outgoing.end();
    return;
  }
  let answered = false;
  outgoing.once("response", (response) => {
    answered = true;
    response.once("close", () => {
      if (!outgoing.writableEnded) outgoing.destroy();
    });
  });
  const isOver = (): boolean => answered || outgoing.destroyed;
  const begin = (): void => {
    sendSlices(outgoing, body, slices, watched, isOver).catch((error: unknown) => {
      outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  };
  if (asksFirst(request)) onceWanted(outgoing, begin, isOver);
  else begin();
}

function onceWanted(outgoing: ClientRequest, begin: () => void, isOver: () => boolean): void {
  let begun = false;
  const beginOnce = (): void => {
    if (begun || isOver()) return;
    begun = true;
    clearTimeout(timer);
    begin();
  };
  const timer = setTimeout(beginOnce, CONTINUE_MS);
  outgoing.once("continue", beginOnce);
  outgoing.once("close", () => clearTimeout(timer));
  outgoing.flushHeaders();
}

async function sendSlices(
  outgoing: ClientRequest,
  body: PartBody,
  slices: Slices,
  watched: Watched,
  isOver: () => boolean,
): Promise<void> {
  for (let at = 0; at < body.length;) {
    if (isOver()) return;
    const { most, delayMs } = slices.next();
    const slice = await body.read(at, most);
    // Another attempt may read over these bytes from now on.
    if (isOver()) return;
    if (slice.length === 0) throw new TypeError("a body that is shorter than it says");
    at += slice.length;
    await pause(outgoing, delayMs(slice.length));
    if (isOver()) return;
    watched.progress();
    const began = performance.now();
    if (!(await isTaken(outgoing, slice))) return;
    slices.taken(slice.length, performance.now() - began, at);
    watched.progress();
  }
  watched.sent(body.length);
  outgoing.end();
}

/** Resolves once the system has all of it; `false`: it never will, which the request tells by itself. */
function isTaken(outgoing: ClientRequest, slice: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = (): void => resolve(false);
    outgoing.once("close", gone);
    outgoing.write(slice, (error) => {
      outgoing.off("close", gone);
      resolve(!error && !outgoing.destroyed);
    });
  });
}

function pause(outgoing: ClientRequest, milliseconds: number): Promise<void> | undefined {
  if (milliseconds === 0) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      outgoing.off("close", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    outgoing.once("close", done);
  });
}

function bodyOf(body: SdkBody): PartBody {
  if (body === undefined) return inMemory(new Uint8Array());
  if (typeof body === "string") return inMemory(Buffer.from(body));
  if (body instanceof Uint8Array) return inMemory(body);
  if ("read" in body && typeof body.length === "number") return body;
  throw new TypeError("a body that is neither text nor bytes could not be sent twice");
}
