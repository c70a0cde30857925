import { compileGlob } from "../../attachments/glob.ts";
import { list } from "../../attachments/list.ts";
import { parseTask } from "../../attachments/task.ts";
import type { Attachment } from "../../attachments/types.ts";
import { parseSince } from "../../config/parse-values.ts";
import { TaskflowError, throwIfAborted } from "../../errors.ts";
import { attachmentJson, attachmentLine, attachmentTable } from "../attachment-view.ts";
import type { ListOptions } from "../commands/list.ts";
import type { Context } from "../context.ts";
import { shellQuote } from "../output/format.ts";
import { printable } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { value } from "../parse.ts";
import { runSession } from "../session.ts";
import { createOthers } from "./others.ts";

export function runList(ctx: Context, operands: readonly string[], options: ListOptions): Promise<number> {
  const deleted = options.deleted === true;
  const view: View<Attachment> = {
    json: attachmentJson,
    line: attachmentLine,
    listing: true,
    table: attachmentTable({
      task: operands.length === 0 && options.task === undefined,
      details: options.details === true,
      deleted,
    }),
  };
  return runSession(ctx, "list", options, view, async ({ report, openStore }) => {
    const task = taskOf(operands, options.task);
    const matches = options.name === undefined ? undefined : compileGlob(options.name);
    const since = options.since === undefined ? undefined : value("--since", parseSince(ctx.now()))(options.since);
    const driver = await openStore();
    const others = createOthers();
    const listing = list(driver, {
      task,
      onOther: (key) => others.see(key),
      deleted,
      signal: ctx.signal,
      details: options.details === true,
      ...(matches === undefined ? {} : { matches }),
      ...(since === undefined ? {} : { since }),
      ...(options.sort === undefined ? {} : { order: options.sort }),
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      ...(options.after === undefined ? {} : { after: options.after }),
    });
    let any = false;
    for await (const attachment of listing.attachments) {
      if (report.unread) {
        throwIfAborted(ctx.signal);
        return undefined;
      }
      if (!any && options.sort === undefined && listing.order() === "key") {
        await report.note(`${task === null ? "the whole store" : "a large task"}: in key order, not newest first`);
      }
      any = true;
      await report.item(attachment, attachment.size);
    }
    await others.tell(report);
    const next = listing.next();
    const filtered = [options.name, options.since, options.after].some((filter) => filter !== undefined);
    if (!any) report.summary(filtered ? nothingMatches(task, deleted) : nothing(task, deleted));
    // As it is printed it has to work; what can't be printed is in the JSON.
    if (next !== null)
      report.summary(
        `there are more; go on with --after ${printable(next) === next ? shellQuote(next) : "the `next` of --json"}`,
      );
    return { next };
  });
}

function taskOf(operands: readonly string[], option: string | undefined): string | null {
  const [first, second] = operands;
  if (second !== undefined || (first !== undefined && option !== undefined)) {
    throw new TaskflowError("usage", "list takes one TASK at most", {
      hint: "show TASK ITEM... tells of single attachments; list TASK --name GLOB filters",
    });
  }
  const text = option ?? first;
  return text === undefined ? null : parseTask(text);
}

/** Where a filter was given nobody knows whether there is anything else. */
function nothingMatches(task: string | null, deleted: boolean): string {
  return `nothing${deleted ? " deleted" : ""}${task === null ? "" : ` on ${task}`} matches`;
}

function nothing(task: string | null, deleted: boolean): string {
  const what = deleted ? "nothing deleted that can be undeleted" : "nothing attached";
  return task === null ? what : `${what} ${deleted ? "on" : "to"} ${task}`;
}
