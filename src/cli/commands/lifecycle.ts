import { parseDuration } from "../../config/parse-values.ts";
import { defineCommand, defineGroup } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { notEmpty, value } from "../parse.ts";

export interface LifecycleStatusOptions extends CommonOptions {
  readonly task?: string;
  /** Seconds. */
  readonly within?: number;
}

export interface LifecycleApplyOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

export const lifecycleCommands = defineGroup({
  name: "lifecycle",
  summary: "what the store's rules will do to attachments, and when",
  commands: [
    defineCommand<LifecycleStatusOptions>({
      name: "status",
      summary: "show what the rules will move, expire and destroy",
      operands: "[TASK [ITEM...]]",
      description:
        "Show the lifecycle rules of the store and what they will do. Of a task: each attachment's class, what happens to\n" +
        "it next, or why it stays. Without TASK: totals by class, what happens within the next 30 days, and unfinished\n" +
        "uploads. Dates are those from which S3 acts; it may take days more, and what is due and not done is `pending`.\n\n" +
        "A table on a terminal. Elsewhere a line each, of fields between tabs; of a task: key, id, class, what is next\n" +
        "(transition, expire, purge), to which class, date, `pending` or nothing, date of the end, archive state, why it\n" +
        "stays; without TASK: total, event or upload, which, of what, count, bytes, USD a month, date, rule.",
      examples: [
        "taskflow attach lifecycle status",
        "taskflow attach lifecycle status T-42",
        "taskflow attach lifecycle status --within 90d --json | jq .upcoming",
      ],
      configure: (command) =>
        command
          .option("--task <id>", "the task; all operands are then items", notEmpty("--task"))
          .option("--within <time>", "how far to look ahead (default: 30d)", value("--within", parseDuration)),
      load: async () => (await import("../actions/lifecycle-status.ts")).runLifecycleStatus,
    }),
    defineCommand<LifecycleApplyOptions>({
      name: "apply",
      summary: "do now what the rules of a folder store say",
      operands: "",
      description:
        "Do what `lifecycle status` calls pending, on a folder store: expire (into the trash), destroy what was deleted long\n" +
        "enough ago, change class labels. Nothing is asked: the rules say it. S3 does this by itself. Prints what it did, a\n" +
        "line each: transition, expire or purge, key, and the class, between tabs; with -n what it would do.",
      examples: ["taskflow attach lifecycle apply -n", "taskflow attach lifecycle apply"],
      configure: (command) => command.option("-n, --dry-run", "say what would be done, do nothing"),
      load: async () => (await import("../actions/lifecycle-apply.ts")).runLifecycleApply,
    }),
  ],
});
