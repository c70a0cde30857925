/** Which store is meant, and whether it can be opened. */
import type { Settings } from "../../config/resolve.ts";
import { describeOrigin } from "../../config/s3-settings.ts";
import { whichStore } from "../../config/which-store.ts";
import type { StoreChoice } from "../../config/which-store.ts";
import { throwIfAborted, toTaskflowError } from "../../errors.ts";
import type { TaskflowError } from "../../errors.ts";
import { CHECK_IDS } from "../../storage/check-ids.ts";
import { ok, skip } from "../../storage/check.ts";
import type { CheckResult } from "../../storage/check.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { Session } from "../session.ts";

export interface OpenedStore {
  /** `null`: it can't be opened, for what the results say. */
  readonly driver: StorageDriver | null;
  readonly results: readonly CheckResult[];
}

export async function openCheckedStore<Row>(session: Session<Row>, settings: Settings): Promise<OpenedStore> {
  let choice: StoreChoice | null = null;
  try {
    choice = await whichStore(settings, session.ctx);
    const driver = await session.openStore();
    return { driver, results: [{ id: "store", ...ok(`${driver.location}, ${howChosen(choice)}`) }] };
  } catch (error) {
    throwIfAborted(session.ctx.signal);
    return { driver: null, results: failed(choice, toTaskflowError(error)) };
  }
}

/** Who can't sign in at all has no fault in the store's name. */
function failed(choice: StoreChoice | null, error: TaskflowError): CheckResult[] {
  const failure = { status: "fail" as const, message: error.message, fix: error.hint, error };
  if (choice === null) return [{ id: "store", ...failure }];
  const ids: readonly string[] = CHECK_IDS[choice.kind];
  const signsIn = choice.kind === "s3" && error.exit === 4;
  const first = signsIn
    ? [
        { id: "store", ...ok(`s3://${choice.bucket}, ${howChosen(choice)}`) },
        { id: "credentials", ...failure },
      ]
    : [{ id: "store", ...failure }];
  const reason = signsIn ? "there are no credentials to ask with" : "the store can't be opened";
  const told = new Set(first.map(({ id }) => id));
  return [...first, ...ids.filter((id) => !told.has(id)).map((id) => ({ id, ...skip(reason) }))];
}

function howChosen(choice: StoreChoice): string {
  if (choice.origin === null) return "the nearest one upward";
  return `named by ${describeOrigin(choice.origin)}`;
}
