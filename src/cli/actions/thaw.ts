import { archiveOf } from "../../attachments/thaw.ts";
import type { Attachment } from "../../attachments/types.ts";
import type { Thaw } from "../../storage/driver.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { ThawCommandOptions } from "../commands/thaw.ts";
import type { Context } from "../context.ts";
import { archiveJson } from "../inspection-view.ts";
import { mapInOrder } from "../map-in-order.ts";
import { count, formatLocalTime, formatSeconds } from "../output/format.ts";
import type { JsonObject } from "../output/json-document.ts";
import { printable, tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";
import { attempt, checkOperands, liveItems, selectAttachments } from "./items.ts";
import type { Selected } from "./items.ts";
import { untilReadable } from "./until-readable.ts";

interface Row {
  readonly attachment: Attachment;
  readonly thaw: Thaw;
}

const AT_ONCE = 16;
const DEFAULT_DAYS = 7;

export function runThaw(ctx: Context, operands: readonly string[], options: ThawCommandOptions): Promise<number> {
  const view: View<Row> = {
    json: rowJson,
    line: ({ attachment }) => tsvField(attachment.key),
    ...(options.dryRun === true ? {} : { done: ({ attachment }: Row) => attachment.key }),
  };
  return runSession(ctx, "thaw", options, view, async (session) => {
    const { report, openStore } = session;
    const { days = DEFAULT_DAYS, tier = "standard", dryRun = false } = options;
    const selection = { ...liveItems(options.task), among: "live-first" } as const;
    checkOperands(ctx, operands, selection);
    const driver = await openStore();
    const archive = archiveOf(driver);
    const counts: Record<Thaw["outcome"], number> = { begun: 0, under_way: 0, extended: 0, not_archived: 0 };
    const pending: (Row & { readonly selected: Selected })[] = [];
    const ask = async (selected: Selected): Promise<{ selected: Selected; thaw: Thaw | null }> => {
      const { key } = selected.attachment;
      const thaw = await attempt(report, selected, () => archive.thaw(key, { days, tier, dryRun, signal: ctx.signal }));
      return { selected, thaw };
    };
    const asked = mapInOrder(selectAttachments(ctx, driver, report, operands, selection), ask, {
      concurrency: AT_ONCE,
      backpressure: 4 * AT_ONCE,
    });
    for await (const { selected, thaw } of asked) {
      if (thaw === null) continue;
      counts[thaw.outcome] += 1;
      await report.note(noteOf(selected.attachment, thaw, dryRun));
      const row = { attachment: selected.attachment, thaw };
      if (options.wait === true && !dryRun && thaw.archive?.state === "thawing") pending.push({ ...row, selected });
      else await report.item(row);
    }
    if (pending.length > 0) {
      for await (const { row, archive: now } of untilReadable(session, driver, pending, options)) {
        await report.item({ attachment: row.attachment, thaw: { ...row.thaw, archive: now } });
      }
    }
    report.summary(summaryOf(counts, dryRun, printable(driver.location)));
    return dryRun ? { extra: { dryRun } } : undefined;
  });
}

function rowJson({ attachment, thaw: { outcome, archive, usually } }: Row): JsonObject {
  return {
    ...attachmentJson(attachment),
    archive: archive === null ? null : archiveJson(archive),
    thaw: outcome,
    usually: usually === null ? null : { fromSeconds: usually.from, toSeconds: usually.to },
  };
}

/** `report.pdf: asked for, usually 3h to 5h` */
function noteOf({ name, deleted }: Attachment, { outcome, archive, usually }: Thaw, dryRun: boolean): string {
  const takes =
    usually === null
      ? ""
      : `, usually ${usually.from === null ? "within" : `${formatSeconds(usually.from)} to`} ${formatSeconds(usually.to)}`;
  const until = archive?.until == null ? "" : ` until ${formatLocalTime(archive.until)}`;
  const texts: Record<Thaw["outcome"], string> = {
    begun: dryRun ? `would be asked for${takes}` : `asked for${takes}`,
    under_way: `being thawed already${takes}`,
    extended: dryRun ? `can be read${until}, would stay longer` : `can be read${until}`,
    not_archived: "not archived, can be read as it is",
  };
  const then = deleted ? "; it is deleted: undelete it once it can be read" : "";
  return `${printable(name)}: ${texts[outcome]}${then}`;
}

/** `asked for 3 attachments, 1 under way already, 1 not archived in s3://acme` */
function summaryOf(counts: Readonly<Record<Thaw["outcome"], number>>, dryRun: boolean, where: string): string {
  const more = [
    [counts.under_way, "under way already"],
    [counts.extended, dryRun ? "would stay longer" : "stay longer"],
    [counts.not_archived, "not archived"],
  ] as const;
  const others = more.filter(([number]) => number > 0).map(([number, text]) => `, ${number} ${text}`);
  return `${dryRun ? "would ask for" : "asked for"} ${count(counts.begun, "attachment")} in ${where}${others.join("")}`;
}
