import { IF_EXISTS } from "../../attachments/if-exists.ts";
import type { IfExists } from "../../attachments/if-exists.ts";
import { defineCommand } from "../command.ts";
import { choice, notEmpty } from "../parse.ts";
import { addTransferOptions } from "../transfer-options.ts";
import type { TransferOptions } from "../transfer-options.ts";

export interface DownloadOptions extends TransferOptions {
  readonly task?: string;
  readonly output?: string;
  readonly ifExists?: IfExists;
  /** `false` for `--no-verify`. */
  readonly verify?: boolean;
}

export const downloadCommand = defineCommand<DownloadOptions>({
  name: "download",
  alias: "get",
  summary: "fetch attachments, verified",
  operands: "TASK [ITEM...]",
  least: 1,
  description:
    "Fetch attachments; without ITEM, all of the task. Each file is written beside its place, compared with the SHA-256\n" +
    "recorded at upload, and only then put there. Prints the path of each.",
  examples: [
    "taskflow attach download T-42",
    "taskflow attach download T-42 report.pdf -o copies/",
    "taskflow attach download T-42 backup.tar -o - | tar x",
  ],
  configure: (command) =>
    addTransferOptions(
      command
        .option("--task <id>", "the task; all operands are then items", notEmpty("--task"))
        .option("-o, --output <where>", "a file, a folder with a / at its end, or - for stdout", notEmpty("--output"))
        .option("--if-exists <what>", `${IF_EXISTS.join(", ")} (default: fail)`, choice("--if-exists", IF_EXISTS))
        .option("--no-verify", "take the bytes as they are"),
    ),
  load: async () => (await import("../actions/download.ts")).runDownload,
});
