import { parseInteger } from "../../config/parse-values.ts";
import { defineCommand } from "../command.ts";
import { parseExpires } from "../parse-expires.ts";
import { collect, notEmpty, value } from "../parse.ts";
import { addTransferOptions } from "../transfer-options.ts";
import type { TransferOptions } from "../transfer-options.ts";

export interface UploadOptions extends TransferOptions {
  readonly task?: string;
  readonly name?: string;
  readonly type?: string;
  readonly note?: string;
  readonly meta?: readonly string[];
  readonly tag?: readonly string[];
  readonly storageClass?: string;
  readonly recursive?: boolean;
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly link?: boolean;
  /** Seconds. */
  readonly expires?: number;
  readonly markdown?: boolean;
  readonly concurrency?: number;
  /** `false` for `--no-resume`. */
  readonly resume?: boolean;
  readonly allowEmpty?: boolean;
  readonly dryRun?: boolean;
}

export const uploadCommand = defineCommand<UploadOptions>({
  name: "upload",
  summary: "attach files to a task",
  operands: "TASK FILE...",
  least: 1,
  description:
    "Attach files to a task. An upload never overwrites: the same name twice is two attachments. `-` reads stdin.\n" +
    "Prints one line a file, in the order given: the key, or with --link a signed URL, good for whoever has it.",
  examples: [
    "taskflow attach upload T-42 report.pdf photo.jpg",
    "make test 2>&1 | taskflow attach upload T-42 - --name test.log",
    "taskflow attach upload T-42 -r build/ --note 'nightly build'",
  ],
  configure: (command) =>
    addTransferOptions(
      command
        .option("--task <id>", "the task; all operands are then files", notEmpty("--task"))
        .option("--name <name>", "the attachment's name, instead of the file's own")
        .option("--type <media-type>", "the media type, instead of the one found", notEmpty("--type"))
        .option("--note <text>", "a note to keep with it")
        .option("--meta <key=value>", "metadata to keep with it; may be repeated", collect)
        .option("--tag <key=value>", "a tag, as S3 has them; may be repeated", collect)
        .option("--storage-class <class>", "S3's storage class; a label on a folder", notEmpty("--storage-class"))
        .option("-r, --recursive", "attach what is in folders, symlinks not followed")
        .option("--replace", "then delete older attachments of the same name; asks where that can't be undone")
        .option("-y, --yes", "don't ask")
        .option("--link", "print a signed link to each, instead of its key")
        .option(
          "--expires <time>",
          "how long links work: 3600, 15m, 2h, 7d (default: 3600)",
          value("--expires", parseExpires),
        )
        .option("--markdown", "print links as Markdown, images as images")
        .option("--concurrency <n>", "files at once (default: 8)", value("--concurrency", parseInteger(1, 256)))
        .option("--no-resume", "send all of it, and leave nothing to go on with if this is interrupted")
        .option("--allow-empty", "attach even an empty stdin")
        .option("-n, --dry-run", "check everything, store nothing"),
    ),
  load: async () => (await import("../actions/upload.ts")).runUpload,
});
