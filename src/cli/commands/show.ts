import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { notEmpty } from "../parse.ts";

export interface ShowOptions extends CommonOptions {
  readonly task?: string;
}

export const showCommand = defineCommand<ShowOptions>({
  name: "show",
  summary: "show everything known of an attachment",
  operands: "TASK ITEM...",
  least: 1,
  description:
    "Show everything known of attachments. An ITEM is an id, its first four or more characters, a file name, or a full\n" +
    "key; `-` in place of the items reads full keys from stdin, one a line. Of two with one name, the newest. With it\n" +
    "what else is kept under its key: older versions and delete markers, and on a folder what lies in the trash.",
  examples: ["taskflow attach show T-42 report.pdf", "taskflow attach show T-42 0b9c6f0e --json"],
  configure: (command) => command.option("--task <id>", "the task; all operands are then items", notEmpty("--task")),
  load: async () => (await import("../actions/show.ts")).runShow,
});
