/** What `doctor` looks at before any store: where settings come from, and what runs the program. */
import type { Settings } from "../../config/resolve.ts";
import { describeOrigin } from "../../config/s3-settings.ts";
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
  const set = entries.filter(({ origin }) => origin.source !== "default").map(({ origin }) => describeOrigin(origin));
  return ok(set.length === 0 ? "all by default" : set.join(", "));
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
