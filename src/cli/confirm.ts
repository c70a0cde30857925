/** Questions, asked only where someone can answer. */
import { TaskflowError } from "../errors.ts";
import { inCi } from "./context.ts";
import type { Context } from "./context.ts";

/** `not_confirmed` where nobody can answer, or the answer is no. */
export async function confirm(ctx: Context, question: string): Promise<void> {
  if (!ctx.stdin.isTerminal || !ctx.stderr.isTerminal || inCi(ctx)) {
    throw new TaskflowError("not_confirmed", `not confirmed: ${question}`, { hint: "add --yes to confirm" });
  }
  await ctx.stderr.write(`${question} [y/N] `);
  const answer = await firstLine(ctx).catch(async (error: unknown) => {
    // Interrupted: what comes next begins a line of its own.
    await ctx.stderr.write("\n");
    throw error;
  });
  if (!/^y(es)?$/i.test(answer.trim())) throw new TaskflowError("not_confirmed", "not confirmed: nothing was done");
}

async function firstLine(ctx: Context): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of ctx.stdin.chunks()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}
