/** Tables for people, on a terminal only. Widths come from the first page of rows, so that any length streams. */
import CliTable from "cli-table3";
import stringWidth from "string-width";
import { truncate } from "./truncate.ts";

export interface Column {
  readonly title: string;
  readonly align?: "right";
  /** The column that gives way on a narrow terminal; one at most. */
  readonly flexible?: boolean;
  /** Columns with the highest number go first where even that is not enough. 0 stays always. */
  readonly dropOrder?: number;
}

export interface TableStyle {
  readonly width: number;
  readonly color: boolean;
}

const GAP = 2;
const LEAST_FLEXIBLE = 12;
const LEAST_ANY = 4;
const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
} as const;

/** Lays out the first page; the function it returns renders this and any further page with the same widths. */
export function layoutTable(
  columns: readonly Column[],
  firstPage: readonly (readonly string[])[],
  style: TableStyle,
): (rows: readonly (readonly string[])[], header: boolean) => string {
  const natural = columns.map((column, at) =>
    Math.max(stringWidth(column.title), ...firstPage.map((row) => stringWidth(row[at] ?? ""))),
  );
  const { shown, widths } = fit(columns, natural, style.width);
  return (rows, header) => {
    const table = new CliTable({
      chars: NO_BORDERS,
      style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
      // cli-table3 counts the padding into the width.
      colWidths: widths.map((width) => width + GAP),
      colAligns: shown.map((at) => (columns[at]?.align === "right" ? "right" : "left")),
    });
    if (header) {
      const heads = shown.map((at, place) => truncate(columns[at]?.title ?? "", widths[place] ?? 0));
      table.push(style.color ? heads.map((head) => `\u001b[1m${head}\u001b[22m`) : heads);
    }
    // Not left to cli-table3, which cuts through characters of several code units.
    for (const row of rows) table.push(shown.map((at, place) => truncate(row[at] ?? "", widths[place] ?? 0)));
    const text = table.toString();
    return text === "" ? "" : `${text.replace(/[ \t]+$/gm, "")}\n`;
  };
}

/** Which columns are shown and how wide, within the terminal. */
function fit(
  columns: readonly Column[],
  natural: readonly number[],
  width: number,
): { shown: number[]; widths: number[] } {
  let shown = columns.map((_, at) => at);
  const total = (): number => shown.reduce((sum, at) => sum + (natural[at] ?? 0) + GAP, -GAP);
  const least = (): number => {
    const flexible = shown.find((at) => columns[at]?.flexible === true);
    if (flexible === undefined) return total();
    const now = natural[flexible] ?? 0;
    return total() - now + Math.min(now, LEAST_FLEXIBLE);
  };
  while (least() > width) {
    const last = shown.reduce((worst, at) => (drop(columns, at) > drop(columns, worst) ? at : worst), shown[0] ?? 0);
    if (drop(columns, last) === 0) break;
    shown = shown.filter((at) => at !== last);
  }
  const excess = Math.max(0, total() - width);
  const widths = shown.map((at) => {
    const now = natural[at] ?? 0;
    return columns[at]?.flexible === true ? Math.max(Math.min(now, LEAST_FLEXIBLE), now - excess) : now;
  });
  // What can't be dropped gives way too, the widest first: a line that wraps makes no table.
  while (widths.reduce((sum, one) => sum + one + GAP, -GAP) > width) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_ANY) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return { shown, widths };
}

function drop(columns: readonly Column[], at: number): number {
  return columns[at]?.dropOrder ?? 0;
}
