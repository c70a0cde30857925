/** Runs a command in our place: its output passes through and into a log, signals reach it. */
import type { Readable } from "node:stream";
import { LAST_WRITE_MS } from "../streams.ts";
import type { Context } from "../context.ts";
import { passTo, pump } from "./pump.ts";
import type { Passage } from "./pump.ts";
import { createRelay } from "./relay.ts";
import { startCommand } from "./start.ts";
import type { CommandEnd } from "./start.ts";

export interface Log {
  /** Resolves when there is room for more. */
  write(chunk: Uint8Array): Promise<void>;
}

export interface Streamed {
  readonly end: CommandEnd;
  /** Something the command left behind held its output open for too long: the rest of it was not waited for. */
  readonly cut: boolean;
  /** The last of the output was not the end of a line. */
  readonly midLine: boolean;
}

/**
 * Both streams go into the log in the order in which they come. Whether our own stdout took all of it is stdout's to
 * tell: it says so again to the report, at the end. Errors: only where the command can't be started.
 */
export async function streamCommand(
  ctx: Pick<Context, "stdout" | "stderr" | "cwd" | "env" | "takeSignals">,
  words: readonly string[],
  log: Log,
): Promise<Streamed> {
  const out = passTo(ctx.stdout);
  const err = passTo(ctx.stderr);
  let state: "starting" | "running" | "ended" = "starting";
  // What comes while the command is being started reaches it then.
  const early: NodeJS.Signals[] = [];
  let kill = (signal: NodeJS.Signals): void => void early.push(signal);
  const relay = createRelay({ state: () => state, kill: (signal) => kill(signal) });
  let output: readonly Readable[] = [];
  const timers: NodeJS.Timeout[] = [];
  // Once we were told to stop and the command has, neither a reader that takes nothing nor somebody else who still has
  // the output keeps us: first the reader is given up, so that the rest can go into the log, then the rest.
  const hurry = (): void => {
    if (!relay.interrupted || state !== "ended" || timers.length > 0) return;
    timers.push(
      setTimeout(() => [out, err].forEach((passage) => passage.abandon()), LAST_WRITE_MS),
      setTimeout(() => output.forEach((stream) => stream.destroy()), 2 * LAST_WRITE_MS),
    );
  };
  ctx.takeSignals((received) => {
    relay.take(received);
    hurry();
  });
  try {
    const command = await startCommand(words, ctx);
    state = "running";
    ({ kill, output } = command);
    early.forEach(kill);
    const noteEnd = async (): Promise<void> => {
      await command.ended;
      state = "ended";
      hurry();
    };
    void noteEnd();
    let latest: Passage = out;
    const into = (passage: Passage) => async (chunk: Uint8Array) => {
      latest = passage;
      await Promise.all([passage.write(chunk), log.write(chunk)]);
    };
    const [stdout, stderr] = output;
    const [end, ...whole] = await Promise.all([
      command.ended,
      stdout === undefined ? true : pump(stdout, into(out), command.ended),
      stderr === undefined ? true : pump(stderr, into(err), command.ended),
    ]);
    return { end, cut: whole.includes(false), midLine: latest.midLine() };
  } finally {
    timers.forEach(clearTimeout);
  }
}
