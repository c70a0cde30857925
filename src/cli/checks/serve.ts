/** Whether a folder's links are answered, and by browsers' leave. */
import type { IncomingMessage } from "node:http";
import type { Settings } from "../../config/resolve.ts";
import { TaskflowError } from "../../errors.ts";
import { ok, skip, warn } from "../../storage/check.ts";
import type { Check, CheckOptions, Finding } from "../../storage/check.ts";
import { preflightHeaders, refusalOf } from "../../storage/preflight.ts";
import type { Preflight, PreflightReply } from "../../storage/preflight.ts";
import { LINK_PATH } from "../../storage/presigner.ts";
import { probeServe } from "../serve-probe.ts";

export function serveChecks(settings: Settings, { origin, signal }: CheckOptions): readonly Check[] {
  let problem: string | null = null;
  const serve: Check = {
    id: "serve",
    async run() {
      const url = settings.get("url");
      problem = await probeServe(url, signal);
      if (problem === null) return ok(`answers at ${url}`);
      // Who never set it may never have wanted links.
      const isWanted = settings.origin("url").source !== "default";
      return (isWanted ? warn : skip)(problem, "links work while this runs: taskflow attach serve");
    },
  };
  if (origin === null) return [serve];
  return [
    serve,
    {
      id: "cors",
      run: async () => (problem === null ? await checkCors(settings.get("url"), origin, signal) : skip(problem)),
    },
  ];
}

/** What a PUT link of a folder needs. */
const HEADERS = ["content-type"];

async function checkCors(baseUrl: string, origin: string, signal: AbortSignal): Promise<Finding> {
  const asked: Preflight = { origin, method: "PUT", headers: HEADERS };
  const refusal = refusalOf(asked, await send(`${baseUrl}${LINK_PATH}probe`, asked, signal));
  if (refusal === null) return ok(`pages of ${origin} may use links`);
  throw new TaskflowError("bad_config", `pages of ${origin} may not use links: ${refusal}`, {
    hint: `start it with: taskflow attach serve --cors ${origin}`,
  });
}

const WAIT_MS = 5000;

async function send(url: string, asked: Preflight, signal: AbortSignal): Promise<PreflightReply> {
  const { request } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  return await new Promise<PreflightReply>((resolve, reject) => {
    const options = { method: "OPTIONS", headers: preflightHeaders(asked), signal, timeout: WAIT_MS, agent: false };
    const sent = request(url, options, ({ statusCode = 0, headers }: IncomingMessage) => {
      sent.destroy();
      resolve({ status: statusCode, headers });
    });
    const fail = (): void => reject(new TaskflowError("network", `nothing answers at ${url}`));
    sent.on("timeout", () => sent.destroy());
    sent.on("error", fail);
    sent.on("close", fail);
    sent.end();
  });
}
