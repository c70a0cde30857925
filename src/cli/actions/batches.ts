/** Many keys at once: what `delete`, `delete --purge` and `undelete` share. */
import type { KeyResult } from "../../storage/driver.ts";
import type { Report } from "../output/report.ts";
import { placeOf } from "./items.ts";
import type { Selected } from "./items.ts";

/** How many keys a store is asked at once: S3's own limit for a batch (API reference, DeleteObjects). */
const BATCH = 1000;

/** So many at a time that a store can work in batches, so few that a listing of any length fits. */
export async function* inBatches(selected: AsyncIterable<Selected>): AsyncGenerator<Selected[], void, undefined> {
  let batch: Selected[] = [];
  for await (const one of selected) {
    batch.push(one);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** What was done, in the order asked; what a store refused is reported as that item's failure. */
export async function* doneOf<Row, Result extends KeyResult>(
  report: Report<Row>,
  batch: readonly Selected[],
  ask: (keys: string[]) => AsyncIterable<Result>,
): AsyncGenerator<{ chosen: Selected; result: Result }, void, undefined> {
  const byKey = new Map(batch.map((chosen) => [chosen.attachment.key, chosen]));
  for await (const result of ask([...byKey.keys()])) {
    const chosen = byKey.get(result.key);
    if (chosen === undefined) continue;
    if (result.error === undefined) yield { chosen, result };
    else await report.failure(result.error, placeOf(chosen));
  }
}
