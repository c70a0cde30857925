/** From what was typed to the attachments that are meant: shared by every action that takes TASK ITEM... */
import { findItems, findKeys } from "../../attachments/find.ts";
import type { FindOptions, Found } from "../../attachments/find.ts";
import { list } from "../../attachments/list.ts";
import { parseKeyOperand, parseOperands } from "../../attachments/operands.ts";
import type { ItemRef } from "../../attachments/operands.ts";
import type { Attachment } from "../../attachments/types.ts";
import { parseTask } from "../../attachments/task.ts";
import { TaskflowError, isTaskflowError, toTaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { Context } from "../context.ts";
import { readTsvField } from "../output/printable.ts";
import type { Report } from "../output/report.ts";
import { createOthers } from "./others.ts";

export interface Selection {
  /** Whole tasks are only taken where the action offers it; by `option` one was asked for, and items contradict it. */
  readonly whole?: { readonly since?: Date; readonly order?: "key"; readonly option?: string };
  readonly among: FindOptions["among"];
  readonly several: "newest" | "refuse";
  readonly task: string | undefined;
  /** What to say where items are missing: `--all` or the like. */
  readonly withoutItems: string;
  /** A missing item is no failure. */
  readonly ignoreMissing?: boolean;
}

/** Live ones; of several of one name the newest. */
export function liveItems(task: string | undefined): Selection {
  return { among: "live", several: "newest", task, withoutItems: "taskflow attach list TASK shows them" };
}

export interface Selected {
  readonly attachment: Attachment;
  /** Among the items; `null` of a whole task. */
  readonly index: number | null;
  readonly text: string;
}

/** What is wrong with the operands by themselves is told before any store is looked for. Errors: `usage`. */
export function checkOperands(ctx: Context, operands: readonly string[], selection: Selection): void {
  if (operands.includes("-")) {
    taskBesideStdin(operands, selection);
    if (!ctx.stdin.isTerminal) return;
    throw new TaskflowError("usage", "`-` reads keys from stdin, which is a terminal", {
      hint: "pipe them in: taskflow attach list T-42 | cut -f1 | taskflow attach … -",
    });
  }
  // Only the store can tell whether a bucket is its own.
  if (operands.some((operand) => operand.startsWith("s3://"))) return;
  const { items } = parseOperands(operands, selection.task, null);
  if (items.length > 0) refuseWithWhole(selection);
  else if (selection.whole === undefined) throw withoutItems(selection);
}

/** One attachment after the other, in the order given; what isn't found is reported as that item's failure. */
export async function* selectAttachments<Row>(
  ctx: Context,
  driver: StorageDriver,
  report: Report<Row>,
  operands: readonly string[],
  selection: Selection,
): AsyncGenerator<Selected, void, undefined> {
  const bucket = bucketOf(driver);
  const { among, several } = selection;
  const options = { among, several, signal: ctx.signal };
  if (operands.includes("-")) {
    const refs = keysOfStdin(ctx, report, taskBesideStdin(operands, selection), bucket);
    yield* outcomes(report, findKeys(driver, refs, options), selection, 0);
    return;
  }
  const { task, items } = parseOperands(operands, selection.task, bucket);
  if (items.length === 0) {
    if (selection.whole === undefined || task === null) throw withoutItems(selection);
    const { since, order } = selection.whole;
    const others = createOthers();
    for (const deleted of among === "any" ? [false, true] : [among === "deleted"]) {
      const all = list(driver, {
        task,
        deleted,
        ifKept: among === "any",
        onOther: (key) => others.see(key),
        signal: ctx.signal,
        ...(order === undefined ? {} : { order }),
        ...(since === undefined ? {} : { since }),
      });
      for await (const attachment of all.attachments) yield { attachment, index: null, text: attachment.key };
    }
    await others.tell(report);
    return;
  }
  refuseWithWhole(selection);
  const first = operands.length - items.length;
  yield* outcomes(report, findItems(driver, items, options), selection, first);
}

async function* outcomes<Row>(
  report: Report<Row>,
  found: AsyncIterable<Found>,
  selection: Selection,
  first: number,
): AsyncGenerator<Selected, void, undefined> {
  const given = new Set<string>();
  for await (const outcome of found) {
    const { index, text } = outcome.ref;
    if ("attachment" in outcome) {
      const { attachment, older } = outcome;
      // Two items may mean one attachment; it is done once.
      if (given.has(attachment.key)) continue;
      given.add(attachment.key);
      if (older > 0) {
        await report.note(`${older + 1} attachments are named ${attachment.name}: took the newest, ${attachment.id}`);
      }
      yield { attachment, index: index - first, text };
    } else if (selection.ignoreMissing === true && outcome.error.code === "not_found") {
      await report.skipped();
    } else {
      await report.failure(outcome.error, { index: index - first, item: text });
    }
  }
}

function withoutItems(selection: Selection): TaskflowError {
  return new TaskflowError("usage", "name the items", { hint: selection.withoutItems });
}

function refuseWithWhole({ whole }: Selection): void {
  if (whole?.option === undefined) return;
  throw new TaskflowError("usage", `${whole.option} is for a whole task, not for single items`, { hint: null });
}

/** `-` stands for all items; a task may stand before it, and then the keys must be that task's. */
export function taskBesideStdin(operands: readonly string[], selection: Selection): string | null {
  refuseWithWhole(selection);
  if (operands.includes("")) {
    throw new TaskflowError("usage", "an operand is empty", { hint: "is a variable of the script unset?" });
  }
  const before = operands.slice(0, operands.indexOf("-"));
  const named = selection.task === undefined ? before : [selection.task, ...before];
  if (named.length > 1 || operands.length > before.length + 1) {
    throw new TaskflowError("usage", "`-` stands for all items: full keys are read from stdin, one a line", {
      hint: null,
    });
  }
  const [task] = named;
  return task === undefined ? null : parseTask(task);
}

/** One full key a line, as `upload` and `list` print it; blank lines are passed over. */
export async function* keysOfStdin<Row>(
  ctx: Context,
  report: Report<Row>,
  task: string | null,
  bucket: string | null,
): AsyncGenerator<ItemRef | Found, void, undefined> {
  let index = 0;
  for await (const text of linesOf(ctx.stdin.chunks())) {
    if (text === "") continue;
    yield refOf(text, index, task, bucket);
    index += 1;
  }
  if (index === 0) await report.note("no keys came on stdin");
}

/** A line that is no key fails alone, as one whose attachment is missing. */
function refOf(text: string, index: number, task: string | null, bucket: string | null): ItemRef | Found {
  try {
    const given = parseKeyOperand(text, bucket);
    const orKey = readTsvField(given.key);
    const elsewhere = task !== null && task !== given.task;
    const ref: ItemRef = { index, text, task: given.task, kind: "key", key: given.key, elsewhere };
    return orKey === given.key ? ref : { ...ref, orKey };
  } catch (error) {
    return { ref: { index, text, task: task ?? "", kind: "item", item: text }, error: toTaskflowError(error) };
  }
}

/** The longest line that could be a key with its store. */
const LONGEST_LINE = 4096;

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new TaskflowError("usage", "a line of stdin is too long to be a key");
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest.replace(/\r$/, "");
}

export function bucketOf(driver: StorageDriver): string | null {
  return driver.location.startsWith("s3://") ? driver.location.slice("s3://".length) : null;
}

/** What one item's work gives, or `null` where it failed, which is then that item's failure. Rows are printed outside. */
export async function attempt<Row, Result>(
  report: Report<Row>,
  selected: Pick<Selected, "index" | "text">,
  work: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    if (isTaskflowError(error) && error.code === "interrupted") throw error;
    await report.failure(error, placeOf(selected));
    return null;
  }
}

/** Which item a failure belongs to. */
export function placeOf({ index, text }: Pick<Selected, "index" | "text">): { index?: number; item: string } {
  return { ...(index === null ? {} : { index }), item: text };
}
