/** The options of commands that move many bytes. */
import type { Command } from "commander";
import { parseSize } from "../config/parse-values.ts";
import type { CommonOptions } from "./command.ts";
import { notEmpty, value } from "./parse.ts";

export interface TransferOptions extends CommonOptions {
  /** As written: the setting's own grammar. */
  readonly retryFor?: string;
  /** Bytes a second. */
  readonly limitRate?: number;
}

export function addTransferOptions(command: Command): Command {
  return command
    .option(
      "--retry-for <time>",
      "keep trying so long after the last part arrived (default: 60s; five tries of what is answered with failures)",
      notEmpty("--retry-for"),
    )
    .option("--limit-rate <size>", "at most so many bytes a second: 500K, 2M", value("--limit-rate", parseSize));
}
