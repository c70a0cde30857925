import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { notEmpty } from "../parse.ts";

export interface UndeleteOptions extends CommonOptions {
  readonly task?: string;
  readonly all?: boolean;
  readonly since?: string;
  readonly dryRun?: boolean;
}

export const undeleteCommand = defineCommand<UndeleteOptions>({
  name: "undelete",
  alias: "restore",
  summary: "bring back what was deleted",
  operands: "TASK ITEM...",
  least: 1,
  description:
    "Bring back attachments that were deleted, as they were. `list --deleted` shows them. Prints each key once it is back.",
  examples: [
    "taskflow attach undelete T-42 report.pdf",
    "taskflow attach undelete T-42 --since 1h",
    "taskflow attach undelete T-42 --all -n",
  ],
  configure: (command) =>
    command
      .option("--task <id>", "the task; all operands are then items", notEmpty("--task"))
      .option("--all", "everything deleted from the task")
      .option("--since <when>", "everything deleted since a date or an age (1h)", notEmpty("--since"))
      .option("-n, --dry-run", "say what would come back, change nothing"),
  load: async () => (await import("../actions/undelete.ts")).runUndelete,
});
