/** Ports of this machine, and waiting for a server that is to listen there. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** So many ports of the loopback address that nobody listens on, no two the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, "close");
    }),
  );
  return ports;
}

/** Rejects where it doesn't answer HTTP in time, with what `said` tells of it. */
export async function untilItAnswers(url: string, said: () => Promise<string>, longestMs = 120_000): Promise<void> {
  const end = Date.now() + longestMs;
  for (;;) {
    try {
      await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > end) throw new Error(`no answer from ${url}:\n${await said()}`, { cause: error });
    }
    await sleep(100);
  }
}
