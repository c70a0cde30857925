import type { Settings } from "../../config/resolve.ts";
import { TaskflowError } from "../../errors.ts";
import { runChecks } from "../../storage/check.ts";
import type { CheckOptions, CheckResult, CheckStatus } from "../../storage/check.ts";
import { checkView } from "../check-view.ts";
import { ownChecks } from "../checks/own.ts";
import { serveChecks } from "../checks/serve.ts";
import { openCheckedStore } from "../checks/store.ts";
import type { DoctorOptions } from "../commands/doctor.ts";
import type { Context } from "../context.ts";
import type { Report } from "../output/report.ts";
import { runSession } from "../session.ts";
import type { Session } from "../session.ts";
import { reachingStore } from "../store-options.ts";
import { bucketOf } from "./items.ts";

export function runDoctor(ctx: Context, operands: readonly string[], options: DoctorOptions): Promise<number> {
  return runSession(ctx, "doctor", options, checkView(ctx, options.color !== false), async (session) => {
    if (operands.length > 0) {
      throw new TaskflowError("usage", "doctor takes no operands", { hint: "--store DIR names another store" });
    }
    const how: CheckOptions = {
      write: options.write === true,
      origin: options.origin ?? null,
      fix: options.fix === true,
      signal: ctx.signal,
    };
    const { report } = session;
    const counts: Record<CheckStatus, number> = { ok: 0, warn: 0, fail: 0, skip: 0 };
    for await (const result of allChecks(session, await session.settings(), how)) {
      counts[result.status] += 1;
      const fix = result.fix === null ? null : reachingStore(result.fix, options);
      await tell(report, { ...result, fix });
    }
    report.summary(summaryOf(counts));
    return { firstFailure: true, counts: { warned: counts.warn } };
  });
}

async function* allChecks<Row>(
  session: Session<Row>,
  settings: Settings,
  how: CheckOptions,
): AsyncGenerator<CheckResult, void, undefined> {
  const { ctx } = session;
  // The store is opened before anything is told: a document begins with its name.
  const { driver, results } = await openCheckedStore(session, settings);
  yield* runChecks(ownChecks(ctx, settings), ctx.signal);
  yield* results;
  if (driver === null) return;
  if (driver.check !== undefined) yield* driver.check(how);
  if (bucketOf(driver) === null) yield* runChecks(serveChecks(settings, how), ctx.signal);
}

async function tell(report: Report<CheckResult>, result: CheckResult): Promise<void> {
  if (result.status === "skip") await report.skipped(result);
  else await report.finding(result, result.error ?? null, { item: result.id });
}

/** `11 ok, 2 to look at, 1 failed, 1 skipped` */
function summaryOf({ ok, warn, fail, skip }: Readonly<Record<CheckStatus, number>>): string {
  const parts = [
    [warn, "to look at"],
    [fail, "failed"],
    [skip, "skipped"],
  ] as const;
  return [`${ok} ok`, ...parts.filter(([number]) => number > 0).map(([number, text]) => `${number} ${text}`)].join(
    ", ",
  );
}
