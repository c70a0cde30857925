import { parseInteger } from "../../config/parse-values.ts";
import { defineCommand } from "../command.ts";
import { notEmpty, value } from "../parse.ts";
import { addTransferOptions } from "../transfer-options.ts";
import type { TransferOptions } from "../transfer-options.ts";

export interface CopyOptions extends TransferOptions {
  readonly from?: string;
  readonly to?: string;
  readonly task?: string;
  readonly concurrency?: number;
  readonly dryRun?: boolean;
}

export const copyCommand = defineCommand<CopyOptions>({
  name: "copy",
  summary: "copy attachments from store to store",
  operands: "--from STORE --to STORE",
  description:
    "Copy all attachments of a store, or of a task, to another store: folder or bucket, either way. Keys, creation times\n" +
    "and all that is recorded are kept, and every digest is checked; what had none gets one. Nothing is overwritten: the\n" +
    "same bytes under a key are skipped, others are an error (exists). Run again, it copies the rest. Deleted attachments\n" +
    "stay where they are. Both buckets are reached with the same settings. Prints the key of each copy.",
  examples: [
    "taskflow attach copy --from ./uploads --to s3://acme-attachments",
    "taskflow attach copy --from s3://acme-attachments --to /srv/backup/ --task T-42",
    "taskflow attach copy --from ./uploads --to s3://acme-attachments --dry-run | wc -l",
  ],
  configure: (command) =>
    addTransferOptions(
      command
        .option("--from <store>", "the store to read: a folder with a `/` in it, or s3://BUCKET", notEmpty("--from"))
        .option("--to <store>", "the store to write; a folder is made where there is none", notEmpty("--to"))
        .option("--task <id>", "only what is attached to this task", notEmpty("--task"))
        .option("--concurrency <n>", "attachments at once (default: 8)", value("--concurrency", parseInteger(1, 256)))
        .option("-n, --dry-run", "say what would be copied, store nothing"),
    ),
  load: async () => (await import("../actions/copy.ts")).runCopy,
});
