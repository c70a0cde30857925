/**
 * Everything a command may touch of the world, as one value: tests hand in their own. `processContext` is the only
 * reader of `process` beside the bin and the loader of bundles.
 */
import { readFileSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import type { Writable } from "node:stream";
import { TaskflowError, toTaskflowError } from "../errors.ts";
import { isForegroundJob } from "./foreground.ts";
import { forPeople, inputChunks, outputStream } from "./streams.ts";
import type { InputStream, OutputStream } from "./streams.ts";

export interface Context {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** The stream itself, for libraries that draw on it (progress). */
  readonly stderrStream: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `null` where the environment knows none. */
  readonly home: string | null;
  /** `null` on systems without numeric users. */
  readonly uid: number | null;
  readonly platform: string;
  /** Of Node: `22.14.0`. */
  readonly nodeVersion: string;
  /** The login name, or `null`. */
  loginName(): string | null;
  now(): Date;
  uuid(): string;
  /** Which process this is: of which machine, and of which start of that. */
  self(): ProcessIdentity;
  /** Whether a process of this machine lives. */
  isAlive(pid: number): boolean;
  /** Aborted, with an `interrupted` error, by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** From now on signals go to `take` instead of aborting `signal`. */
  takeSignals(take: (received: ReceivedSignal) => void): void;
}

export interface ProcessIdentity {
  readonly host: string;
  /** Empty where the system doesn't tell one start from another. */
  readonly boot: string;
  readonly pid: number;
}

export type SignalName = "SIGHUP" | "SIGINT" | "SIGTERM";

export interface ReceivedSignal {
  readonly name: SignalName;
  /** The terminal sent it, most likely, and to the whole job: what this process started has it too. */
  readonly fromTerminal: boolean;
  /** Ends the process at once, with the status that stands for the signal. */
  leave(): void;
}

/** Whether a CI system runs this: then nobody answers, and nothing may move on the screen. */
export function inCi({ env: { CI } }: Pick<Context, "env">): boolean {
  return CI !== undefined && CI !== "" && CI !== "false";
}

const SIGNALS: Readonly<Record<SignalName, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** timeout(1), npm and make pass on what the terminal sends us as well: so close together, two signals are one. */
export const ONE_SIGNAL_MS = 200;

/**
 * The real world. Installs the signal handlers: the first signal stops cleanly, a second one leaves at once. What
 * nobody caught stops as cleanly as a signal does, as the fault of ours that it is.
 */
export function processContext(): Context {
  const { signal, takeSignals } = signalsOfProcess();
  return {
    stdin: {
      get isTerminal() {
        return process.stdin.isTTY;
      },
      chunks: () => inputChunks(process.stdin, signal),
    },
    stdout: outputStream(process.stdout, signal),
    stderr: forPeople(outputStream(process.stderr, signal)),
    stderrStream: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    home: process.env.HOME ?? knownOrNull(homedir),
    uid: process.getuid?.() ?? null,
    platform: process.platform,
    nodeVersion: process.versions.node,
    loginName: () => knownOrNull(() => userInfo().username),
    now: () => new Date(),
    // Not imported: a start that makes no id would pay a tenth more for node:crypto.
    uuid: () => process.getBuiltinModule("node:crypto").randomUUID(),
    self: () => ({ host: hostname(), boot: knownOrNull(bootId) ?? "", pid: process.pid }),
    isAlive,
    signal,
    takeSignals,
  };
}

function signalsOfProcess(): Pick<Context, "signal" | "takeSignals"> {
  const controller = new AbortController();
  let taker: ((received: ReceivedSignal) => void) | null = null;
  let first = 0;
  for (const [name, exit] of Object.entries(SIGNALS) as [SignalName, number][]) {
    process.on(name, () => {
      if (taker !== null) {
        const fromTerminal = name !== "SIGTERM" && isForegroundJob(process.pid);
        taker({ name, fromTerminal, leave: () => process.exit(exit) });
        return;
      }
      if (!controller.signal.aborted) {
        first = performance.now();
        controller.abort(new TaskflowError("interrupted", `interrupted by ${name}`, { exit }));
        return;
      }
      if (performance.now() - first < ONE_SIGNAL_MS) return;
      // A hidden cursor comes back at an `exit`. Not process.exit: it waits for what the thread pool has under way.
      process.emit("exit", exit);
      process.removeAllListeners(name);
      process.kill(process.pid, name);
    });
  }
  process.on("uncaughtException", (error) => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(toTaskflowError(error));
  });
  return {
    signal: controller.signal,
    takeSignals(take) {
      taker = take;
    },
  };
}

/** Linux has it; elsewhere a process that is gone is told by its id alone. */
function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function knownOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    // os throws a SystemError where the user has no entry, as in many containers.
    return null;
  }
}
