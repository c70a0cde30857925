import { defineCommand } from "../command.ts";
import type { AnyCommandSpec, CommonOptions } from "../command.ts";

export interface ConfigListOptions extends CommonOptions {
  readonly origin?: boolean;
}

const ORIGIN = ["--origin", "say where each value comes from"] as const;

export const configCommands: readonly AnyCommandSpec[] = [
  defineCommand<ConfigListOptions>({
    name: "list",
    summary: "show the settings in force",
    operands: "",
    description:
      "Show the settings in force, from options, environment, .env, the user file and defaults. Secrets are hidden.",
    examples: ["taskflow config list --origin"],
    configure: (command) => command.option(...ORIGIN),
    load: async () => (await import("../actions/config.ts")).runConfigList,
  }),
  defineCommand<ConfigListOptions>({
    name: "get",
    summary: "show one setting",
    operands: "NAME",
    least: 1,
    description: "Show one setting in force, by its name or its variable.",
    examples: ["taskflow config get max-size", "taskflow config get AWS_REGION --origin"],
    configure: (command) => command.option(...ORIGIN),
    load: async () => (await import("../actions/config.ts")).runConfigGet,
  }),
  defineCommand({
    name: "set",
    summary: "keep a setting in the user file",
    operands: "NAME VALUE",
    least: 2,
    description: "Keep a setting in the user file, for every project of this user. Secrets are refused.",
    examples: ["taskflow config set max-size 100M"],
    configure: () => undefined,
    load: async () => (await import("../actions/config.ts")).runConfigSet,
  }),
  defineCommand({
    name: "unset",
    summary: "take a setting out of the user file",
    operands: "NAME",
    least: 1,
    examples: ["taskflow config unset max-size"],
    configure: () => undefined,
    load: async () => (await import("../actions/config.ts")).runConfigUnset,
  }),
  defineCommand({
    name: "path",
    summary: "print where the user file is",
    operands: "",
    examples: ["taskflow config path"],
    configure: () => undefined,
    load: async () => (await import("../actions/config.ts")).runConfigPath,
  }),
];
