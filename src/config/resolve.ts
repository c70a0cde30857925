/**
 * Settings from every source, highest first: options, environment, `.env`, user file, defaults. The files are read at
 * once; a value is parsed when it is asked for, so that a bad one stops only the commands that need it.
 */
import path from "node:path";
import { credentialsOf, strangeEndpoint, type Credentials, type SettingValues } from "./credentials.ts";
import { readDotenv } from "./dotenv.ts";
import { parseSetting } from "./parse-setting.ts";
import { bad, printable, valueOf, type Parser } from "./parse-values.ts";
import { setting, SETTING_NAMES, type SettingName, type SettingValue } from "./settings.ts";
import {
  dotenvSource,
  environmentSource,
  flagSource,
  givenBy,
  holdsKeys,
  userFileSource,
  type Origin,
  type Source,
} from "./sources.ts";
import { unusedVariables } from "./unused-variables.ts";
import { readUserFile, userFilePath, type UserFileContent } from "./user-file.ts";

/** A row of `config list --origin`. */
export interface SettingEntry {
  readonly name: SettingName;
  /** As it was written; `[hidden]` for a secret, `null` where unset. */
  readonly value: string | null;
  readonly origin: Origin;
  /** What is wrong with the value; asking for it would be an error. */
  readonly problem: string | null;
}

export interface Settings extends SettingValues {
  /** Every setting of the table, in its order. */
  readonly entries: () => readonly SettingEntry[];
  /** The text of every setting that is secret and set: what must not be printed. */
  readonly secrets: () => readonly string[];
  /** `--profile`, else keys, else `AWS_PROFILE`, as aws has it. `no_credentials` where half of the keys is set. */
  readonly credentials: () => Credentials;
  /** What was found and not used, a line each. */
  readonly warnings: readonly string[];
  /** Why the nearest `.env` was left out, where it was: what it says of the store is then unknown. */
  readonly refusedDotenv: string | null;
}

export interface SettingsInput {
  readonly flags: Readonly<Partial<Record<SettingName, string>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string | null;
  /** `null` on systems without numeric users. */
  readonly uid: number | null;
  readonly platform: string;
}

/** Reads `.env` and the user file. `bad_config` where the user file is corrupt; a `.env` that can't be used warns. */
export async function resolveSettings(input: SettingsInput): Promise<Settings> {
  const dotenv = readDotenv(input.cwd, input.home, input.uid);
  const userFile = userFilePath(input);
  const kept: UserFileContent =
    userFile === null ? { values: new Map(), warnings: [] } : readUserFile(userFile, input.uid);
  const sources = [
    flagSource(input.flags, input.cwd),
    environmentSource(input.env, input.cwd),
    dotenvSource(dotenv),
    userFileSource(userFile, kept),
  ];
  return settingsFrom(sources, {
    home: input.home,
    defaultsFolder: userFile === null ? null : path.dirname(userFile),
    warnings: [...dotenv.warnings, ...unusedVariables(input.env, dotenv), ...kept.warnings],
    refusedDotenv: dotenv.refused,
  });
}

function settingsFrom(
  sources: readonly Source[],
  known: {
    home: string | null;
    defaultsFolder: string | null;
    warnings: readonly string[];
    refusedDotenv: string | null;
  },
): Settings {
  const find: Source = (name) => {
    const source = setting(name).group === "credentials" ? sources.find(holdsKeys) : null;
    const asked = source === null ? sources : source === undefined ? [] : [source];
    for (const each of asked) {
      const found = each(name);
      if (found !== null) return found;
    }
    const text = setting(name).default;
    return text === null ? null : { text, origin: defaultOrigin(name) };
  };
  const defaultOrigin = (name: SettingName): Origin => ({
    source: "default",
    name: setting(name).variables[0],
    text: "default",
    folder: known.defaultsFolder,
  });
  const parserOf =
    <N extends SettingName>(name: N, origin: Origin): Parser<SettingValue<N>> =>
    (text) => {
      if (origin.source === "default" && origin.folder === null && setting(name).type === "path") {
        return bad("there is no folder for it", `set ${origin.name}, HOME or XDG_CONFIG_HOME`);
      }
      const parsed = parseSetting(name, text, { folder: origin.folder, home: known.home });
      if (name !== "endpoint" || !parsed.ok || typeof parsed.value !== "string") return parsed;
      return strangeEndpoint(settings, parsed.value, origin) ?? parsed;
    };
  const entry = (name: SettingName): SettingEntry => {
    const found = find(name);
    if (found === null) return { name, value: null, origin: defaultOrigin(name), problem: null };
    const { text, origin } = found;
    const parsed = parserOf(name, origin)(text);
    const problem = parsed.ok ? null : parsed.reason;
    return { name, value: setting(name).secret ? "[hidden]" : printable(text), origin, problem };
  };
  const settings: Settings = {
    warnings: known.warnings,
    refusedDotenv: known.refusedDotenv,
    get<N extends SettingName>(name: N) {
      const found = find(name);
      if (found === null) return null as SettingValue<N>;
      return valueOf(found.text, parserOf(name, found.origin), givenBy(name, found.origin));
    },
    origin: (name) => find(name)?.origin ?? defaultOrigin(name),
    entries: () => SETTING_NAMES.map(entry),
    secrets: () => SETTING_NAMES.filter((name) => setting(name).secret).flatMap((name) => find(name)?.text ?? []),
    credentials: () => credentialsOf(settings),
  };
  return settings;
}
