/** What becomes of the signals that come while a command runs. */
import { ONE_SIGNAL_MS } from "../context.ts";
import type { ReceivedSignal, SignalName } from "../context.ts";

export interface Relay {
  take(received: ReceivedSignal): void;
  /** Whether any came. */
  readonly interrupted: boolean;
}

export interface Relayed {
  state(): "starting" | "running" | "ended";
  kill(signal: NodeJS.Signals): void;
}

/**
 * Each kind of signal goes to the command once, and we wait for what it makes of it. Ctrl-C it has from the terminal
 * already: a second one would make terraform, docker compose or pytest drop everything. What comes between the command's
 * end and ours ends nothing, for the log is being attached. The same signal again, or another after the command's end,
 * leaves at once and takes the command along.
 */
export function createRelay(command: Relayed, now: () => number = () => performance.now()): Relay {
  const seen = new Set<SignalName>();
  let latest = -Infinity;
  return {
    get interrupted() {
      return seen.size > 0;
    },
    take({ name, fromTerminal, leave }) {
      const before = latest;
      const isFirst = seen.size === 0;
      const isNew = !seen.has(name);
      latest = now();
      seen.add(name);
      if (isNew && command.state() !== "ended") {
        if (!fromTerminal || command.state() === "starting") command.kill(name);
      } else if (!isFirst && latest - before >= ONE_SIGNAL_MS) {
        command.kill("SIGKILL");
        leave();
      }
    },
  };
}
