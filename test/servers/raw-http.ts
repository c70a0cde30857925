/** Sends bytes as they are, as no HTTP client would, and reads what comes back until the other side closes. */
import { connect } from "node:net";

export interface RawReply {
  /** 0: none came. */
  readonly status: number;
  readonly text: string;
}

export async function rawHttp(endpoint: string, request: Uint8Array): Promise<RawReply> {
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  socket.write(request);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    chunks.push(Buffer.from(`\n${String(error)}`));
  }
  const text = Buffer.concat(chunks).toString("latin1");
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}

/** An HTTP/1.1 request that asks to close the connection afterwards. */
export function requestBytes(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array = Buffer.alloc(0),
): Buffer {
  const lines = Object.entries({ ...headers, connection: "close", "content-length": String(body.length) });
  const head = [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join(
    "\r\n",
  );
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}
