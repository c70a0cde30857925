/** Starting a command as a shell would: same working directory, environment, stdin and process group. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { TaskflowError } from "../../errors.ts";
import { openPipes } from "./pipes.ts";

export interface RunningCommand {
  /** What it writes: stdout, stderr. */
  readonly output: readonly Readable[];
  /** Of the command itself; others that it started may still run, and write. */
  readonly ended: Promise<CommandEnd>;
  kill(signal: NodeJS.Signals): void;
}

export interface CommandEnd {
  /** As a shell tells it: 128 and the signal's number for a command that a signal ended. */
  readonly status: number;
  readonly signal: string | null;
  /** How long it ran. */
  readonly seconds: number;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Errors: what a shell says, with its status: 127 where there is no such command, 126 where it can't be run. */
export async function startCommand(words: readonly string[], where: Surroundings): Promise<RunningCommand> {
  const [command = "", ...args] = words;
  const pipes = openPipes();
  let child: ChildProcess | null = null;
  try {
    child = spawn(command, args, { cwd: where.cwd, env: where.env, stdio: ["inherit", ...pipes.ends] });
    const started = child;
    const begun = performance.now();
    const ended = new Promise<CommandEnd>((resolve) => {
      started.once("exit", (code, signal) => resolve(endOf(code, signal, performance.now() - begun)));
    });
    await new Promise<void>((resolve, reject) => {
      started.once("spawn", resolve);
      started.once("error", reject);
    });
    // Later errors are those of a signal that could not be sent: the command is gone, or another user's.
    started.on("error", () => undefined);
    return { output: pipes.readers(child), ended, kill: (signal) => void started.kill(signal) };
  } catch (error) {
    pipes.readers(null);
    throw startError(command, error, where);
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null, milliseconds: number): CommandEnd {
  const status = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  return { status, signal, seconds: milliseconds / 1000 };
}

const NOTHING = "nothing was run, so nothing was attached";

function startError(command: string, error: unknown, { cwd }: Surroundings): TaskflowError {
  const { code = "unknown" } = error as NodeJS.ErrnoException;
  const cause = { cause: error };
  switch (code) {
    case "ENOENT":
    case "ENOTDIR": {
      const interpreter = command.includes("/") && existsSync(path.resolve(cwd, command));
      return new TaskflowError("not_found", `no such command: ${command}`, {
        ...cause,
        exit: 127,
        hint: interpreter ? "the file is there, but not the interpreter that its first line names" : NOTHING,
      });
    }
    case "EACCES":
    case "EPERM":
      return new TaskflowError("permission", `${command} can't be run: permission denied`, {
        ...cause,
        exit: 126,
        hint: `is it a program, and executable (chmod +x)? ${NOTHING}`,
      });
    case "E2BIG":
      return new TaskflowError("usage", `${command} can't be run: its arguments are too long`, {
        ...cause,
        exit: 126,
        hint: NOTHING,
      });
    default:
      return new TaskflowError("io", `${command} can't be run: ${code}`, { ...cause, exit: 126 });
  }
}
