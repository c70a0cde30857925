import { LIST_ORDERS, SORTED_AT_MOST } from "../../attachments/list-orders.ts";
import type { ListOrder } from "../../attachments/list-orders.ts";
import { parseInteger } from "../../config/parse-values.ts";
import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { groupDigits } from "../output/format.ts";
import { choice, notEmpty, value } from "../parse.ts";

export interface ListOptions extends CommonOptions {
  readonly task?: string;
  readonly details?: boolean;
  readonly name?: string;
  readonly since?: string;
  readonly deleted?: boolean;
  readonly sort?: ListOrder;
  readonly limit?: number;
  readonly after?: string;
}

export const listCommand = defineCommand<ListOptions>({
  name: "list",
  alias: "ls",
  summary: "show what is attached to a task, or everywhere",
  operands: "[TASK]",
  description:
    "Show what is attached to a task; without TASK, everywhere. A table on a terminal; elsewhere a line each, of fields\n" +
    "between tabs: key, id, size in bytes, time (UTC), storage class, name. Newest first within a task of up to\n" +
    `${groupDigits(SORTED_AT_MOST)} attachments; larger tasks and the whole store in key order, as it comes.`,
  examples: [
    "taskflow attach list T-42",
    "taskflow attach list T-42 --name '*.pdf' --since 7d -l",
    "taskflow attach list --json | jq -r '.items[].key'",
  ],
  configure: (command) =>
    command
      .option("--task <id>", "the task", notEmpty("--task"))
      .option("-l, --details", "the true name, type, checksum, note, too: a request each")
      .option(
        "--name <glob>",
        "only names that match: * ? [abc]; the name in the key, with -l the true one too",
        notEmpty("--name"),
      )
      .option("--since <when>", "only since a date (2026-11-01) or an age (7d)", notEmpty("--since"))
      .option("--deleted", "what was deleted and can be undeleted")
      .option("--sort <order>", `one of ${LIST_ORDERS.join(", ")}`, choice("--sort", LIST_ORDERS))
      .option("--limit <n>", "at most so many", value("--limit", parseInteger(1)))
      .option("--after <next>", "go on where a list was cut: its `next`", notEmpty("--after")),
  load: async () => (await import("../actions/list.ts")).runList,
});
