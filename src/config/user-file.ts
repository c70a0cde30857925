/**
 * The user file: what `taskflow config set` keeps for every project, never a secret. Reading it is plain JSON, because
 * every command does so; only writing loads `conf`.
 */
import path from "node:path";
import { isTaskflowError, TaskflowError } from "../errors.ts";
import { parseSetting } from "./parse-setting.ts";
import { valueOf } from "./parse-values.ts";
import { readPrivateFile } from "./read-private-file.ts";
import { nearest } from "./nearest.ts";
import { SETTING_NAMES, setting, settingNamed, type SettingName } from "./settings.ts";

export interface UserFileSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string | null;
  /** `null` on systems without numeric users. */
  readonly uid: number | null;
  readonly platform: string;
}

export interface UserFileContent {
  /** Texts, not yet parsed. */
  readonly values: ReadonlyMap<SettingName, string>;
  /** What stands in the file and is not used, and why. */
  readonly warnings: readonly string[];
}

export interface UserFile {
  /** Absolute, whether or not the file exists. */
  readonly path: string;
  /** What the file says now. `bad_config` where it is not JSON. */
  readonly all: () => UserFileContent;
  /** By name or variable; `usage` for an unknown one. */
  readonly get: (name: string) => string | null;
  /** Keeps a value: `usage` for an unknown name, a secret or a bad value; `permission` or `io` from the disk. */
  readonly set: (name: string, text: string) => Promise<void>;
  /** Whether there was something to remove. */
  readonly unset: (name: string) => Promise<boolean>;
}

/**
 * The folder for what belongs to the user: `$XDG_CONFIG_HOME/taskflow` (a relative one is ignored, as XDG asks), else
 * `~/.config/taskflow`; on Windows `%APPDATA%/taskflow`. `null` where there is no HOME either.
 */
export function userFolder({ env, home, platform }: Omit<UserFileSurroundings, "uid">): string | null {
  const named = platform === "win32" ? env["APPDATA"] : env["XDG_CONFIG_HOME"];
  if (named !== undefined && path.isAbsolute(named)) return path.join(named, "taskflow");
  if (home === null || home === "") return null;
  return path.join(home, ...(platform === "win32" ? ["AppData", "Roaming"] : [".config"]), "taskflow");
}

/** Where the user file is or would be. */
export function userFilePath(around: Omit<UserFileSurroundings, "uid">): string | null {
  const folder = userFolder(around);
  return folder === null ? null : path.join(folder, "config.json");
}

/** The user file, for `taskflow config`. `bad_config` where there is no place for one. */
export function openUserFile(around: UserFileSurroundings): UserFile {
  const file = userFilePath(around);
  if (file === null) {
    throw new TaskflowError("bad_config", "there is no folder for the user file", {
      hint: "set HOME or XDG_CONFIG_HOME",
    });
  }
  const all = (): UserFileContent => readUserFile(file, around.uid);
  const write = async (key: string, text: string | null): Promise<void> => {
    const { writeUserFile } = await import("./write-user-file.ts");
    try {
      await writeUserFile(file, key, text);
    } catch (error) {
      throw writeError(error, file);
    }
  };
  return {
    path: file,
    all,
    get: (name) => all().values.get(settingNamed(name)) ?? null,
    async set(name, text) {
      const known = settingNamed(name);
      refuseSecret(known);
      valueOf(text, (value) => parseSetting(known, value, { folder: null, home: around.home }), {
        name: known,
        place: null,
        secret: false,
      });
      // Nothing is written over a file that can't be read.
      readObject(file, around.uid);
      await write(known, text);
    },
    async unset(name) {
      const content = readObject(file, around.uid);
      // What the file must not hold, or does not know, can be removed too.
      const key = Object.hasOwn(content, name) ? name : settingNamed(name);
      if (!Object.hasOwn(content, key)) return false;
      await write(key, null);
      return true;
    },
  };
}

/** What the user file says: nothing where there is none. `bad_config` where it is no JSON object of texts. */
export function readUserFile(file: string, uid: number | null): UserFileContent {
  const found = readPrivateFile(file, uid);
  if (found === null) return { values: new Map(), warnings: [] };
  if ("refused" in found) return { values: new Map(), warnings: [found.refused] };
  const values = new Map<SettingName, string>();
  const warnings: string[] = [];
  for (const [key, value] of Object.entries(parseObject(found.text, file))) {
    const name = SETTING_NAMES.find((each) => each === key);
    if (name === undefined) {
      const near = nearest(key, SETTING_NAMES);
      warnings.push(`${file}: no setting ${JSON.stringify(key)}${near === null ? "" : `, did you mean ${near}?`}`);
    } else if (!setting(name).userFile) {
      warnings.push(`${file}: ${name} is not read from it; set ${setting(name).variables[0]} in the environment`);
    } else {
      values.set(name, asText(value, name, file));
    }
  }
  return { values, warnings };
}

/** The file as it stands; `permission` where it is not to be trusted. */
function readObject(file: string, uid: number | null): object {
  const found = readPrivateFile(file, uid);
  if (found === null) return {};
  if ("refused" in found) throw new TaskflowError("permission", found.refused);
  return parseObject(found.text, file);
}

function parseObject(text: string, file: string): object {
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw notReadable(file, "it is not JSON", error);
  }
  if (typeof content === "object" && content !== null && !Array.isArray(content)) return content;
  throw notReadable(file, "it is not a JSON object");
}

/** People who edit the file write `true`, 10 and lists as JSON has them. */
function asText(value: unknown, name: SettingName, file: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value.join(",");
  throw notReadable(file, `${name} is neither text nor a number, true or false`);
}

function notReadable(file: string, reason: string, cause?: unknown): TaskflowError {
  return new TaskflowError("bad_config", `cannot read ${file}: ${reason}`, {
    hint: "correct the file, or remove it",
    ...(cause === undefined ? {} : { cause }),
  });
}

function refuseSecret(name: SettingName): void {
  const { userFile, variables, group } = setting(name);
  if (userFile) return;
  const hint = `set ${variables[0]} in the environment`;
  throw new TaskflowError("usage", `${name} is not kept in the user file, which holds no secrets`, {
    hint: group === "credentials" ? "keep the keys in a profile (aws configure), and set profile" : hint,
  });
}

function writeError(error: unknown, file: string): TaskflowError {
  if (isTaskflowError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new TaskflowError(denied ? "permission" : "io", `cannot write ${file}: ${message}`, { cause: error });
}
