/** Puts a reply on the wire, whole or as the test's fault has it. */
import { setTimeout as later } from "node:timers/promises";
import type { ServerResponse } from "node:http";
import { flip } from "./body.ts";
import type { Reply } from "./call.ts";
import type { FaultAction } from "./faults.ts";

export async function send(
  response: ServerResponse,
  reply: Reply,
  fault: FaultAction | null,
  signal: AbortSignal,
): Promise<void> {
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : (reply.body ?? Buffer.alloc(0));
  const bodiless = response.req.method === "HEAD" || reply.status === 204 || reply.status === 304;
  const length = reply.headers["content-length"] ?? (bodiless ? undefined : String(body.length));
  const headers = { ...reply.headers, ...(length === undefined ? {} : { "content-length": length }) };
  if (bodiless) {
    response.writeHead(reply.status, headers);
    response.end();
    return;
  }
  switch (fault?.kind) {
    case "cut":
      if (fault.contentLength) cutByReset(response, reply.status, headers, body.subarray(0, fault.afterBytes));
      else cutInSilence(response, reply.status, headers, body.subarray(0, fault.afterBytes));
      return;
    case "stall":
      response.writeHead(reply.status, headers);
      response.flushHeaders();
      response.write(body.subarray(0, fault.afterBytes));
      return;
    case "drip":
      response.writeHead(reply.status, headers);
      for (let at = 0; at < body.length && !response.destroyed; at += fault.bytes) {
        response.write(body.subarray(at, at + fault.bytes));
        await later(fault.everyMs, undefined, { signal });
      }
      response.end();
      return;
    default: {
      const sent = fault?.kind === "flip" && fault.of === "reply" ? flipped(body, fault.at) : body;
      response.writeHead(reply.status, headers);
      response.end(sent);
    }
  }
}

function cutByReset(response: ServerResponse, status: number, headers: Record<string, string>, part: Buffer): void {
  response.writeHead(status, headers);
  response.flushHeaders();
  response.write(part, () => response.destroy());
}

/** By hand: Node would either count the bytes or mark their end, and the reader would know. */
function cutInSilence(response: ServerResponse, status: number, headers: Record<string, string>, part: Buffer): void {
  const lines = Object.entries({ ...headers, connection: "close" })
    .filter(([name]) => name !== "content-length")
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const { socket } = response;
  socket?.write(`HTTP/1.1 ${status} \r\n${lines.join("")}\r\n`, "latin1");
  socket?.end(part);
}

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  flip(copy, at);
  return copy;
}
