/** Running a program under strace: what it asks of the system, and killing it, or lying to it, before a given call. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";

/** One system call, in the order in which they began. */
export interface Call {
  /** `main`, or the one thread of libuv's pool. */
  readonly thread: "main" | "pool";
  readonly name: string;
  /** Counted from 1, for this thread and this system call: what strace's `when` counts. */
  readonly ordinal: number;
  /** The arguments, with the paths of descriptors. */
  readonly text: string;
}

export interface Traced {
  readonly calls: readonly Call[];
  readonly stdout: string;
  readonly stderr: string;
  /** As a shell tells it: 137 for a SIGKILL. */
  readonly status: number;
  /** Lines where strace says that it interfered. */
  readonly injected: readonly string[];
}

export interface Injection {
  readonly call: string;
  /** As strace takes it: `signal=KILL`, `error=EIO`, `retval=4096`. */
  readonly fault: string;
  readonly when: number | string;
}

export interface TraceOptions {
  readonly calls?: readonly string[];
  readonly injection?: Injection;
  readonly env?: NodeJS.ProcessEnv;
}

/** Every call that takes a path or a descriptor and that Node makes for a file. */
export const FILE_CALLS = [
  ["openat", "close", "read", "pread64", "write", "pwrite64", "writev", "pwritev", "getdents64", "lseek", "ftruncate"],
  ["statx", "newfstatat", "fstat", "lstat", "stat", "access", "faccessat2", "readlink", "readlinkat", "fstatfs"],
  ["mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "link", "linkat", "symlink", "rename", "renameat", "renameat2"],
  ["fsync", "fdatasync", "fchmod", "chmod", "fchmodat", "utimensat", "futimesat", "fchown", "copy_file_range", "ioctl"],
].flat();

/**
 * Runs a program, tracing these calls. One thread in libuv's pool and no io_uring, so that the calls of a run are those
 * of the run before.
 */
export async function trace(
  program: readonly string[],
  log: string,
  { calls = FILE_CALLS, injection, env = {} }: TraceOptions = {},
): Promise<Traced> {
  const inject =
    injection === undefined ? [] : ["-e", `inject=${injection.call}:${injection.fault}:when=${injection.when}`];
  // With this filter strace 6.1 never counts beyond 1, and an injection at the second call silently doesn't happen.
  const quick = injection === undefined ? ["--seccomp-bpf"] : [];
  const args = ["-f", "-y", ...quick, "-s", "16", "-e", `trace=${calls.join(",")}`, ...inject, "-o", log];
  const { stdout, stderr, status } = await run("strace", [...args, ...program], {
    ...env,
    UV_THREADPOOL_SIZE: "1",
    UV_USE_IO_URING: "0",
  });
  const lines = (await readFile(log, "utf8")).split("\n");
  return {
    calls: parse(lines),
    stdout,
    stderr,
    status,
    injected: lines.filter((line) => line.includes("(INJECTED)")),
  };
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (data: Buffer) => (output.stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output.stderr += data.toString()));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ...output, status: code ?? (signal === "SIGKILL" ? 137 : 1) }));
  });
}

/** The call before which a signal with this `when` arrives: the first that is the n-th of its kind in its thread. */
export function firstToReach(calls: readonly Call[], name: string, when: number): Call | undefined {
  return calls.find((call) => call.name === name && call.ordinal === when);
}

const BEGIN = /^(\d+)\s+([a-z_0-9]+)\((.*)$/;
const END = /^(\d+)\s+<\.\.\. [a-z_0-9]+ resumed>(.*)$/;
const UNFINISHED = " <unfinished ...>";

/**
 * The thread of the first line is the main one, and only one other opens files. A call that another thread came in
 * between is told on two lines: its text is both of them, for only the second one has the result.
 */
function parse(lines: readonly string[]): Call[] {
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  const unfinished = new Map<string, number>();
  let main: string | undefined;
  for (const line of lines) {
    const [, resumed = "", rest = ""] = END.exec(line) ?? [];
    const at = unfinished.get(resumed);
    const begun = at === undefined ? undefined : calls[at];
    if (at !== undefined && begun !== undefined) calls[at] = { ...begun, text: begun.text + rest };
    unfinished.delete(resumed);
    const [, thread, name, text] = BEGIN.exec(line) ?? [];
    if (thread === undefined || name === undefined || text === undefined) continue;
    main ??= thread;
    const ordinal = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, ordinal);
    if (text.endsWith(UNFINISHED)) unfinished.set(thread, calls.length);
    const whole = text.endsWith(UNFINISHED) ? text.slice(0, -UNFINISHED.length) : text;
    calls.push({ thread: thread === main ? "main" : "pool", name, ordinal, text: whole });
  }
  return calls;
}
