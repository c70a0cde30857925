/** The tree of commands. Only what argv names is declared whole, so that `--help` stays quick. */
import { Command, Option } from "commander";
import { TaskflowError } from "../errors.ts";
import type { AnyCommandSpec, CommandGroup, CommonOptions, Invocation } from "./command.ts";

declare const TASKFLOW_VERSION: string;

export interface Program {
  readonly root: Command;
  /** What argv asks for; set by the parse. `null` after a help text. */
  invocation(): Invocation | null;
}

export interface ProgramOutput {
  out(text: string): void;
  columns(): number;
}

export async function buildProgram(argv: readonly string[], output: ProgramOutput): Promise<Program> {
  let found: Invocation | null = null;
  const root = prepare(new Command("taskflow"), output)
    .description("Attachments of tasks, in a folder or an S3 bucket.")
    .usage("COMMAND [options]");
  const hasOptions = argv.some((word) => word.startsWith("-") && word !== "-h" && word !== "--help");
  if (hasOptions) addCommonOptions(root, { hidden: true });
  root.option("--version", "print the version and exit");

  const group = async (
    parent: Command,
    name: string,
    summary: string,
    load: () => Promise<readonly (AnyCommandSpec | CommandGroup)[]>,
  ): Promise<void> => {
    const command = prepare(parent.command(name), output).summary(summary).description(summary);
    command.usage("COMMAND [options]");
    // Without its name in argv none of its commands can be meant.
    if (!argv.includes(name)) return;
    if (hasOptions) addCommonOptions(command, { hidden: true });
    for (const spec of await load()) {
      if ("commands" in spec) {
        await group(command, spec.name, spec.summary, () => Promise.resolve(spec.commands));
        continue;
      }
      addCommand(command, spec, argv, output, (run) => {
        found = run;
      });
    }
  };
  await group(
    root,
    "attach",
    "put files on tasks, and get them back",
    async () => (await import("./commands/index.ts")).ATTACH_COMMANDS,
  );
  await group(
    root,
    "config",
    "show and change the settings",
    async () => (await import("./commands/index.ts")).CONFIG_COMMANDS,
  );
  root.command("help", { hidden: false }).usage("[COMMAND|TOPIC]").summary("explain a command or a topic");
  root.addHelpText(
    "after",
    `
Examples:
  taskflow attach upload T-42 report.pdf
  taskflow attach list T-42
  taskflow attach download T-42 report.pdf

\`taskflow help attach upload\` explains a command; \`taskflow help environment\` a topic:
errors, environment, exit-codes, json, cors, lifecycle, ci
`,
  );
  return { root, invocation: () => found };
}

export function version(): string {
  return typeof TASKFLOW_VERSION === "string" ? TASKFLOW_VERSION : "0.0.0-source";
}

function prepare(command: Command, output: ProgramOutput): Command {
  return command
    .exitOverride()
    .enablePositionalOptions()
    .helpCommand(false)
    .helpOption("-h, --help", "explain this command")
    .configureOutput({
      writeOut: (text) => output.out(text),
      // Errors are thrown, mapped and printed by main, in one place.
      writeErr: () => undefined,
      getOutHelpWidth: output.columns,
      getErrHelpWidth: output.columns,
    });
}

function addCommand(
  parent: Command,
  spec: AnyCommandSpec,
  argv: readonly string[],
  output: ProgramOutput,
  choose: (invocation: Invocation) => void,
): void {
  const command = prepare(parent.command(spec.name), output).summary(spec.summary);
  if (spec.alias !== undefined) command.alias(spec.alias);
  const named = argv.includes(spec.name) || (spec.alias !== undefined && argv.includes(spec.alias));
  if (!named) return;
  command
    .description(unwrapped(spec.description ?? `${capitalize(spec.summary)}.`))
    .usage(`${spec.operands} [options]`.trim())
    .argument("[operands...]")
    .configureHelp({ visibleArguments: () => [] });
  spec.configure(command);
  addCommonOptions(command, { hidden: false });
  command.addHelpText("after", `\nExamples:\n${spec.examples.map((line) => `  ${line}`).join("\n")}\n`);
  command.action((operands: string[]) => {
    const options = optionsOf(command);
    // --task stands for the first operand.
    const given = operands.length + (command.getOptionValue("task") === undefined ? 0 : 1);
    if (given < (spec.least ?? 0)) throw tooFewOperands(spec, parent.name());
    choose({
      command: spec.name,
      options,
      run: async (ctx) => {
        const action = await spec.load();
        return await action(ctx, operands, options as never);
      },
    });
  });
}

/** What was typed, from the root down: an option after the command wins over the same one before it. */
function optionsOf(leaf: Command): CommonOptions {
  const chain: Command[] = [];
  for (let at: Command | null = leaf; at !== null; at = at.parent) chain.unshift(at);
  const merged: Record<string, unknown> = {};
  for (const command of chain) {
    for (const [name, value] of Object.entries(command.opts())) {
      if (command.getOptionValueSource(name) === "cli") merged[name] = value;
    }
  }
  return merged;
}

const COMMON_OPTIONS = [
  ["--store <where>", "the store: a folder with a `/` in it, or s3://BUCKET"],
  ["--region <name>", "the region of the bucket"],
  ["--endpoint <url>", "another S3 server than AWS"],
  ["--profile <name>", "the AWS profile with the credentials"],
  ["--ca-file <path>", "certificates to trust, in PEM"],
  ["--json", "one JSON document on stdout"],
  ["--ndjson", "one JSON event a line on stdout"],
  ["-q, --quiet", "only errors on stderr"],
  ["--debug", "settings, causes and stack traces on stderr"],
  ["--no-color", "no colours"],
] as const;

/** They may stand before the command too; the help of the single command is where they are explained. */
function addCommonOptions(command: Command, { hidden }: { hidden: boolean }): void {
  if (!hidden) command.optionsGroup("Common options:");
  for (const [flags, text] of COMMON_OPTIONS) command.addOption(new Option(flags, text).hideHelp(hidden));
}

/** A single line break in a source is only where its line ended; the help wraps to the terminal. */
function unwrapped(text: string): string {
  return text.replaceAll(/(?<!\n)\n(?!\n)/g, " ");
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function tooFewOperands(spec: AnyCommandSpec, group: string): TaskflowError {
  const forms = spec.examples.map((line) => line).join("\n      ");
  return new TaskflowError("usage", `taskflow ${group} ${spec.name} takes ${spec.operands}`, {
    hint: spec.examples.length === 0 ? "see --help" : `for example\n      ${forms}`,
  });
}
