import { detailedAttachmentOf } from "../../attachments/types.ts";
import type { Attachment } from "../../attachments/types.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { ShowOptions } from "../commands/show.ts";
import type { Context } from "../context.ts";
import { formatSize } from "../output/format.ts";
import { printable, tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";
import { attempt, checkOperands, selectAttachments } from "./items.ts";
import type { Selection } from "./items.ts";

export function runShow(ctx: Context, operands: readonly string[], options: ShowOptions): Promise<number> {
  const view: View<Attachment> = {
    json: attachmentJson,
    line: (attachment) => (ctx.stdout.isTerminal ? forPeople(attachment) : forPrograms(attachment)),
  };
  return runSession(ctx, "show", options, view, async ({ report, openStore }) => {
    const selection: Selection = {
      among: "live",
      several: "newest",
      task: options.task,
      withoutItems: "taskflow attach list TASK shows them",
    };
    checkOperands(ctx, operands, selection);
    const driver = await openStore();
    const selected = selectAttachments(ctx, driver, report, operands, selection);
    for await (const { attachment, index, text } of selected) {
      const detailed = await attempt(report, { index, text }, async () =>
        attachment.details === undefined
          ? detailedAttachmentOf(await driver.head(attachment.key, { signal: ctx.signal }))
          : attachment,
      );
      if (detailed === null) continue;
      const damaged = detailed.details?.damaged;
      if (damaged !== undefined) await report.warning(`the record of ${detailed.key} is damaged: ${damaged}`);
      await report.item(detailed, detailed.size);
    }
    return undefined;
  });
}

function fieldsOf(attachment: Attachment): readonly (readonly [string, string | null])[] {
  const { details } = attachment;
  return [
    ["name", attachment.name],
    ["id", attachment.id],
    ["task", attachment.task],
    ["key", attachment.key],
    ["size", String(attachment.size)],
    ["created", attachment.createdAt.toISOString()],
    ["storage class", attachment.storageClass],
    ["type", details?.type ?? null],
    ["sha256", details?.sha256 ?? null],
    ["uploaded by", details?.uploadedBy ?? null],
    ["note", details?.note ?? null],
    ...Object.entries(details?.meta ?? {}).map(([key, text]) => [`meta ${key}`, text] as const),
    ...Object.entries(details?.tags ?? {}).map(([key, text]) => [`tag ${key}`, text] as const),
  ];
}

const LABEL_WIDTH = 15;

function forPeople(attachment: Attachment): string {
  const lines = fieldsOf(attachment).map(([label, text]) => {
    const shown = label === "size" ? `${formatSize(attachment.size)} (${text ?? ""} bytes)` : (text ?? "not recorded");
    return `${printable(label).padEnd(LABEL_WIDTH)}${printable(shown)}`;
  });
  return `${lines.join("\n")}\n`;
}

/** A field a line, label and value between a tab; what was not recorded has no value. */
function forPrograms(attachment: Attachment): string {
  return fieldsOf(attachment)
    .map(([label, text]) => `${tsvField(label)}\t${tsvField(text ?? "")}`)
    .join("\n");
}
