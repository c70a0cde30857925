/** Where settings come from: each source answers with a text and where it stands, or with nothing. */
import path from "node:path";
import type { Dotenv } from "./dotenv.ts";
import type { Given } from "./parse-values.ts";
import { setting, type SettingName } from "./settings.ts";
import type { UserFileContent } from "./user-file.ts";

export type SettingSource = "flag" | "environment" | ".env" | "user file" | "default";

export interface Origin {
  readonly source: SettingSource;
  /** The option or variable it was given by, the setting's name in the user file; unset: its first variable. */
  readonly name: string;
  /** For "NAME=value in …": `the command line`, `the environment`, `/abs/.env line 2`, `/abs/config.json`, `default`. */
  readonly text: string;
  /** What a relative path in it is relative to; `null`: relative paths are refused. */
  readonly folder: string | null;
}

export interface Found {
  readonly text: string;
  readonly origin: Origin;
}

export type Source = (name: SettingName) => Found | null;

export function flagSource(flags: Readonly<Partial<Record<SettingName, string>>>, cwd: string): Source {
  return (name) => {
    const text = flags[name];
    if (text === undefined) return null;
    return {
      text,
      origin: { source: "flag", name: setting(name).flag ?? name, text: "the command line", folder: cwd },
    };
  };
}

/** An empty variable counts as unset: CI systems set those of a missing secret so. Lower sources then count. */
export function environmentSource(env: Readonly<Record<string, string | undefined>>, cwd: string): Source {
  return (name) => {
    const variable = setting(name).variables.find((each) => (env[each] ?? "") !== "");
    const text = variable === undefined ? undefined : env[variable];
    if (variable === undefined || text === undefined) return null;
    return { text, origin: { source: "environment", name: variable, text: "the environment", folder: cwd } };
  };
}

export function dotenvSource({ path: file, variables }: Dotenv): Source {
  return (name) => {
    const variable = setting(name).variables.find((each) => (variables.get(each)?.value ?? "") !== "");
    const found = variable === undefined ? undefined : variables.get(variable);
    if (file === null || variable === undefined || found === undefined) return null;
    const text = `${file} line ${found.line}`;
    return { text: found.value, origin: { source: ".env", name: variable, text, folder: path.dirname(file) } };
  };
}

export function userFileSource(file: string | null, { values }: UserFileContent): Source {
  return (name) => {
    const text = values.get(name);
    if (text === undefined || file === null) return null;
    return { text, origin: { source: "user file", name, text: file, folder: null } };
  };
}

/** A session token alone makes no group: it would be mixed with the keys of another source. */
export function holdsKeys(source: Source): boolean {
  return source("access-key-id") !== null || source("secret-access-key") !== null;
}

/** For messages about a value. */
export function givenBy(name: SettingName, origin: Origin): Given {
  const place = origin.source === "flag" ? null : origin.text;
  return { name: origin.name, place, secret: setting(name).secret };
}
