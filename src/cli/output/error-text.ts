/** An error as people read it. */
import type { TaskflowError } from "../../errors.ts";
import { paint } from "./colors.ts";
import { printable, printableLines } from "./printable.ts";

/** `error: …`, `hint: …`, and with --debug the stack and the causes. `hint`: the error's own, as it is told. */
export function errorText(error: TaskflowError, hint: string | null, debug: boolean, color: boolean): string {
  const lines = [`${paint("error:", 31, color)} ${printable(error.message)}`];
  if (error.requestId !== null) lines.push(`request id: ${printable(error.requestId)}`);
  if (hint !== null) lines.push(`${paint("hint:", 36, color)} ${printableLines(hint)}`);
  if (debug) {
    for (const [key, value] of Object.entries(error.context)) lines.push(`debug: ${key}: ${printable(String(value))}`);
    let cause: unknown = error;
    while (cause instanceof Error) {
      lines.push(...(cause.stack ?? String(cause)).split("\n").map((line) => `debug: ${printable(line)}`));
      ({ cause } = cause);
    }
  }
  return `${lines.join("\n")}\n`;
}
