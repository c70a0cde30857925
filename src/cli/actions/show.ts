import { detailedAttachmentOf } from "../../attachments/types.ts";
import type { Attachment } from "../../attachments/types.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import { MOST_VERSIONS } from "../../storage/inspection.ts";
import type { Inspection } from "../../storage/inspection.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { ShowOptions } from "../commands/show.ts";
import type { Context } from "../context.ts";
import { inspectionFields, inspectionJson } from "../inspection-view.ts";
import { mapInOrder } from "../map-in-order.ts";
import { formatSize } from "../output/format.ts";
import { printable, tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";
import { attempt, checkOperands, liveItems, selectAttachments } from "./items.ts";
import type { Selected } from "./items.ts";

const AT_ONCE = 16;

export function runShow(ctx: Context, operands: readonly string[], options: ShowOptions): Promise<number> {
  const view: View<Shown> = {
    json: ({ attachment, inspection }) => ({ ...attachmentJson(attachment), ...inspectionJson(inspection) }),
    line: (shown) => (ctx.stdout.isTerminal ? forPeople(shown) : forPrograms(shown)),
  };
  return runSession(ctx, "show", options, view, async ({ report, openStore }) => {
    const selection = liveItems(options.task);
    checkOperands(ctx, operands, selection);
    const driver = await openStore();
    const selected = selectAttachments(ctx, driver, report, operands, selection);
    const look = (one: Selected): Promise<Shown | null> =>
      attempt(report, one, () => lookAt(ctx, driver, one.attachment));
    for await (const shown of mapInOrder(selected, look, { concurrency: AT_ONCE, backpressure: 4 * AT_ONCE })) {
      if (shown === null) continue;
      for (const warning of warningsOf(shown)) await report.warning(warning);
      await report.item(shown, shown.attachment.size);
    }
    return undefined;
  });
}

interface Shown {
  readonly attachment: Attachment;
  readonly inspection: Inspection;
}

async function lookAt(ctx: Context, driver: StorageDriver, found: Attachment): Promise<Shown> {
  const inspection = await driver.inspect(found.key, { signal: ctx.signal });
  return { attachment: detailedAttachmentOf(inspection.object) ?? found, inspection };
}

function warningsOf({ attachment: { key, details }, inspection: { versions } }: Shown): string[] {
  return [
    ...(details?.damaged === undefined ? [] : [`the record of ${key} is damaged: ${details.damaged}`]),
    ...(versions?.hasMore === true ? [`${key} has more than the ${MOST_VERSIONS} versions that are shown`] : []),
  ];
}

function fieldsOf({ attachment, inspection }: Shown): readonly (readonly [string, string | null])[] {
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
    ...inspectionFields(inspection),
  ];
}

const LABEL_WIDTH = 15;

function forPeople(shown: Shown): string {
  const lines = fieldsOf(shown).map(([label, text]) => {
    const size = label === "size" ? `${formatSize(shown.attachment.size)} (${text ?? ""} bytes)` : null;
    return `${printable(label).padEnd(LABEL_WIDTH)}${printable(size ?? text ?? "not recorded")}`;
  });
  return `${lines.join("\n")}\n`;
}

/** A field a line, label and value between a tab; what was not recorded has no value. */
function forPrograms(shown: Shown): string {
  return fieldsOf(shown)
    .map(([label, text]) => `${tsvField(label)}\t${tsvField(text ?? "")}`)
    .join("\n");
}
