/** A command as a value: what can be typed is here and in commands/, what it then does is loaded only when it runs. */
import type { Command } from "commander";
import type { Context } from "./context.ts";

/** The options that every command takes. */
export interface CommonOptions {
  readonly store?: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly profile?: string;
  readonly caFile?: string;
  readonly json?: boolean;
  readonly ndjson?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly color?: boolean;
}

/** What an action gets: what was typed, parsed and checked by itself, but not yet against any store. */
export type Action<Options> = (ctx: Context, operands: readonly string[], options: Options) => Promise<number>;

export interface CommandSpec<Options extends CommonOptions = CommonOptions> {
  readonly name: string;
  readonly alias?: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The operands as they stand in the usage line: `TASK FILE...`. */
  readonly operands: string;
  /** The fewest operands that make sense; fewer is a usage error that shows the examples. */
  readonly least?: number;
  /** More than the summary, for the command's own help. */
  readonly description?: string;
  readonly examples: readonly string[];
  /** Declares the command's own options. */
  configure(command: Command): void;
  load(): Promise<Action<Options>>;
}

/** A command together with what was typed for it: what `program` finds in argv. */
export interface Invocation {
  /** `attach upload`, as it stands in JSON without the group. */
  readonly command: string;
  readonly options: CommonOptions;
  run(ctx: Context): Promise<number>;
}

/** Any command, its options' type forgotten: only its own action gets them back. */
export type AnyCommandSpec = Omit<CommandSpec, "load"> & { load(): Promise<Action<never>> };

/** Commands below a word of their own: `lifecycle status`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly AnyCommandSpec[];
}

export function defineGroup(group: CommandGroup): CommandGroup {
  return group;
}

export function defineCommand<Options extends CommonOptions>(spec: CommandSpec<Options>): AnyCommandSpec {
  return spec;
}
