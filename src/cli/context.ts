/**
 * Everything a command may touch of the world, as one value: tests hand in their own. `processContext` is the only
 * reader of `process` beside the bin.
 */
import { readFileSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import type { Readable, Writable } from "node:stream";
import { TaskflowError, toTaskflowError } from "../errors.ts";
import { unlessAborted } from "../storage/abortable.ts";
import { isForegroundJob } from "./foreground.ts";

export interface InputStream {
  readonly isTerminal: boolean;
  /** Waiting for them ends when the signal is aborted, with its reason. Leaving the loop closes the stream. */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface OutputStream {
  readonly isTerminal: boolean;
  /** Width of the terminal in columns; 80 where there is none. */
  columns(): number;
  /** Resolves once the bytes are taken. A reader that has gone makes it `closed`, a full disk rejects with `io`. */
  write(data: string | Uint8Array): Promise<void>;
  /** The reader is gone (`| head -1`): writing goes on to nowhere. */
  readonly closed: boolean;
}

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

/** After the signal, a reader that takes nothing for this long counts as gone. */
export const LAST_WRITE_MS = 1000;

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

/** A pipe may stay silent for ever; so nothing here waits for its next byte to get away from it. */
export function inputChunks(stream: Readable, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
      return {
        next: () => unlessAborted(iterator.next().catch(cannotRead), signal),
        return() {
          stream.destroy();
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

function cannotRead(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new TaskflowError("io", `cannot read stdin: ${reason}`, { cause: error });
}

/**
 * An OutputStream over a Node stream: waits for it, and tells a reader that has gone from a disk that is full. Once the
 * signal is aborted, a reader that takes nothing more is as good as gone.
 */
export function outputStream(
  stream: Writable & { isTTY?: boolean; columns?: number },
  signal: AbortSignal | null = null,
): OutputStream {
  let failure: TaskflowError | null = null;
  let closed = false;
  const fail = (error: NodeJS.ErrnoException): void => {
    // EIO is what a terminal says that was closed.
    const gone = ["EPIPE", "ERR_STREAM_DESTROYED", ...(stream.isTTY === true ? ["EIO"] : [])];
    if (gone.includes(error.code ?? "")) closed = true;
    else failure ??= new TaskflowError("io", `cannot write the output: ${error.message}`, { cause: error });
  };
  stream.on("error", fail);
  return {
    isTerminal: stream.isTTY === true,
    columns: () => (stream.columns !== undefined && stream.columns > 0 ? stream.columns : 80),
    get closed() {
      return closed;
    },
    async write(data) {
      if (failure !== null) throw failure;
      if (closed || data.length === 0) return;
      await new Promise<void>((resolve) => {
        const stopWaiting = afterAbort(signal, LAST_WRITE_MS, () => {
          closed = true;
          resolve();
        });
        stream.write(data, (error) => {
          stopWaiting();
          if (error) fail(error);
          resolve();
        });
      });
      // `fail` may have set it meanwhile.
      const after = failure as TaskflowError | null;
      if (after !== null) throw after;
    },
  };
}

/** A stream whose failures are nobody's concern: what people may not read changes nothing of what is done. */
function forPeople(stream: OutputStream): OutputStream {
  return {
    isTerminal: stream.isTerminal,
    columns: stream.columns,
    get closed() {
      return stream.closed;
    },
    write: (data) => stream.write(data).catch(() => undefined),
  };
}

/** Calls `act` so long after the abort; never once the function it returns was called. */
function afterAbort(signal: AbortSignal | null, milliseconds: number, act: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(act, milliseconds);
  };
  if (signal?.aborted === true) start();
  else signal?.addEventListener("abort", start, { once: true });
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", start);
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
