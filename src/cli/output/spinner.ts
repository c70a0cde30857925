/** The one line that moves, on a terminal: ora, and as much text as fits. */
import type { Writable } from "node:stream";
import ora from "ora";
import stringWidth from "string-width";
import { truncate } from "./truncate.ts";

export interface Spinner {
  /** As many of the facts as there is room for, in their order; the subject gives way before the first of them. */
  draw(verb: string, subject: string, facts: readonly string[], columns: number): void;
  /** Takes the line away; the next `draw` brings it back. */
  hide(): void;
}

export function createSpinner(stream: Writable, color: boolean): Spinner {
  const spinner = ora({
    stream: stream as NodeJS.WriteStream,
    discardStdin: false,
    isEnabled: true,
    color: color ? "cyan" : false,
  });
  return {
    draw(verb, subject, facts, columns) {
      spinner.text = fitLine(verb, subject, facts, columns);
      if (!spinner.isSpinning) spinner.start();
    },
    hide() {
      if (spinner.isSpinning) spinner.stop();
    },
  };
}

/** The spinner itself, a blank, and the last column, where some terminals wrap. */
const TAKEN = 3;
const LEAST_SUBJECT = 8;

/** A line that wraps can't be redrawn in place. */
export function fitLine(verb: string, subject: string, facts: readonly string[], columns: number): string {
  const room = columns - TAKEN;
  const first = facts[0] === undefined ? 0 : facts[0].length + 2;
  let line = `${verb} ${truncate(subject, Math.max(LEAST_SUBJECT, Math.floor(room / 2), room - verb.length - 1 - first))}`;
  for (const fact of facts) {
    const longer = `${line}  ${fact}`;
    if (stringWidth(longer) > room) break;
    line = longer;
  }
  return truncate(line, Math.max(1, room));
}
