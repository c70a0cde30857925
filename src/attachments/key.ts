/** Keys of attachments: written strictly as `tasks/<task>/<uuid>_<name>`, read liberally. */
import { hash } from "node:crypto";
import { TaskflowError } from "../errors.ts";
import { cleanName } from "./name.ts";
import { isTask, parseTask } from "./task.ts";

/** What a key tells of an attachment without asking the store. */
export interface KeyParts {
  readonly task: string;
  /** As spelled in the key, or made from it; compared without regard to case. Not unique in foreign keys. */
  readonly id: string;
  /** The name in the key: through `cleanName` if it is ours, anything but `/` if it is not. Never empty. */
  readonly name: string;
  /** What follows `tasks/<task>/`. */
  readonly base: string;
}

/**
 * The key for a new attachment.
 *
 * @throws `usage` for a task or a name that `parseTask` or `cleanName` refuses; `internal` where `uuid` is none.
 */
export function makeKey(task: string, uuid: string, trueName: string): string {
  if (!isUuid(uuid)) throw new TaskflowError("internal", `not a UUID: ${JSON.stringify(uuid)}`);
  return `${taskPrefix(task)}${uuid.toLowerCase()}_${cleanName(trueName)}`;
}

/**
 * The parts of a key, whoever wrote it; `null` where it is no attachment's: not directly under `tasks/<task>/`, a name
 * that begins with a dot, or a task folder that is no task id of ours (nothing could name it, so nothing shows it).
 *
 * The id is the part before the first `_` where that is a UUID or six and more hex digits, else the first 8 hex digits
 * of the SHA-256 of the key. The name is the rest; of a key that ends with that `_`, all of the base.
 */
export function parseKey(key: string): KeyParts | null {
  if (!key.startsWith("tasks/")) return null;
  const slash = key.indexOf("/", 6);
  if (slash === -1 || key.indexOf("/", slash + 1) !== -1) return null;
  const base = key.slice(slash + 1);
  const task = key.slice(6, slash);
  if (base === "" || base.startsWith(".") || !isTask(task)) return null;
  const underscore = base.indexOf("_");
  const id = underscore < 6 ? "" : base.slice(0, underscore);
  if (!isId(id)) return { task, id: hash("sha256", key).slice(0, 8), name: base, base };
  return { task, id, name: underscore === base.length - 1 ? base : base.slice(underscore + 1), base };
}

/**
 * What all keys of a task begin with.
 *
 * @throws `usage` as `parseTask`.
 */
export function taskPrefix(task: string): string {
  return `tasks/${parseTask(task)}/`;
}

/** Whether a text is a UUID of any version, in either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX_ID = /^[0-9a-f]{6,}$/i;

function isId(text: string): boolean {
  return HEX_ID.test(text) || UUID.test(text);
}
