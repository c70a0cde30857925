import path from "node:path";
import { createFedSource } from "../../attachments/fed-source.ts";
import type { FedSource } from "../../attachments/fed-source.ts";
import { fitMeta } from "../../attachments/fit-meta.ts";
import { cleanName } from "../../attachments/name.ts";
import { parseTask } from "../../attachments/task.ts";
import { upload } from "../../attachments/upload.ts";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { CommandEnd } from "../child/start.ts";
import { streamCommand } from "../child/stream.ts";
import type { RunOptions } from "../commands/run.ts";
import type { Context } from "../context.ts";
import { formatSize, shellQuote } from "../output/format.ts";
import { redact } from "../output/redact.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";
import { uploadTerms } from "../upload-terms.ts";

/** What the end of the command adds to the metadata, at its longest: room is kept for it. */
const LONGEST_END = { "exit-code": "255", "duration-seconds": "999999999.999", signal: "SIGVTALRM" };

export async function runRun(ctx: Context, operands: readonly string[], options: RunOptions): Promise<number> {
  // Nothing is listed: stdout is the command's.
  const view: View<never> = { json: () => ({}), line: () => null };
  let commandStatus = 0;
  const ours = await runSession(ctx, "run", options, view, async ({ report, settings, openStore }) => {
    const { task, words, name } = parseRun(operands, options);
    const { uploadedBy, policy } = uploadTerms(ctx, await settings());
    const record = { name, createdAt: ctx.now(), uploadedBy, note: null, meta: LONGEST_END };
    const request = {
      task,
      name,
      type: "text/plain",
      uploadedBy,
      policy,
      meta: { command: fitMeta(record, "command", redact(words.map(shellQuote).join(" "))) },
      allowEmpty: true,
    };
    const driver = await openStore("create");
    const log = createFedSource();
    const stop = new AbortController();
    let end: CommandEnd | null = null;
    const lateMeta = (): Record<string, string> => endMeta(end);
    const signal = AbortSignal.any([ctx.signal, stop.signal]);
    const uploading = settled(upload(driver, { ...request, source: log, lateMeta, signal }, ctx), log);
    // A store that can't take the log says so before a long build rather than after it.
    const refused = await Promise.race([log.wanted, uploading]);
    if (refused?.error !== undefined) {
      await report.note("the command was not run");
      throw refused.error;
    }
    throwIfAborted(ctx.signal);

    const streamed = await streamCommand(ctx, words, log).catch(async (error: unknown) => {
      stop.abort(error);
      await uploading;
      throw error;
    });
    ({ end } = streamed);
    commandStatus = end.status;
    log.end();
    const { attachment, error } = await uploading;
    if (streamed.midLine && ctx.stderr.isTerminal) await ctx.stderr.write("\n");
    if (streamed.cut) {
      await report.warning("something that the command left running still has its output: the log ends without it");
    }
    if (attachment === undefined) await report.failure(error, { item: name });
    else await report.note(`attached ${name} (${formatSize(attachment.size)}) to ${task}: ${attachment.key}`);
    return undefined;
  });
  return commandStatus === 0 ? ours : commandStatus;
}

interface Run {
  readonly task: string;
  /** The command and its arguments. */
  readonly words: readonly string[];
  /** Of the log. */
  readonly name: string;
}

function parseRun(operands: readonly string[], options: RunOptions): Run {
  if (options.json === true || options.ndjson === true) {
    throw new TaskflowError("usage", "stdout is the command's, so there is no room for JSON", {
      hint: "`taskflow attach show TASK NAME --json` tells of the log afterwards",
    });
  }
  const [first = "", ...rest] = operands;
  const task = parseTask(options.task ?? first);
  const words = options.task === undefined ? rest : operands;
  const [command] = words;
  if (command === undefined || command === "") {
    const hint = "for example: taskflow attach run T-42 -- make test";
    throw new TaskflowError("usage", command === "" ? "the command is empty" : "name the command to run", { hint });
  }
  const name = options.name ?? `${path.basename(command) || "command"}.log`;
  cleanName(name);
  return { task, words, name };
}

type Uploaded = {
  readonly attachment?: Awaited<ReturnType<typeof upload>>["attachment"];
  readonly error?: unknown;
};

/** Never rejects, for nobody may be waiting for it yet; and the command goes on where the store can't. */
async function settled(uploading: ReturnType<typeof upload>, log: FedSource): Promise<Uploaded> {
  try {
    return { attachment: (await uploading).attachment };
  } catch (error) {
    return { error };
  } finally {
    await log.close();
  }
}

function endMeta(end: CommandEnd | null): Record<string, string> {
  if (end === null) throw new TaskflowError("internal", "the log ended before its command");
  return {
    "exit-code": String(end.status),
    "duration-seconds": end.seconds.toFixed(3),
    ...(end.signal === null ? {} : { signal: end.signal }),
  };
}
