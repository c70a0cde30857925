import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { notEmpty } from "../parse.ts";

export interface RunOptions extends CommonOptions {
  readonly task?: string;
  readonly name?: string;
}

export const runCommand = defineCommand<RunOptions>({
  name: "run",
  summary: "run a command and attach its output, whatever becomes of it",
  operands: "TASK -- COMMAND...",
  least: 2,
  description:
    "Run a command, pass its output through as it is, and attach all of it as one log, also when the command fails or is\n" +
    "interrupted; the command line, exit code and duration are kept with it. Exits with the command's own code (128 + n\n" +
    "where signal n ended it), or with ours if only the attaching failed. A command that can't be started is 127 or 126,\n" +
    "and nothing is attached. The command's output goes to pipes, so it may leave out colours and progress.",
  examples: [
    "taskflow attach run T-42 -- make test",
    "taskflow attach run T-42 --name nightly.log -- ./nightly.sh --all",
    "taskflow attach run T-42 -- sh -c 'npm ci && npm test'",
  ],
  configure: (command) =>
    command
      .option("--task <id>", "the task; all operands are then the command", notEmpty("--task"))
      .option("--name <name>", "the log's name (default: the command's, and .log)", notEmpty("--name")),
  load: async () => (await import("../actions/run.ts")).runRun,
});
