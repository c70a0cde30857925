/** Whether colours and moving lines are wanted, and colour itself. */
import { inCi } from "../context.ts";
import type { Context } from "../context.ts";

export interface Colors {
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** `--no-color`, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal that can (no-color.org, force-color.org). */
export function wantsColor(ctx: Context, flag: boolean): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = ctx.env;
  const never = !flag || (NO_COLOR !== undefined && NO_COLOR !== "") || FORCE_COLOR === "0" || FORCE_COLOR === "false";
  const always = FORCE_COLOR !== undefined && FORCE_COLOR !== "";
  const decide = (isTerminal: boolean): boolean => !never && (always || (isTerminal && TERM !== "dumb"));
  return { stdout: decide(ctx.stdout.isTerminal), stderr: decide(ctx.stderr.isTerminal) };
}

/** Whether stderr is a place where a line may move. */
export function isLive(ctx: Context): boolean {
  return ctx.stderr.isTerminal && ctx.env.TERM !== "dumb" && !inCi(ctx);
}

export function paint(text: string, code: number, color: boolean): string {
  return color ? `\u001b[${code}m${text}\u001b[39m` : text;
}
