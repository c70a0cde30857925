/** A reply to GET that is refused after its headers: its body is not read, and its connection doesn't stay. */
import { createServer } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { calm, concat } from "../../../conformance/bodies.ts";
import { rejection } from "../../../conformance/expect-code.ts";
import { KEY, MiB, double, driverOn } from "../support.ts";

interface Reply {
  readonly headers: OutgoingHttpHeaders;
  /** The connection breaks in the body. */
  readonly cut?: true;
}

interface Answers {
  readonly endpoint: string;
  /** So many connections have gone. */
  gone(count: number): Promise<void>;
}

/** Answers each request with the next of these headers, and the beginning of a body that never ends. */
async function answering(...replies: readonly Reply[]): Promise<Answers> {
  const closed: Promise<void>[] = [];
  const left = [...replies];
  const server = createServer((request, response) => {
    const { headers, cut } = left.shift() ?? { headers: {} };
    closed.push(new Promise((resolve) => void request.socket.once("close", () => resolve())));
    response.writeHead(200, headers);
    response.write(Buffer.alloc(MiB), () => {
      if (cut === true) request.socket.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async gone(count) {
      expect(closed).toHaveLength(count);
      await Promise.all(closed);
    },
  };
}

const LENGTH = { "content-length": String(8 * MiB) };
const WHOLE = { ...LENGTH, etag: '"1"' };

test.each([
  ["without an ETag", { ...LENGTH, "x-amz-request-id": "1" }],
  ["that is a page", { ...WHOLE, "content-type": "text/html" }],
])("one %s", async (_, headers) => {
  const server = await answering({ headers });
  const driver = await driverOn(await double(), { settings: { endpoint: server.endpoint } });
  await rejection(driver.get(KEY, { signal: calm }), "network");
  await server.gone(1);
});

test("the second one, which doesn't go on where the first broke", async () => {
  const server = await answering({ headers: WHOLE, cut: true }, { headers: WHOLE });
  const driver = await driverOn(await double(), { settings: { endpoint: server.endpoint } });
  const { chunks } = await driver.get(KEY, { signal: calm });
  await rejection(concat(chunks), "unsupported");
  await server.gone(2);
});
