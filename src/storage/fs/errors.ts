/** What the operating system says, in our words. */
import { constants } from "node:os";
import { TaskflowError, isTaskflowError, toTaskflowError } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";

/** The name of a system error, as `ENOENT`; `null` for anything else. */
export function errnoName(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  // Node has no name for some (EDQUOT: `Unknown system error -122`), but gives the number.
  return typeof errno === "number" ? (NAMES.get(Math.abs(errno)) ?? null) : null;
}

export function isErrno(error: unknown, ...names: string[]): boolean {
  const name = errnoName(error);
  return name !== null && names.includes(name);
}

/** Runs `work`; what it rejects with becomes a TaskflowError that says `cannot <act>: <why> (<path>)`. */
export async function translated<T>(act: string, where: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asTaskflowError(error, act, where);
  }
}

/** As `translated`, of what is iterated. */
export async function* translatedEach<T>(
  act: string,
  where: string,
  work: () => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* work();
  } catch (error) {
    throw asTaskflowError(error, act, where);
  }
}

/** `where` is named when the error itself doesn't tell its path. */
export function asTaskflowError(error: unknown, act: string, where: string): TaskflowError {
  if (isTaskflowError(error)) return error;
  const name = errnoName(error);
  if (name === null) return toTaskflowError(error);
  const { path, syscall } = error as { path?: unknown; syscall?: unknown };
  const at = typeof path === "string" ? path : where;
  const { code, why, hint } = MEANINGS[name] ?? { code: "io", why: `the system says ${name}` };
  return new TaskflowError(code, `cannot ${act}: ${why} (${at})`, {
    ...(hint === undefined ? {} : { hint }),
    context: { errno: name, syscall: typeof syscall === "string" ? syscall : null, path: at },
    cause: error,
  });
}

/** For a level of the store that is something else than a directory: symlinks would lead outside. */
export function notADirectory(path: string, isLink: boolean): TaskflowError {
  const what = isLink ? "a symbolic link" : "not a directory";
  return new TaskflowError("bad_config", `${path} is ${what}; a store has plain directories there`, {
    hint: isLink ? "replace the link by the directory itself" : "move it elsewhere",
    context: { path },
  });
}

interface Meaning {
  readonly code: ErrorCode;
  readonly why: string;
  readonly hint?: string;
}

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

const MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: { code: "permission", why: "permission denied" },
  EPERM: { code: "permission", why: "operation not permitted" },
  EROFS: { code: "io", why: "the file system is read-only", hint: "mount it writable, or name another store" },
  ENOSPC: { code: "io", why: "disk full", hint: "make room (also for inodes: df -i), then run the same command again" },
  EDQUOT: { code: "io", why: "quota exceeded", hint: "make room in your quota, then run the same command again" },
  EFBIG: { code: "io", why: "larger than the file system or `ulimit -f` allows", hint: "raise ulimit -f" },
  EMFILE: { code: "io", why: "too many open files", hint: "raise ulimit -n" },
  ENFILE: { code: "io", why: "too many open files on this machine" },
  EIO: { code: "io", why: "I/O error", hint: "look at the system's log: the disk may be failing" },
  EXDEV: {
    code: "io",
    why: "tasks and .taskflow are on different file systems",
    hint: "a store must be on one file system: unmount what is mounted inside it",
  },
  ENAMETOOLONG: { code: "usage", why: "the name is too long for the file system" },
  ELOOP: { code: "bad_config", why: "a symbolic link is in the way" },
  ENOTDIR: { code: "bad_config", why: "a file is where a directory should be" },
  ENOENT: { code: "io", why: "something of the store vanished meanwhile" },
  EBUSY: { code: "io", why: "in use" },
  ESTALE: { code: "io", why: "the network file system lost it" },
  ETIMEDOUT: { code: "io", why: "the network file system doesn't answer" },
};
