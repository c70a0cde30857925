/** Waiting for what was asked of an archive: hours, in which the network and the credentials may end. */
import { setTimeout as later } from "node:timers/promises";
import { versionsOf } from "../../attachments/list.ts";
import type { Attachment } from "../../attachments/types.ts";
import { TaskflowError, isTaskflowError, throwIfAborted, toTaskflowError } from "../../errors.ts";
import type { ArchiveState, StorageDriver } from "../../storage/driver.ts";
import { mapInOrder } from "../map-in-order.ts";
import { shellQuote } from "../output/format.ts";
import type { Session } from "../session.ts";
import { reachingStore } from "../store-options.ts";
import type { StoreOptions } from "../store-options.ts";
import { placeOf } from "./items.ts";
import type { Selected } from "./items.ts";

interface Waiting {
  readonly attachment: Attachment;
  readonly selected: Selected;
}

const AT_ONCE = 16;
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/**
 * Each item as soon as a look finds that it can be read; one that was deleted meanwhile is reported as its failure.
 * Looks are a second apart at first, a minute at last. Errors: what a look fails with, saying that the thaw goes on.
 */
export async function* untilReadable<Row, Item extends Waiting>(
  { ctx: { signal }, report }: Session<Row>,
  driver: StorageDriver,
  items: readonly Item[],
  typed: StoreOptions,
): AsyncGenerator<{ row: Item; archive: ArchiveState | null }, void, undefined> {
  const progress = report.progress("waiting for");
  progress.expect(0, items.length);
  let left = items;
  let wait = FIRST_MS;
  try {
    for (;;) {
      const still: Item[] = [];
      progress.at(left[0]?.attachment.name ?? "");
      const looks = mapInOrder(left, (row) => look(driver, row, signal), {
        concurrency: AT_ONCE,
        backpressure: AT_ONCE,
      });
      for await (const { row, archive, error } of looks) {
        if (archive?.state === "thawing") {
          still.push(row);
          continue;
        }
        progress.itemDone();
        if (error === undefined) yield { row, archive };
        else await report.failure(error, placeOf(row.selected));
      }
      if (still.length === 0) return;
      left = still;
      await later(wait, undefined, { signal }).catch(() => throwIfAborted(signal));
      wait = Math.min(2 * wait, LONGEST_MS);
    }
  } catch (error) {
    const failure = goesOn(error, left);
    // What the session says of a signal is that it came.
    if (signal.aborted) await report.note(`the store goes on thawing; ${reachingStore(failure.hint ?? "", typed)}`);
    throw failure;
  } finally {
    progress.stop();
  }
}

interface Look<Item> {
  readonly row: Item;
  readonly archive: ArchiveState | null;
  readonly error?: TaskflowError;
}

async function look<Item extends Waiting>(driver: StorageDriver, row: Item, signal: AbortSignal): Promise<Look<Item>> {
  try {
    const { key, deleted } = row.attachment;
    const { archive = null } = deleted
      ? await versionsOf(driver).headDeleted(key, { signal })
      : await driver.head(key, { signal });
    if (archive?.state !== "archived") return { row, archive };
    return {
      row,
      archive,
      error: new TaskflowError("archived", `${key} is not being thawed any more: it is archived`),
    };
  } catch (error) {
    if (!isTaskflowError(error) || error.code !== "not_found") throw error;
    return { row, archive: null, error };
  }
}

/** The store needs nobody to wait: only this command has come to its end. */
function goesOn(raw: unknown, left: readonly Waiting[]): TaskflowError {
  const error = toTaskflowError(raw);
  const key = left[0]?.attachment.key ?? "";
  const again = `taskflow attach thaw ${shellQuote(key)} --wait`;
  const more = left.length > 1 ? ` (and ${left.length - 1} more)` : "";
  const signIn = error.exit === 4 ? "sign in again, then look: " : "look again with: ";
  return new TaskflowError(error.code, `${error.message}; the store goes on thawing`, {
    hint: `${signIn}${again}${more}`,
    exit: error.exit,
    requestId: error.requestId,
    context: error.context,
    cause: error,
  });
}
