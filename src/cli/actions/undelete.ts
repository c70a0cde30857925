import { versionsOf } from "../../attachments/list.ts";
import type { Attachment } from "../../attachments/types.ts";
import type { KeyResult } from "../../storage/driver.ts";
import { parseSince } from "../../config/parse-values.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { UndeleteOptions } from "../commands/undelete.ts";
import type { Context } from "../context.ts";
import { count } from "../output/format.ts";
import { printable, tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { value } from "../parse.ts";
import { runSession } from "../session.ts";
import { doneOf, inBatches } from "./batches.ts";
import { checkOperands, selectAttachments } from "./items.ts";
import type { Selection } from "./items.ts";

export function runUndelete(ctx: Context, operands: readonly string[], options: UndeleteOptions): Promise<number> {
  const view: View<Attachment> = {
    json: attachmentJson,
    line: ({ key }) => tsvField(key),
    ...(options.dryRun === true ? {} : { done: ({ key }: Attachment) => key }),
  };
  return runSession(ctx, "undelete", options, view, async ({ report, openStore }) => {
    const since = options.since === undefined ? undefined : value("--since", parseSince(ctx.now()))(options.since);
    const whole = options.all === true || since !== undefined;
    const selection: Selection = {
      among: "deleted",
      several: "refuse",
      task: options.task,
      withoutItems: "--all takes everything deleted from the task, --since 1h what was deleted in the last hour",
      ...(whole
        ? {
            whole: {
              order: "key",
              option: options.all === true ? "--all" : "--since",
              ...(since === undefined ? {} : { since }),
            },
          }
        : {}),
    };
    checkOperands(ctx, operands, selection);
    const driver = await openStore();
    const versions = versionsOf(driver);
    const selected = selectAttachments(ctx, driver, report, operands, selection);
    const verb = options.dryRun === true ? "would bring back" : "brought back";
    let done = 0;
    try {
      for await (const batch of inBatches(selected)) {
        if (options.dryRun === true) {
          for (const { attachment } of batch) await report.item(attachment, attachment.size);
          done += batch.length;
          continue;
        }
        const ask = (keys: string[]): AsyncIterable<KeyResult> => versions.undelete(keys, { signal: ctx.signal });
        for await (const { chosen } of doneOf(report, batch, ask)) {
          done += 1;
          const { deletedAt: _, ...live } = chosen.attachment;
          await report.item({ ...live, deleted: false }, live.size);
        }
      }
    } finally {
      // Interrupted too: what is back is told.
      if (done > 0) report.summary(`${verb} ${count(done, "attachment")} in ${printable(driver.location)}`);
    }
    if (done === 0) report.summary(`${verb} nothing in ${printable(driver.location)}`);
    return options.dryRun === true ? { extra: { dryRun: true } } : undefined;
  });
}
