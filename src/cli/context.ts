/**
 * Everything a command may touch of the world, as one value: tests hand in their own. `processContext` is the only
 * reader of `process` beside the bin.
 */
import { homedir, userInfo } from "node:os";
import type { Readable, Writable } from "node:stream";
import { TaskflowError } from "../errors.ts";

export interface InputStream {
  readonly isTerminal: boolean;
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
  /** The login name, or `null`. */
  loginName(): string | null;
  now(): Date;
  uuid(): string;
  /** Aborted, with an `interrupted` error, by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
}

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** The real world. Installs the signal handlers: the first signal stops cleanly, a second one leaves at once. */
export function processContext(): Context {
  return {
    stdin: {
      get isTerminal() {
        return process.stdin.isTTY;
      },
      chunks: () => process.stdin as Readable & AsyncIterable<Uint8Array>,
    },
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    stderrStream: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    home: process.env.HOME ?? knownOrNull(homedir),
    uid: process.getuid?.() ?? null,
    platform: process.platform,
    loginName: () => knownOrNull(() => userInfo().username),
    now: () => new Date(),
    // Not imported: a start that makes no id would pay a tenth more for node:crypto.
    uuid: () => process.getBuiltinModule("node:crypto").randomUUID(),
    signal: signalOfProcess(),
  };
}

/** An OutputStream over a Node stream: waits for it, and tells a reader that has gone from a disk that is full. */
export function outputStream(stream: Writable & { isTTY?: boolean; columns?: number }): OutputStream {
  let failure: TaskflowError | null = null;
  let closed = false;
  const fail = (error: NodeJS.ErrnoException): void => {
    if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") closed = true;
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
        stream.write(data, (error) => {
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

function signalOfProcess(): AbortSignal {
  const controller = new AbortController();
  for (const [name, exit] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        controller.abort(new TaskflowError("interrupted", `interrupted by ${name}`, { exit }));
        return;
      }
      process.removeAllListeners(name);
      process.kill(process.pid, name);
    });
  }
  return controller.signal;
}

function knownOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    // os throws a SystemError where the user has no entry, as in many containers.
    return null;
  }
}
