/** The faces of a check: its JSON, its line between tabs, its lines for people. */
import type { CheckResult, CheckStatus } from "../storage/check.ts";
import type { Context } from "./context.ts";
import { wantsColor } from "./output/colors.ts";
import { printable, tsvField } from "./output/printable.ts";
import type { View } from "./output/report.ts";

/** `color`: as `--no-color` leaves it. */
export function checkView(ctx: Context, color: boolean): View<CheckResult> {
  const painted = wantsColor(ctx, color).stdout;
  return {
    member: "checks",
    json: ({ id, status, message, fix }) => ({ id, status, message, fix }),
    line: (result) => (ctx.stdout.isTerminal ? forPeople(result, painted, ctx.stdout.columns()) : forPrograms(result)),
  };
}

const GLYPHS: Readonly<Record<CheckStatus, { readonly glyph: string; readonly color: number }>> = {
  ok: { glyph: "✓", color: 32 },
  warn: { glyph: "!", color: 33 },
  fail: { glyph: "✗", color: 31 },
  skip: { glyph: "-", color: 90 },
};

const ID_WIDTH = 14;
/** Of what stands before the text. */
const INDENT = ID_WIDTH + 3;
const LEAST_TEXT = 20;

/** `✓ bucket         s3://acme is there, in eu-central-1`, and under it what to do. */
function forPeople({ id, status, message, fix }: CheckResult, color: boolean, columns: number): string {
  const { glyph, color: code } = GLYPHS[status];
  const mark = color ? `\u001b[${code}m${glyph}\u001b[39m` : glyph;
  const margin = " ".repeat(INDENT);
  const text = wrapped(printable(message), Math.max(LEAST_TEXT, columns - INDENT)).join(`\n${margin}`);
  const lines = [`${mark} ${id.padEnd(ID_WIDTH)} ${text}`];
  // Not wrapped: such a line is there to be copied.
  if (fix !== null) lines.push(...fix.split("\n").map((line) => `${margin}→ ${printable(line)}`));
  return lines.join("\n");
}

/** Lines of whole words; a word that is longer stays whole. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines.splice(-1, 1, `${last} ${word}`);
    else lines.push(word);
  }
  return lines;
}

function forPrograms({ id, status, message, fix }: CheckResult): string {
  return [id, status, tsvField(message), tsvField(fix ?? "")].join("\t");
}
