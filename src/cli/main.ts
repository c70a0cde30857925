/** argv in, exit status out: the only place where errors become text and numbers. */
import { CommanderError } from "commander";
import type { Command } from "commander";
import { TaskflowError, toTaskflowError } from "../errors.ts";
import type { CommonOptions } from "./command.ts";
import { processContext } from "./context.ts";
import type { Context } from "./context.ts";
import { buildProgram, version } from "./program.ts";
import type { Program } from "./program.ts";

/** Runs one command line; never rejects, never exits the process. */
export async function main(argv: readonly string[], ctx: Context = processContext()): Promise<number> {
  try {
    return await dispatch(argv, ctx);
  } catch (error) {
    return await reportFailure(ctx, argv, toTaskflowError(error));
  }
}

async function dispatch(argv: readonly string[], ctx: Context): Promise<number> {
  if (argv[0] === "--version") return await printVersion(ctx);
  let helpText = "";
  const program = await buildProgram(argv, {
    out: (text) => {
      helpText += text;
    },
    columns: () => ctx.stdout.columns(),
  });
  if (argv[0] === "help") {
    await ctx.stdout.write(await helpOn(program, argv.slice(1), () => helpText));
    return 0;
  }
  try {
    program.root.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (asksForVersion(program)) return await printVersion(ctx);
    if (error.exitCode === 0) {
      await ctx.stdout.write(helpText);
      return 0;
    }
    throw usageError(error, program, argv);
  }
  if (asksForVersion(program)) return await printVersion(ctx);
  const invocation = program.invocation();
  if (invocation === null) throw usageError(null, program, argv);
  return await invocation.run(ctx);
}

function asksForVersion({ root }: Program): boolean {
  return root.opts<{ version?: boolean }>().version === true;
}

async function printVersion(ctx: Context): Promise<number> {
  await ctx.stdout.write(`taskflow ${version()}\n`);
  return 0;
}

async function helpOn(program: Program, argv: readonly string[], printed: () => string): Promise<string> {
  const { topics } = await import("./help-topics.ts");
  const words = argv.filter((word) => !word.startsWith("-"));
  const topic = topics.get(words.join(" "));
  if (topic !== undefined) return topic();
  const command = findCommand(program.root, words);
  if (command === null) {
    throw new TaskflowError("usage", `there is no command or topic '${words.join(" ")}'`, {
      hint: `topics: ${[...topics.keys()].join(", ")}`,
    });
  }
  command.outputHelp();
  return printed();
}

function findCommand(from: Command, words: readonly string[]): Command | null {
  let at = from;
  for (const word of words) {
    const next = at.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (next === undefined) return null;
    at = next;
  }
  return at;
}

/** commander's own words, with the help of the command that was meant as the way out. */
function usageError(error: CommanderError | null, program: Program, argv: readonly string[]): TaskflowError {
  const meant = meantCommand(program.root, argv);
  const path = pathTo(meant);
  const names = meant.commands.map((command) => command.name()).join(", ");
  if (error === null || error.code === "commander.help") {
    return new TaskflowError("usage", `${path.join(" ")} takes a command: ${names}`, {
      hint: `${path.join(" ")} --help`,
    });
  }
  const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
  return new TaskflowError("usage", message, { hint: `${path.join(" ")} --help`, cause: error });
}

/** The command that argv names, as far as it names one; what stands between are options and their values. */
function meantCommand(root: Command, argv: readonly string[]): Command {
  let meant = root;
  for (const word of typedOptions(argv)) meant = findCommand(meant, [word]) ?? meant;
  return meant;
}

function pathTo(command: Command): string[] {
  const path: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) path.unshift(at.name());
  return path;
}

/** What `--` doesn't hide. */
function typedOptions(argv: readonly string[]): readonly string[] {
  return argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
}

/** For what fails before a command has a report of its own: the words of argv must do. */
async function reportFailure(ctx: Context, argv: readonly string[], error: TaskflowError): Promise<number> {
  const typed = typedOptions(argv);
  const options: CommonOptions = {
    json: typed.includes("--json"),
    ndjson: typed.includes("--ndjson"),
    debug: typed.includes("--debug"),
    color: !typed.includes("--no-color"),
  };
  const { root } = await buildProgram(argv, { out: () => undefined, columns: () => 80 });
  const [group = "", ...rest] = pathTo(meantCommand(root, argv)).slice(1);
  // Only here: a start that goes well has the report of its command.
  const { createReport } = await import("./output/report.ts");
  const report = createReport(
    ctx,
    { json: () => ({}), line: () => null },
    {
      // As in the documents of the commands themselves: `upload`, `config list`.
      command: (group === "attach" && rest.length > 0 ? rest : [group, ...rest]).join(" "),
      json: options.json === true,
      ndjson: options.ndjson === true,
      quiet: false,
      debug: options.debug === true,
      color: options.color !== false,
      typed: {},
    },
  );
  try {
    await report.fatal(error);
    return await report.finish();
  } catch {
    // Not even the error can be written: the status is all that is left.
    return error.exit;
  }
}
