/** Runs `bin/taskflow` of the built dist/ as a process of its own, in a fresh folder with an empty HOME. */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { existsSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, vi } from "vitest";

export const ROOT = path.resolve(import.meta.dirname, "../..");

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A pipe with these bytes; absent: /dev/null. */
  readonly stdin?: string | Uint8Array;
  /** A pipe as stdin that the test writes to, and ends. */
  readonly openStdin?: boolean;
  /** Nobody reads stdout until the test calls `read`. */
  readonly unread?: boolean;
  /** A program and its arguments that start ours: setpriv, strace. */
  readonly through?: readonly string[];
  /** Told of with --debug, stack traces are right. */
  readonly traces?: boolean;
}

export interface Finished {
  /** `null` where a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What stderr has brought so far. */
  stderr(): string;
  /** Begins to read a stdout that was left `unread`. */
  read(): void;
  readonly finished: Promise<Finished>;
}

export interface Sandbox {
  /** The working directory: empty, but for a `.git` where looking upward ends. */
  readonly cwd: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  path(...parts: string[]): string;
  /** Starts any program. */
  launch(words: readonly string[], options?: StartOptions): Running;
  /** Starts `taskflow` with these arguments. */
  start(argv: readonly string[], options?: StartOptions): Running;
  run(argv: readonly string[], options?: StartOptions): Promise<Finished>;
  /** Runs a script of bash, with `taskflow` on its PATH. */
  bash(script: string, options?: StartOptions): Promise<Finished>;
  /** Whatever is below a folder of the working directory, but directories, in order. */
  files(folder?: string): Promise<string[]>;
}

/** No process of a test lives longer: one that hangs fails with what it said. */
const LONGEST_MS = 60_000;
// Many processes on few cores take their time; what must be quick says so itself.
vi.setConfig({ testTimeout: 2 * LONGEST_MS });

const folders: string[] = [];
const running = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

export async function createSandbox(): Promise<Sandbox> {
  if (!existsSync(path.join(ROOT, "dist/cli/bundles.cjs"))) throw new Error("not built: npm run build");
  const root = await realpath(await mkdtemp(path.join(tmpdir(), "taskflow-bin-")));
  folders.push(root);
  const cwd = path.join(root, "project");
  const home = path.join(root, "home");
  await mkdir(path.join(cwd, ".git"), { recursive: true });
  await mkdir(home);
  const env = {
    PATH: [path.join(ROOT, "bin"), path.dirname(process.execPath), "/usr/local/bin:/usr/bin:/bin"].join(":"),
    HOME: home,
    LANG: "C.UTF-8",
    TZ: "UTC",
  };
  const launch = (words: readonly string[], options: StartOptions = {}): Running =>
    startProcess([...(options.through ?? []), ...words], {
      ...options,
      cwd: options.cwd ?? cwd,
      env: { ...env, ...options.env },
    });
  const start: Sandbox["start"] = (argv, options) => launch(["taskflow", ...argv], options);
  return {
    cwd,
    home,
    env,
    launch,
    path: (...parts) => path.join(cwd, ...parts),
    start,
    run: (argv, options) => start(argv, options).finished,
    bash: (script, options) => launch(["bash", "-c", script], options).finished,
    files: async (folder = ".") => (await filesBelow(path.join(cwd, folder))).sort(),
  };
}

function startProcess(words: readonly string[], options: StartOptions): Running {
  const [command = "", ...argv] = words;
  const piped = options.stdin !== undefined || options.openStdin === true;
  const stdio: StdioOptions = [piped ? "pipe" : "ignore", "pipe", "pipe"];
  const child = spawn(command, argv, { cwd: options.cwd, env: options.env, stdio });
  running.add(child);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const read = (): void => {
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  };
  if (options.unread !== true) read();
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A process that ends before it has read all is none of the test's concern.
  child.stdin?.on("error", () => undefined);
  if (options.stdin !== undefined) child.stdin?.end(options.stdin);
  const said = (): string => Buffer.concat(stderr).toString();
  const finished = new Promise<Finished>((resolve, reject) => {
    const tooLong = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`it hangs: ${words.join(" ")}\n${said()}`));
    }, LONGEST_MS);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(tooLong);
      running.delete(child);
      const bytes = Buffer.concat(stdout);
      if (options.traces !== true && TRACE.test(said())) reject(new Error(`a stack trace was shown:\n${said()}`));
      else resolve({ status, signal, stdout: bytes.toString(), bytes, stderr: said() });
    });
  });
  return { child, pid: child.pid ?? 0, stderr: said, read, finished };
}

/** A frame of V8, Node's own last line, or our word for what nobody expected. */
const TRACE = /^\s+at .*[:(]|^Node\.js v\d|^error: unexpected:|Warning: /m;

/** None where there is no such folder. */
async function filesBelow(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** Waits for something another process does. */
export async function until(what: string, look: () => boolean): Promise<void> {
  const end = Date.now() + LONGEST_MS / 2;
  while (!look()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

/** The size of a file, 0 where there is none. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The paths of what uploads and downloads under way have in a folder. */
export function partsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith("part"))
      .map((name) => path.join(folder, name));
  } catch {
    // Not made yet.
    return [];
  }
}

/** What an upload says on success: its key. */
export function keyOf({ stdout }: Finished): string {
  return stdout.trim();
}
