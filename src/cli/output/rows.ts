/** The rows of a command, for people: a table on a terminal, else lines. */
import type { Context } from "../context.ts";
import type { Colors } from "./colors.ts";
import type { Write } from "./gather.ts";
import { printable } from "./printable.ts";
import type { View } from "./report.ts";

/** So many rows are laid out together. */
const TABLE_PAGE = 1000;

/** `beforeWrite`: called before each write to a terminal. */
export function rowPrinter<Row>(ctx: Context, view: View<Row>, color: Colors, write: Write, beforeWrite: () => void) {
  const { table } = view;
  const asTable = ctx.stdout.isTerminal && table !== undefined;
  let pending: Row[] = [];
  let render: ((rows: readonly (readonly string[])[], header: boolean) => string) | null = null;

  const put = (text: string): Promise<void> => {
    if (ctx.stdout.isTerminal) beforeWrite();
    return write(text);
  };
  const flushTable = async (): Promise<void> => {
    if (table === undefined || pending.length === 0) return;
    const cells = pending.map((row) => table.cells(row).map((cell) => printable(cell)));
    pending = [];
    const header = render === null;
    if (render === null) {
      const { layoutTable } = await import("./table.ts");
      render = layoutTable(table.columns, cells, { width: ctx.stdout.columns(), color: color.stdout });
    }
    await put(render(cells, header));
  };
  return {
    print(row: Row): Promise<void> {
      if (asTable) {
        pending.push(row);
        return pending.length < TABLE_PAGE ? Promise.resolve() : flushTable();
      }
      const line = view.line(row);
      return line === null ? Promise.resolve() : put(`${line}\n`);
    },
    end: flushTable,
  };
}
