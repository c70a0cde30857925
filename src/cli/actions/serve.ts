import { lstat } from "node:fs/promises";
import { presignerOf } from "../../attachments/presign.ts";
import { parseOrigin } from "../../config/parse-url.ts";
import { TaskflowError, abortReason } from "../../errors.ts";
import { healthRoute } from "../../server/health.ts";
import { LIMITS } from "../../server/limits.ts";
import { linkRoute } from "../../server/links.ts";
import { logLine } from "../../server/log-line.ts";
import { startServer } from "../../server/server.ts";
import type { LogEntry } from "../../server/server.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { ServeOptions } from "../commands/serve.ts";
import type { Context } from "../context.ts";
import { printable } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { value } from "../parse.ts";
import { runSession } from "../session.ts";
import { uploadTerms } from "../upload-terms.ts";
import { bucketOf } from "./items.ts";

interface Row {
  readonly url: string;
}

export function runServe(ctx: Context, operands: readonly string[], options: ServeOptions): Promise<number> {
  const view: View<Row> = { json: ({ url }) => ({ url }), line: ({ url }) => url };
  return runSession(ctx, "serve", options, view, async ({ report, settings, openStore }) => {
    if (operands.length > 0) {
      throw new TaskflowError("usage", "serve takes no operands", { hint: "--store DIR names another store" });
    }
    const cors = (options.cors ?? []).map(value("--cors", parseOrigin));
    const values = await settings();
    const baseUrl = values.get("url");
    const { policy } = uploadTerms(ctx, values);
    const driver = await openStore("create");
    const gate = presignerOf(driver).gate;
    if (gate === undefined) {
      throw new TaskflowError("unsupported", `${driver.location} answers its links itself`, {
        hint: "taskflow attach presign prints them",
      });
    }
    await refuseOpenFolder(ctx, driver);
    await gate.open();
    const surroundings = { driver, gate, policy, limits: LIMITS, cors, now: () => ctx.now() };
    const server = await startServer({
      host: options.host ?? "127.0.0.1",
      port: options.port ?? portOf(baseUrl),
      baseUrl,
      limits: LIMITS,
      routes: [linkRoute(surroundings), healthRoute(gate, LIMITS)],
      log: (entry) => log(entry),
    });
    try {
      await report.item({ url: server.url });
      await report.note(`serving ${printable(driver.location)}`);
      if (baseUrl !== server.url) {
        await report.note(
          `links begin with ${baseUrl}: set TASKFLOW_URL where they are signed, if that is another place`,
        );
      }
      await stopped(ctx.signal);
      await report.note(`stopping: running transfers have ${LIMITS.drainMs / 1000} s to end`);
    } finally {
      await server.close();
    }
    await report.stopped(abortReason(ctx.signal));
    return undefined;

    function log(entry: LogEntry): void {
      // Nobody waits for a log; a stderr that is gone is no reason to stop serving.
      report.note(printable(logLine(entry, ctx.now()))).catch(() => undefined);
    }
  });
}

/** Where the links of this base lead, if they lead straight here; else the port that TASKFLOW_URL has by default. */
export function portOf(baseUrl: string): number {
  const { protocol, port, hostname } = new URL(baseUrl);
  if (protocol === "http:" && port !== "") return Number(port);
  const isHere = /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname);
  return protocol === "http:" && isHere ? 80 : 8787;
}

/** Who can write into the folder can have anything served. */
async function refuseOpenFolder(ctx: Context, driver: StorageDriver): Promise<void> {
  if (bucketOf(driver) !== null || ctx.uid === null) return;
  const { mode, uid } = await lstat(driver.location);
  const shown = printable(driver.location);
  if (uid !== ctx.uid) {
    throw new TaskflowError("permission", `${shown} belongs to another user (uid ${uid}), so it is not served`, {
      hint: "run serve as that user",
    });
  }
  if ((mode & 0o022) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  throw new TaskflowError("permission", `${shown} can be written by others (mode ${octal}), so it is not served`, {
    hint: `chmod go-w ${shown}`,
  });
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
