/** What `doctor` looks at before any store: where settings come from, and what runs the program. */
import type { SettingEntry, Settings } from "../../config/resolve.ts";
import { TaskflowError, isTaskflowError } from "../../errors.ts";
import { ok, warn } from "../../storage/check.ts";
import type { Check, Finding } from "../../storage/check.ts";
import { setting } from "../../config/settings.ts";
import type { Context } from "../context.ts";

export function ownChecks({ nodeVersion }: Context, settings: Settings): readonly Check[] {
  return [
    { id: "node", run: () => checkNode(nodeVersion) },
    { id: "settings", run: () => checkSettings(settings) },
  ];
}

/** The AWS SDK says so itself, in seven lines on stderr, where it isn't told not to. */
function checkNode(version: string): Finding {
  if (Number.parseInt(version, 10) >= 22) return ok(`Node ${version}`);
  return warn(
    `Node ${version}: versions of the AWS SDK from January 2027 on need Node 22`,
    "use Node 22 or newer before taskflow takes such a version",
  );
}

/** Errors: as the first bad value's. */
function checkSettings(settings: Settings): Finding {
  const entries = settings.entries();
  const bad = entries.filter(({ problem }) => problem !== null);
  const [first] = bad;
  if (first !== undefined) failWith(settings, first.name, bad.length - 1);
  if (settings.warnings.length > 0)
    return warn(settings.warnings.join("; "), "taskflow config list --origin shows what is in force");
  return ok(originsOf(entries));
}

/** `USE_S3, AWS_S3_BUCKET in the environment; AWS_REGION in /abs/.env line 3` */
function originsOf(entries: readonly SettingEntry[]): string {
  const names = new Map<string, string[]>();
  for (const { origin } of entries) {
    if (origin.source !== "default") names.set(origin.text, [...(names.get(origin.text) ?? []), origin.name]);
  }
  const told = [...names].map(([place, those]) => `${those.join(", ")} in ${place}`);
  return told.length === 0
    ? "all by default"
    : told.join("; ").replaceAll("in the command line", "on the command line");
}

function failWith(settings: Settings, name: Parameters<Settings["get"]>[0], others: number): never {
  try {
    settings.get(name);
  } catch (error) {
    if (!isTaskflowError(error) || others === 0) throw error;
    throw new TaskflowError(error.code, `${error.message}; and ${others} more`, { hint: error.hint, cause: error });
  }
  throw new TaskflowError("internal", `${setting(name).variables[0]} is bad, and yet it can be read`);
}
