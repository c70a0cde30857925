/** Where everything of a folder store lies. The only module that makes paths of keys and names. */
import { createHash } from "node:crypto";
import path from "node:path";
import { TaskflowError } from "../../errors.ts";

/** The fixed places of a store. */
export interface Layout {
  /** Absolute, symlinks resolved. */
  readonly root: string;
  readonly tasks: string;
  /** `.taskflow`: everything that is not an object. */
  readonly own: string;
  readonly format: string;
  readonly staging: string;
  readonly sidecars: string;
  readonly labels: string;
  readonly trash: string;
  readonly quarantine: string;
  /** Rules; absent where the defaults hold. */
  readonly lifecycle: string;
  readonly gitignore: string;
}

/** The places of one key. */
export interface Place {
  readonly key: string;
  /** The middle of the key: a task's id. */
  readonly directory: string;
  /** The end of the key. */
  readonly base: string;
  readonly data: string;
  readonly sidecar: string;
  readonly label: string;
}

export function layoutOf(root: string): Layout {
  const own = pathFor(root, ".taskflow");
  return {
    root,
    own,
    tasks: pathFor(root, "tasks"),
    format: pathFor(own, "format"),
    staging: pathFor(own, "tmp"),
    sidecars: pathFor(own, "meta"),
    labels: pathFor(own, "class"),
    trash: pathFor(own, "trash"),
    quarantine: pathFor(own, "quarantine"),
    lifecycle: pathFor(own, "lifecycle.json"),
    gitignore: pathFor(root, ".gitignore"),
  };
}

/** `null` where a key is not `tasks/<directory>/<base>` with names that an object can have here. */
export function placeOf(layout: Layout, key: string): Place | null {
  const [first, directory, base, ...more] = key.split("/");
  if (first !== "tasks" || directory === undefined || base === undefined || more.length > 0) return null;
  if (!isObjectName(directory) || !isObjectName(base)) return null;
  return {
    key,
    directory,
    base,
    data: pathFor(layout.tasks, directory, base),
    sidecar: pathFor(layout.sidecars, directory, sidecarName(base)),
    label: pathFor(layout.labels, directory, base),
  };
}

/** Whether objects and their directories may be called so: one plain name that doesn't begin with a dot. */
export function isObjectName(name: string): boolean {
  return isPlainName(name) && !name.startsWith(".") && Buffer.byteLength(name) <= NAME_MAX;
}

/**
 * The one way from names to a path: each name is one level under the folder before it, and the result is inside.
 * Errors: `usage` for a name that is none, whoever vouched for it (CVE-2026-33195: keys were "trusted strings").
 */
export function pathFor(folder: string, ...names: string[]): string {
  const bad = names.find((name) => !isPlainName(name));
  if (bad !== undefined) throw new TaskflowError("usage", `${JSON.stringify(bad)} can't be a name in a folder store`);
  // Joined as they are: nothing in them is left to be resolved.
  return [folder, ...names].join(path.sep);
}

/** Bytes that a file name may have on Linux and macOS file systems. */
const NAME_MAX = 255;
/** The longest name to which `.json` can be added. */
const SIDECAR_NAME_MAX = 250;

function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name) && !name.includes(path.sep);
}

function sidecarName(base: string): string {
  const short = Buffer.byteLength(base) <= SIDECAR_NAME_MAX;
  return `${short ? base : createHash("sha256").update(base).digest("hex")}.json`;
}
