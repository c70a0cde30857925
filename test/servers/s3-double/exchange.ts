/** One request and its reply: logged, struck by a fault where a test wants one, else answered honestly. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as later } from "node:timers/promises";
import { answer } from "./answer.ts";
import type { AnswerOptions } from "./answer.ts";
import { readBody } from "./body.ts";
import type { Reply, World } from "./call.ts";
import type { FaultAction, Faults, ScriptedReply } from "./faults.ts";
import { incomingOf, wireOf } from "./incoming.ts";
import type { Incoming } from "./incoming.ts";
import type { Log, LoggedRequest } from "./log.ts";
import { operationOf } from "./operations.ts";
import { S3Error } from "./s3-error.ts";
import { send } from "./send.ts";

export interface ExchangeOptions {
  readonly world: World;
  readonly faults: Faults;
  readonly log: Log;
  readonly discard: boolean;
  /** Aborted when the double closes: what waits then stops. */
  readonly signal: AbortSignal;
  /** The number of the connection that this came on. */
  readonly connection: number;
  /** Sends `100 Continue`; absent where the sender doesn't wait for it. */
  readonly invite?: () => void;
}

export async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  const { world, signal, invite } = options;
  const wire = wireOf(request);
  const incoming = attempt(() => incomingOf(wire, (name) => world.buckets.has(name)));
  const place = incoming instanceof S3Error ? { bucket: "", key: "" } : incoming;
  const operation =
    incoming instanceof S3Error
      ? null
      : operationOf(wire.method, incoming.key === "" ? "bucket" : "object", incoming.query, incoming.headers);
  const entry = options.log.add(
    {
      id: requestId(world),
      operation: operation?.name ?? (wire.method === "OPTIONS" ? "Preflight" : "Unknown"),
      method: wire.method,
      bucket: place.bucket,
      key: place.key,
      path: wire.rawPath,
      connection: options.connection,
    },
    incoming instanceof S3Error ? [] : incoming.query,
    wire.headers,
  );
  const fault = options.faults.take(entry.operation, entry.key);
  entry.fault = fault?.kind ?? null;
  const onBytes = (count: number): void => {
    entry.bytesReceived += count;
  };

  if (fault?.kind === "silent") return;
  if (fault?.kind === "delay") await later(fault.ms, undefined, { signal });
  if (fault?.kind === "reset-before") {
    invite?.();
    await readSome(request, fault.bytesRead, onBytes);
    request.socket.resetAndDestroy();
    return;
  }
  const read: AnswerOptions["read"] = ({ algorithms, sha256, keep }) => {
    invite?.();
    const flipAt = fault?.kind === "flip" && fault.of === "request" ? fault.at : null;
    return readBody(request, { algorithms, sha256, keep: keep || !options.discard, flipAt, onBytes });
  };
  let reply: Reply;
  try {
    if (incoming instanceof S3Error) throw incoming;
    reply =
      fault?.kind === "reply"
        ? scriptedReply(fault.reply, entry)
        : await answer(world, incoming, operation, { read, script: scriptOf(fault) });
  } catch (error) {
    // The sender went away in the middle of its body.
    if (request.destroyed && !request.complete) return;
    reply = refusal(error, entry);
  }
  if (fault?.kind === "reset-after-storing") {
    request.socket.resetAndDestroy();
    return;
  }
  // A body that was not asked for isn't waited for; one that is on its way is, so that its sender reads the reply.
  const unread = !request.complete && !request.readableEnded;
  const early = fault?.kind === "reply" && fault.early === true;
  if (early) request.on("data", (chunk: Buffer) => onBytes(chunk.length));
  else if (unread && invite === undefined)
    for await (const chunk of request as AsyncIterable<Buffer>) onBytes(chunk.length);
  entry.status = reply.status;
  const common = {
    date: world.now().toUTCString(),
    server: "s3-double",
    "x-amz-request-id": entry.id,
    "x-amz-id-2": `double/${entry.id}`,
    ...(unread && invite !== undefined ? { connection: "close" } : {}),
  };
  await send(response, { ...reply, headers: { ...common, ...reply.headers } }, fault, signal);
}

function requestId({ gateway }: World): string {
  const id = randomBytes(8).toString("hex");
  return gateway ? `tx00000${id}-006567a1b2-10e1-default` : id.toUpperCase();
}

function attempt(take: () => Incoming): Incoming | S3Error {
  try {
    return take();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}

function scriptOf(fault: FaultAction | null): AnswerOptions["script"] {
  return {
    listingQuirk: fault?.kind === "listing" ? fault.quirk : null,
    failKeys: fault?.kind === "fail-keys" ? fault.codes : {},
  };
}

function scriptedReply({ status, headers = {}, code, message, body }: ScriptedReply, entry: LoggedRequest): Reply {
  if (code === undefined || body !== undefined) return { status, headers, body: body ?? null };
  return refusal(new S3Error(code, { status, headers, ...(message === undefined ? {} : { message }) }), entry);
}

function refusal(thrown: unknown, entry: LoggedRequest): Reply {
  const error =
    thrown instanceof S3Error
      ? thrown
      : new S3Error("InternalError", {
          message: `the double failed: ${String(thrown instanceof Error ? thrown.stack : thrown)}`,
        });
  entry.code = error.code;
  const headers = { "content-type": "application/xml", ...error.headers };
  return { status: error.status, headers, body: error.toXml(entry.path, entry.id) };
}

async function readSome(request: IncomingMessage, most: number, onBytes: (count: number) => void): Promise<void> {
  let left = most;
  if (left <= 0) return;
  // Leaving the loop must not close the connection gently.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    onBytes(Math.min(left, chunk.length));
    left -= chunk.length;
    if (left <= 0) return;
  }
}
