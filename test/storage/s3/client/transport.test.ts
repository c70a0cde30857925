/** HTTP that neither hangs nor gives up what is well on its way. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createTransport } from "../../../../src/storage/s3/client/transport.ts";
import type { Transport } from "../../../../src/storage/s3/client/transport.ts";

const LIMITS = { connectMs: 2000, idleMs: 700, slowMs: 1500, slowBytes: 1024 };
const BODY = Buffer.alloc(6 * 1024 * 1024, 7);

let folder = "";
let tls = { key: "", cert: "" };
const open: (() => void)[] = [];

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "taskflow-tls-"));
  const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert, ...name],
    {
      stdio: "ignore",
    },
  );
  tls = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function serve(listener: RequestListener, secure = false): Promise<{ server: Server; port: number }> {
  const server = secure ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function transport(secure: boolean): Transport {
  const made = createTransport(LIMITS, secure ? [tls.cert] : undefined);
  open.push(() => made.destroy());
  return made;
}

const request = (port: number, secure: boolean, more: object = {}): Parameters<Transport["handle"]>[0] => ({
  protocol: secure ? "https:" : "http:",
  hostname: "localhost",
  port,
  method: "PUT",
  path: "/b/k",
  headers: { "content-length": String(BODY.length) },
  body: BODY,
  ...more,
});

describe.each([false, true])("over TLS: %s", (secure) => {
  test("an upload that is slow but goes on is not cut off", async () => {
    const { port } = await serve((incoming, outgoing) => {
      let size = 0;
      const timer = setInterval(() => {
        size += (incoming.read(256 * 1024) as Buffer | null)?.length ?? 0;
      }, 100);
      incoming.on("end", () => {
        clearInterval(timer);
        outgoing.end(String(size));
      });
    }, secure);
    const begin = performance.now();
    const { response } = await transport(secure).handle(request(port, secure));
    expect(response.statusCode).toBe(200);
    // Three times the idle limit: the socket alone shows no progress inside one write over TLS.
    expect(performance.now() - begin).toBeGreaterThan(3 * LIMITS.idleMs);
  });

  test("an upload that nobody takes is ended", async () => {
    const { port } = await serve((incoming) => void incoming.pause(), secure);
    await expect(transport(secure).handle(request(port, secure))).rejects.toMatchObject({ code: "ETIMEDOUT" });
  });
});

test("an unknown authority is refused, and trusted once it is named", async () => {
  const { port } = await serve((_, outgoing) => void outgoing.end("ok"), true);
  const get = { method: "GET", headers: {}, body: undefined };
  await expect(createTransport(LIMITS).handle(request(port, true, get))).rejects.toMatchObject({
    code: "DEPTH_ZERO_SELF_SIGNED_CERT",
  });
  const { response } = await transport(true).handle(request(port, true, get));
  expect(response.statusCode).toBe(200);
});

test("a repeated request asks before it sends, so that a refusal is heard", async () => {
  const seen: string[] = [];
  const { server, port } = await serve((incoming, outgoing) => {
    seen.push("sent unasked");
    incoming.destroy();
    outgoing.destroy();
  });
  server.on("checkContinue", (incoming, outgoing) => {
    seen.push("asked");
    outgoing.writeHead(403).end("no");
    incoming.resume();
  });
  const own = transport(false);
  const headers = { "content-length": String(BODY.length) };
  const first = own.handle(request(port, false, { headers: { ...headers, "amz-sdk-request": "attempt=1; max=5" } }));
  await expect(first).rejects.toThrow(/ECONNRESET|EPIPE|socket hang up/);
  const { response } = await own.handle(
    request(port, false, { headers: { ...headers, "amz-sdk-request": "attempt=2; max=5" } }),
  );
  expect(response.statusCode).toBe(403);
  expect(seen).toEqual(["sent unasked", "asked"]);
});

test("an aborted request is an AbortError, before and while it runs", async () => {
  const { port } = await serve(() => undefined);
  const own = transport(false);
  await expect(own.handle(request(port, false), { abortSignal: AbortSignal.abort() })).rejects.toMatchObject({
    name: "AbortError",
  });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await expect(own.handle(request(port, false), { abortSignal: stop.signal })).rejects.toMatchObject({
    name: "AbortError",
  });
});

test("query and path arrive as they were signed", async () => {
  const urls: (string | undefined)[] = [];
  const { port } = await serve((incoming, outgoing) => {
    urls.push(incoming.url);
    outgoing.end();
  });
  const query = { prefix: "tasks/é +(1)*", "list-type": "2", uploads: null };
  await transport(false).handle(request(port, false, { method: "GET", headers: {}, body: undefined, query }));
  expect(urls).toEqual(["/b/k?list-type=2&prefix=tasks%2F%C3%A9%20%2B%281%29%2A&uploads"]);
});
