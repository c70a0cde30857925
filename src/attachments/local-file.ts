/** Files of a download on this machine: where one goes, and how it is put there whole or not at all. */
import { constants } from "node:fs";
import { link, lstat, mkdir, open, realpath, rename, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { constants as system } from "node:os";
import path from "node:path";
import { TaskflowError } from "../errors.ts";
import type { IfExists } from "./if-exists.ts";
import { safeName } from "./name.ts";

export interface FilePlace {
  /** Absolute: the file itself, or the folder that gets the attachment under its own name. */
  readonly file?: string;
  readonly folder?: string;
  /** Told apart from an attachment of the same name in the same run by a suffix. */
  readonly suffix?: string;
}

/** Where the file goes: cleaned, with the relative path of `upload -r`, inside the folder only. */
export async function targetOf(name: string, options: FilePlace): Promise<string> {
  if (options.file !== undefined) return options.file;
  const folder = options.folder ?? ".";
  const segments = name
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .map((segment) => (segment === ".." ? "_" : safeName(segment)));
  const base = withSuffix(segments.pop() ?? "_", options.suffix);
  return path.join(await makeInside(folder, segments), base);
}

/** Makes the folders one by one: a link among them could lead out of the one that was asked for. */
async function makeInside(folder: string, segments: readonly string[]): Promise<string> {
  let parent = folder;
  try {
    await mkdir(folder, { recursive: true });
    const root = await realpath(folder);
    for (const segment of segments) {
      parent = path.join(parent, segment);
      await mkdir(parent).catch(unlessThere);
      const inside = path.relative(root, await realpath(parent));
      if (inside === ".." || inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside)) {
        throw new TaskflowError("permission", `${parent} leads out of ${folder}`, { hint: "take the link away" });
      }
    }
  } catch (error) {
    throw fileError(error, parent);
  }
  return parent;
}

function unlessThere(error: unknown): void {
  if (codeOf(error) !== "EEXIST") throw error;
}

function withSuffix(base: string, suffix: string | undefined): string {
  if (suffix === undefined) return base;
  const { name, ext } = path.parse(base);
  return `${name}-${suffix}${ext}`;
}

/** Puts the part under its name; `null` where something is there and that is to be left alone. */
export async function publish(part: string, target: string, ifExists: IfExists): Promise<string | null> {
  if (ifExists === "overwrite") {
    await rename(part, target);
    return target;
  }
  for (let number = 1; ; number += 1) {
    const base = path.basename(target);
    const at = path.join(path.dirname(target), number === 1 ? base : withSuffix(base, String(number)));
    if (await linkOrRename(part, at)) return at;
    if (ifExists === "skip") return null;
    if (ifExists === "fail") throw alreadyThere(target);
  }
}

/** link can't overwrite; where a file system has none, look first and rename. */
async function linkOrRename(part: string, target: string): Promise<boolean> {
  try {
    await link(part, target);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
  }
  if (await isThere(target)) return false;
  await rename(part, target);
  return true;
}

export async function createFile(part: string): Promise<FileHandle> {
  try {
    return await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
  } catch (error) {
    throw fileError(error, path.dirname(part));
  }
}

export async function writeAll(file: FileHandle, chunk: Uint8Array, position: number, target: string): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    if (bytesWritten === 0) throw new TaskflowError("io", `cannot write ${target}: nothing is taken`);
    written += bytesWritten;
  }
}

export async function isThere(target: string): Promise<boolean> {
  try {
    await lstat(target);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw fileError(error, target);
  }
}

/**
 * `usage` for what is there and no regular file, through links too: putting a file in its place would take a device,
 * a pipe or a socket away (`-o /dev/null` as root).
 */
export async function refuseSpecial(target: string): Promise<void> {
  const found = await stat(target).catch((error: unknown) => {
    if (["ENOENT", "ELOOP", "ENOTDIR"].includes(codeOf(error))) return null;
    throw fileError(error, target);
  });
  if (found === null || found.isFile() || found.isDirectory()) return;
  throw new TaskflowError("usage", `${target} is not a regular file`, {
    hint: `-o - writes to stdout: … -o - > ${target}`,
  });
}

const NO_ROOM = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EFBIG: "larger than the file system or `ulimit -f` allows",
  EROFS: "the file system is read-only",
} as const;

export function fileError(error: unknown, target: string): unknown {
  const code = codeOf(error);
  const options = { cause: error };
  switch (code) {
    case "EACCES":
    case "EPERM":
      return new TaskflowError("permission", `cannot write ${target}: permission denied`, options);
    case "ENOENT":
      return new TaskflowError("not_found", `cannot write ${target}: there is no such folder`, {
        ...options,
        hint: "end -o with a / to have the folder made",
      });
    case "ENOTDIR":
    case "EEXIST":
      return new TaskflowError("exists", `cannot write ${target}: there is a file in the way`, options);
    case "EISDIR":
      return new TaskflowError("exists", `cannot write ${target}: it is a folder`, options);
    case "ENAMETOOLONG":
      return new TaskflowError("usage", `cannot write ${target}: the path is too long`, { ...options, hint: null });
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
    case "EROFS":
      return new TaskflowError("io", `cannot write ${target}: ${NO_ROOM[code]}`, {
        ...options,
        hint: "free some space, or name another place with -o",
      });
    case "":
      return error;
    default:
      return new TaskflowError("io", `cannot write ${target}: ${code}`, options);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof TaskflowError || typeof error !== "object" || error === null) return "";
  const { code, errno } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  // Node has no name for this one.
  return errno === -system.errno.EDQUOT ? "EDQUOT" : "";
}

export function alreadyThere(target: string): TaskflowError {
  return new TaskflowError("exists", `${target} is there already`, {
    hint: "--if-exists skip, rename or overwrite",
  });
}
