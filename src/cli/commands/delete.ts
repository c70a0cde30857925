import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { notEmpty } from "../parse.ts";

export interface DeleteOptions extends CommonOptions {
  readonly task?: string;
  readonly all?: boolean;
  readonly purge?: boolean;
  readonly yes?: boolean;
  readonly ignoreMissing?: boolean;
  readonly dryRun?: boolean;
}

export const deleteCommand = defineCommand<DeleteOptions>({
  name: "delete",
  alias: "rm",
  summary: "remove attachments; undoable where the store keeps versions",
  operands: "TASK ITEM...",
  least: 1,
  description:
    "Remove attachments. What can be undone is not asked about: the answer is the undo, exactly of up to ten, of more all\n" +
    "that was deleted on the task since then. `--purge` destroys live and deleted ones for good; it asks on a terminal and\n" +
    "needs --yes elsewhere. Prints each key once it is gone.",
  examples: [
    "taskflow attach delete T-42 report.pdf",
    "taskflow attach delete T-42 --all -n",
    "taskflow attach delete T-42 0b9c6f0e --purge --yes",
  ],
  configure: (command) =>
    command
      .option("--task <id>", "the task; all operands are then items", notEmpty("--task"))
      .option("--all", "everything on the task")
      .option("--purge", "destroy for good, deleted ones and all versions too")
      .option("-y, --yes", "don't ask")
      .option("--ignore-missing", "an item that isn't there is no failure")
      .option("-n, --dry-run", "say what would be deleted, delete nothing"),
  load: async () => (await import("../actions/delete.ts")).runDelete,
});
