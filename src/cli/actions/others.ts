/** What lies among the attachments of a bucket and is none: other programs make deeper keys. */
import { count } from "../output/format.ts";
import { printable } from "../output/printable.ts";
import type { Report } from "../output/report.ts";

export interface Others {
  see(key: string): void;
  /** Warns, where there were any. */
  tell<Row>(report: Report<Row>): Promise<void>;
}

export function createOthers(): Others {
  let first: string | null = null;
  let seen = 0;
  return {
    see(key) {
      // What consoles put where someone makes a folder.
      if (key.endsWith("/")) return;
      first ??= key;
      seen += 1;
    },
    async tell(report) {
      if (first === null) return;
      const rest = seen === 1 ? "" : ` and ${count(seen - 1, "other")}`;
      await report.warning(`not attachments, and left alone, by their keys: ${printable(first)}${rest}`);
    },
  };
}
