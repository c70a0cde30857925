/** Whether `serve` is where the links lead. */
import type { IncomingMessage } from "node:http";
import { HEALTH_PATH } from "../server/health-path.ts";

const WAIT_MS = 1000;

/**
 * `null` where it answers; else why it seems not to be there. It also makes a running `serve` look at its key file, so
 * that a key which was just changed is known to it when a link is signed.
 */
export async function probeServe(baseUrl: string, signal: AbortSignal): Promise<string | null> {
  const { request } = baseUrl.startsWith("https:") ? await import("node:https") : await import("node:http");
  return await new Promise<string | null>((resolve) => {
    const asked = request(
      `${baseUrl}${HEALTH_PATH}`,
      { method: "HEAD", signal, timeout: WAIT_MS, agent: false },
      ({ statusCode = 0 }: IncomingMessage) => {
        asked.destroy();
        resolve(statusCode === 200 ? null : `what answers at ${baseUrl} is not serve (${statusCode})`);
      },
    );
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(`nothing answers at ${baseUrl}`));
    asked.on("close", () => resolve(`nothing answers at ${baseUrl}`));
    asked.end();
  });
}
