import { applyRules, due } from "../../attachments/lifecycle/apply.ts";
import type { Applied } from "../../attachments/lifecycle/apply.ts";
import type { NextStep } from "../../attachments/lifecycle/types.ts";
import { TaskflowError } from "../../errors.ts";
import type { LifecycleApplyOptions } from "../commands/lifecycle.ts";
import type { Context } from "../context.ts";
import { dueJson } from "../lifecycle-view.ts";
import { count } from "../output/format.ts";
import { printable, tsvField } from "../output/printable.ts";
import type { View } from "../output/report.ts";
import { runSession } from "../session.ts";

export function runLifecycleApply(
  ctx: Context,
  operands: readonly string[],
  options: LifecycleApplyOptions,
): Promise<number> {
  const view: View<Applied> = {
    json: dueJson,
    line: ({ watched, next }) => `${next.action}\t${tsvField(watched.attachment.key)}\t${next.to ?? ""}`,
    ...(options.dryRun === true ? {} : { done: ({ watched }: Applied) => watched.attachment.key }),
  };
  return runSession(ctx, "lifecycle apply", options, view, async ({ report, openStore }) => {
    if (operands.length > 0) {
      throw new TaskflowError("usage", "lifecycle apply is for the whole store: it takes no TASK", {
        hint: "taskflow attach lifecycle status TASK tells what is due",
      });
    }
    const dryRun = options.dryRun === true;
    const driver = await openStore();
    const terms = { now: ctx.now(), signal: ctx.signal };
    const steps: AsyncIterable<Applied> = dryRun ? due(driver, terms) : applyRules(driver, terms);
    const done: Record<NextStep["action"], number> = { transition: 0, expire: 0, purge: 0 };
    for await (const step of steps) {
      const { watched, next, error } = step;
      // Another run was faster, or somebody put it elsewhere: what the rules say of it now, the next run does.
      if (error?.code === "changed") await report.skipped();
      else if (error !== undefined) await report.failure(error, { item: watched.attachment.key });
      else {
        done[next.action] += 1;
        await report.item(step, watched.version.size);
      }
    }
    report.summary(`${inWords(done, dryRun)} in ${printable(driver.location)}`);
    return dryRun ? { extra: { dryRun: true } } : undefined;
  });
}

function inWords({ transition, expire, purge }: Record<NextStep["action"], number>, dryRun: boolean): string {
  const parts = [
    ...(transition > 0 ? [`${dryRun ? "change" : "changed"} the class of ${count(transition, "attachment")}`] : []),
    ...(expire > 0 ? [`${dryRun ? "expire" : "expired"} ${count(expire, "attachment")}`] : []),
    ...(purge > 0 ? [`${dryRun ? "destroy" : "destroyed"} ${count(purge, "deleted one")}`] : []),
  ];
  if (parts.length === 0) return "nothing is due";
  return `${dryRun ? "would " : ""}${parts.join(", ")}`;
}
