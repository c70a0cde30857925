import { TaskflowError, throwIfAborted } from "../../errors.ts";
import type { Until } from "../../attachments/lifecycle/undo-limit.ts";
import { versionsOf } from "../../attachments/list.ts";
import type { Attachment } from "../../attachments/types.ts";
import type { DeleteResult, KeyResult, StorageDriver } from "../../storage/driver.ts";
import { attachmentJson } from "../attachment-view.ts";
import type { DeleteOptions } from "../commands/delete.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { count } from "../output/format.ts";
import { printable, tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";
import type { Session } from "../session.ts";
import { doneOf, inBatches } from "./batches.ts";
import { checkOperands, placeOf, selectAttachments } from "./items.ts";
import type { Selected, Selection } from "./items.ts";
import { keepsDeleted, undoWarning } from "./undoable.ts";
import { createUndoOfAll, earlier, limitInWords, limitOf, undoJson, undoOne } from "./undo.ts";
import type { Deleted, Undo } from "./undo.ts";

interface Row {
  readonly attachment: Attachment;
  /** What brings it back, where anything does. */
  readonly undo: Undo | null;
}

export function runDelete(ctx: Context, operands: readonly string[], options: DeleteOptions): Promise<number> {
  const view: View<Row> = {
    json: ({ attachment, undo }) => ({
      ...attachmentJson(attachment),
      ...(undo === null ? {} : { undo: undoJson(undo) }),
    }),
    line: ({ attachment }) => tsvField(attachment.key),
    ...(options.dryRun === true ? {} : { done: ({ attachment }: Row) => attachment.key }),
  };
  return runSession(ctx, "delete", options, view, async (session) => {
    const selection: Selection = {
      among: options.purge === true ? "any" : "live",
      several: "refuse",
      task: options.task,
      withoutItems: "--all takes everything on the task",
      ignoreMissing: options.ignoreMissing === true,
      ...(options.all === true ? { whole: { order: "key", option: "--all" } } : {}),
    };
    checkOperands(ctx, operands, selection);
    const driver = await session.openStore();
    const selected = selectAttachments(ctx, driver, session.report, operands, selection);
    if (options.dryRun === true) return await dryRun(session, selected, options, driver);
    const confirmed = options.yes === true ? selected : afterAsking(ctx, driver, selected, operands, options);
    return options.purge === true
      ? await purge(session, driver, confirmed)
      : await remove(session, driver, confirmed, options);
  });
}

/** Asks, where that can't be undone, once there is something to delete, and before it is given. */
async function* afterAsking(
  ctx: Context,
  driver: StorageDriver,
  selected: AsyncIterable<Selected>,
  operands: readonly string[],
  options: DeleteOptions,
): AsyncGenerator<Selected, void, undefined> {
  let isFirst = true;
  for await (const one of selected) {
    if (isFirst) {
      const kept = options.purge === true ? false : await keepsDeleted(driver, ctx.signal);
      if (kept !== true) await askFirst(ctx, driver, operands, options, kept);
    }
    isFirst = false;
    yield one;
  }
}

async function remove(
  { ctx, report }: Session<Row>,
  driver: StorageDriver,
  selected: AsyncIterable<Selected>,
  options: DeleteOptions,
): Promise<undefined> {
  const seen = { count: 0, undoable: 0, undo: createUndoOfAll(options) };
  let end: Until = null;
  const limit = limitOf(ctx, driver);
  const isTold = options.json === true || options.ndjson === true;
  try {
    for await (const batch of inBatches(selected)) {
      limit.ask();
      const undoable: Deleted[] = [];
      try {
        const ask = (keys: string[]): AsyncIterable<DeleteResult> => driver.delete(keys, { signal: ctx.signal });
        for await (const { chosen, result } of doneOf(report, batch, ask)) {
          const { attachment } = chosen;
          if (result.existed === false) {
            // Someone else was quicker; a whole task is empty all the same.
            if (chosen.index === null || options.ignoreMissing === true) await report.skipped();
            else {
              const already = new TaskflowError("not_found", `${attachment.key} is gone already`);
              await report.failure(already, placeOf(chosen));
            }
          } else {
            const gone = { ...attachment, deleted: true, deletedAt: result.deletedAt };
            seen.count += 1;
            if (result.undoable) {
              undoable.push(gone);
              seen.undoable += 1;
              seen.undo.add(gone);
            }
            await report.item({ attachment: gone, undo: result.undoable ? await undoOf(gone) : null }, attachment.size);
          }
        }
      } finally {
        const until = undoable.length === 0 ? null : await limit.known();
        for (const gone of undoable) end = earlier(end, until?.(gone, gone.deletedAt) ?? null);
      }
    }
  } finally {
    limit.stop();
    // Interrupted too: what is gone is told, with its undo.
    if (seen.count > 0) tell();
  }
  // It was asked to stop, even if only the limit was still to come.
  throwIfAborted(ctx.signal);
  if (seen.count === 0) report.summary(`nothing was deleted in ${printable(driver.location)}`);
  return undefined;

  /** A line says nothing of the limit, so it doesn't wait for that. */
  async function undoOf(gone: Deleted): Promise<Undo> {
    const until = isTold ? (await limit.known())(gone, gone.deletedAt) : null;
    return { command: undoOne(gone, options), until };
  }

  function tell(): void {
    report.summary(`deleted ${count(seen.count, "attachment")} in ${printable(driver.location)}`);
    if (seen.undoable === 0) return;
    const undo = seen.undo.commands();
    const which = seen.undoable === seen.count ? "undo" : `undo of ${seen.undoable}`;
    const when = `${which}, ${limitInWords(end)}:`;
    report.summary(undo.length === 1 ? `${when} ${undo.join("")}` : [when, ...undo].join("\n"));
  }
}

async function purge(
  { ctx, report }: Session<Row>,
  driver: StorageDriver,
  selected: AsyncIterable<Selected>,
): Promise<undefined> {
  const versions = versionsOf(driver);
  const where = printable(driver.location);
  let done = 0;
  try {
    for await (const batch of inBatches(selected)) {
      const ask = (keys: string[]): AsyncIterable<KeyResult> => versions.purge(keys, { signal: ctx.signal });
      for await (const { chosen } of doneOf(report, batch, ask)) {
        done += 1;
        await report.item({ attachment: { ...chosen.attachment, deleted: true }, undo: null }, chosen.attachment.size);
      }
    }
  } finally {
    // Interrupted too: what is gone is told.
    if (done > 0) report.summary(`purged ${count(done, "attachment")} in ${where}, for good`);
  }
  if (done === 0) report.summary(`nothing was purged in ${where}`);
  return undefined;
}

async function dryRun(
  { report }: Session<Row>,
  selected: AsyncIterable<Selected>,
  options: DeleteOptions,
  driver: StorageDriver,
): Promise<{ extra: { dryRun: true } }> {
  let number = 0;
  for await (const { attachment } of selected) {
    number += 1;
    await report.item({ attachment, undo: null }, attachment.size);
  }
  const verb = options.purge === true ? "purge" : "delete";
  report.summary(`would ${verb} ${count(number, "attachment")} in ${printable(driver.location)}`);
  return { extra: { dryRun: true } };
}

async function askFirst(
  ctx: Context,
  driver: StorageDriver,
  operands: readonly string[],
  options: DeleteOptions,
  kept: false | null,
): Promise<void> {
  const task = options.task ?? operands[0] ?? "";
  const what =
    options.all === true
      ? `everything on ${task}${options.purge === true ? ", deleted ones too," : ""}`
      : operands.map((operand) => printable(operand)).join(" ");
  const verb = options.purge === true ? "purge" : "delete";
  await confirm(ctx, `${verb} ${what} in ${printable(driver.location)}? ${undoWarning(kept)}`);
}
