/** Full keys as they were typed or piped in, without asking the store about them. */
import { parseKey } from "../../attachments/key.ts";
import { parseOperands } from "../../attachments/operands.ts";
import type { ItemRef } from "../../attachments/operands.ts";
import { TaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { Context } from "../context.ts";
import type { Report } from "../output/report.ts";
import { bucketOf, keysOfStdin, taskBesideStdin } from "./items.ts";
import type { Selection } from "./items.ts";

export interface SpelledKey {
  readonly key: string;
  /** The key's. */
  readonly name: string;
  readonly index: number;
  readonly text: string;
}

/** In the order given. Errors: `usage` for any item that is no full key; a line of stdin fails alone. */
export async function* spelledKeys<Row>(
  ctx: Context,
  driver: StorageDriver,
  report: Report<Row>,
  operands: readonly string[],
  selection: Selection,
): AsyncGenerator<SpelledKey, void, undefined> {
  const bucket = bucketOf(driver);
  if (operands.includes("-")) {
    for await (const line of keysOfStdin(ctx, report, taskBesideStdin(operands, selection), bucket)) {
      if ("error" in line) await report.failure(line.error, { index: line.ref.index, item: line.ref.text });
      else if ("kind" in line) yield spelled(line, 0);
    }
    return;
  }
  const { items } = parseOperands(operands, selection.task, bucket);
  for (const item of items.map((one) => spelled(one, operands.length - items.length))) yield item;
}

function spelled(ref: ItemRef, first: number): SpelledKey {
  if (ref.kind !== "key" || ref.elsewhere) {
    throw new TaskflowError(
      "usage",
      `--no-check takes full keys, and ${JSON.stringify(ref.text)} is none of this task`,
      {
        hint: "a full key is tasks/TASK/ID_NAME, as upload and list print it",
      },
    );
  }
  return { key: ref.key, name: parseKey(ref.key)?.name ?? ref.key, index: ref.index - first, text: ref.text };
}
