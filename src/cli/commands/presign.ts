import { parseSize } from "../../config/parse-values.ts";
import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { parseExpires } from "../parse-expires.ts";
import { notEmpty, value } from "../parse.ts";

export interface PresignOptions extends CommonOptions {
  readonly task?: string;
  /** Seconds. */
  readonly expires?: number;
  readonly inline?: boolean;
  readonly filename?: string;
  readonly exact?: boolean;
  /** `false` for `--no-check`. */
  readonly check?: boolean;
  readonly curl?: boolean;
  readonly put?: boolean;
  readonly post?: boolean;
  readonly type?: string;
  readonly size?: number;
  readonly maxSize?: number;
  readonly sha256?: string;
}

export const presignCommand = defineCommand<PresignOptions>({
  name: "presign",
  summary: "print signed links, to download or to upload with",
  operands: "TASK ITEM...",
  least: 1,
  description:
    "Print a link for each item, good for whoever has it until it ends; with --put, a link that takes one upload of the\n" +
    "name given. A folder's links lead to `taskflow attach serve`, at TASKFLOW_URL. Prints the URLs and nothing else.\n" +
    "S3's links end no later than the credentials that sign them; a link to download is good for GET, not for HEAD.\n" +
    "--post makes a form for browsers, and prints the line for curl: S3 has them, a folder and R2 don't. Whoever has a\n" +
    "form may send it again until it ends: what is attached is replaced then.",
  examples: [
    "taskflow attach presign T-42 report.pdf --expires 2h",
    "taskflow attach upload T-42 a.log | taskflow attach presign - --expires 3600",
    "taskflow attach presign --put T-42 photo.jpg --type image/jpeg --size 48213 --curl",
    "taskflow attach presign --post T-42 photo.jpg --type image/jpeg --max-size 20M --json",
  ],
  configure: (command) =>
    command
      .option("--task <id>", "the task; all operands are then items", notEmpty("--task"))
      .option(
        "--expires <time>",
        "how long it works: 3600, 15m, 2h, 7d (default: 3600)",
        value("--expires", parseExpires),
      )
      .option("--inline", "to be shown in the browser, where its type is safe")
      .option("--filename <name>", "save it under this name", notEmpty("--filename"))
      .option("--exact", "fail where a link would end sooner than asked")
      .option("--no-check", "don't ask the store whether it is there; takes full keys only")
      .option("--curl", "print a line for the shell that uses the link")
      .option("--put", "a link to upload with, once: presign --put TASK NAME")
      .option("--post", "a form to upload with, for browsers (S3)")
      .option("--type <media-type>", "the upload must be of this type", notEmpty("--type"))
      .option("--size <size>", "the upload must have exactly this size", value("--size", parseSize))
      .option("--max-size <size>", "the upload may have at most this size (S3: --post)", value("--max-size", parseSize))
      .option("--sha256 <hex>", "the upload must have this SHA-256", notEmpty("--sha256")),
  load: async () => (await import("../actions/presign.ts")).runPresign,
});
