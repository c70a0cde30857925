/** What Node's parser refuses: no request object exists, so the answer is written by hand. */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

const STATUSES: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "Payload Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};

/**
 * Answers and closes; the status, or `null` where nobody hears it. `underWay` is the answer to a request whose body it is
 * that broke: once that has begun, another status line would become part of it.
 */
export function answerBroken(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  underWay: ServerResponse | null,
): number | null {
  if (error.code === "ECONNRESET" || !socket.writable || underWay?.headersSent === true) {
    socket.destroy();
    return null;
  }
  const [status, reason] = STATUSES[error.code ?? ""] ?? [400, "Bad Request"];
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  return status;
}
