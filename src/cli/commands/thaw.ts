import { parseInteger } from "../../config/parse-values.ts";
import type { ThawTier } from "../../storage/driver.ts";
import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { choice, notEmpty, value } from "../parse.ts";

export interface ThawCommandOptions extends CommonOptions {
  readonly task?: string;
  readonly days?: number;
  readonly tier?: ThawTier;
  readonly wait?: boolean;
  readonly dryRun?: boolean;
}

/** S3 documents no limit; this is a hundred years. */
const MOST_DAYS = 36_500;

export const thawCommand = defineCommand<ThawCommandOptions>({
  name: "thaw",
  summary: "ask S3 for archived attachments",
  operands: "TASK ITEM...",
  least: 1,
  description:
    "Ask S3 for the bytes of archived attachments, so that they can be downloaded for some days. One that was thawed\n" +
    "before stays as many days from now; one that is not archived is left as it is. Prints each key: at once, or with\n" +
    "--wait when it can be read.\n" +
    "\n" +
    "How long it usually takes on AWS: GLACIER 1 to 5 minutes (expedited), 3 to 5 hours (standard), 5 to 12 hours (bulk);\n" +
    "DEEP_ARCHIVE up to 12 hours (standard), up to 48 hours (bulk). Faster costs more.",
  examples: [
    "taskflow attach thaw T-42 report.pdf",
    "taskflow attach thaw T-42 report.pdf --days 30 --tier bulk",
    "taskflow attach thaw T-42 report.pdf --tier expedited --wait && taskflow attach download T-42 report.pdf",
  ],
  configure: (command) =>
    command
      .option("--task <id>", "the task; all operands are then items", notEmpty("--task"))
      .option("--days <n>", "how long it stays readable (default: 7)", value("--days", parseInteger(1, MOST_DAYS)))
      .option(
        "--tier <name>",
        "standard, bulk or expedited (default: standard)",
        choice("--tier", ["standard", "bulk", "expedited"]),
      )
      .option("--wait", "come back when all can be read")
      .option("-n, --dry-run", "say what would be asked for, ask for nothing"),
  load: async () => (await import("../actions/thaw.ts")).runThaw,
});
