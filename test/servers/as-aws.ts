/**
 * A server of this machine under a name of AWS, over TLS: the driver then asks it for what it asks AWS for and nobody
 * else, unsigned payloads and CRC32 of parts and whole.
 */
import { execFileSync } from "node:child_process";
import dns from "node:dns";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import { createServer } from "node:tls";

export interface AsAws {
  readonly endpoint: string;
  /** PEM, to be trusted. */
  readonly caFile: string;
  stop(): Promise<void>;
}

const HOST = "s3.us-east-1.amazonaws.com";

/** `endpoint`: plain HTTP. Until `stop` the name leads to this machine for all of this process. */
export async function startAsAws(endpoint: string): Promise<AsAws> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "taskflow-as-aws-"));
  const [key, caFile] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", caFile];
  const names = ["-subj", "/CN=localhost", "-addext", `subjectAltName=DNS:${HOST}`];
  execFileSync("openssl", ["req", ...made, ...names], { stdio: "ignore" });
  const behind = new URL(endpoint);
  const sockets = new Set<Socket>();
  const server = createServer({ key: readFileSync(key), cert: readFileSync(caFile) }, (front) => {
    const back = connect(Number(behind.port), behind.hostname);
    for (const [socket, other] of [[front, back] as const, [back, front] as const]) {
      sockets.add(socket);
      socket.pipe(other);
      // However one ends, so does the other.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { lookup } = dns;
  const here = (name: string, ...rest: unknown[]): unknown =>
    Reflect.apply(lookup, dns, [name === HOST ? "127.0.0.1" : name, ...rest]);
  dns.lookup = here as typeof lookup;
  return {
    endpoint: `https://${HOST}:${(server.address() as AddressInfo).port}`,
    caFile,
    async stop() {
      dns.lookup = lookup;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
