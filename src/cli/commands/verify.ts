import { parseInteger } from "../../config/parse-values.ts";
import { defineCommand } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { notEmpty, value } from "../parse.ts";

export interface VerifyOptions extends CommonOptions {
  readonly task?: string;
  readonly strict?: boolean;
  readonly concurrency?: number;
}

export const verifyCommand = defineCommand<VerifyOptions>({
  name: "verify",
  summary: "check what is stored against the checksums recorded at upload",
  operands: "[TASK [ITEM...]]",
  description:
    "Read what is stored and compare it with the SHA-256 recorded at upload; without TASK, the whole store. Prints what\n" +
    "is not proven, a line each, status and key between a tab: `mismatch` (exit 8), `unreadable`, or `unrecorded` (other\n" +
    "programs' files have no checksum; they count as neither right nor wrong, unless --strict). Nothing is changed.",
  examples: [
    "taskflow attach verify T-42",
    "taskflow attach verify --strict",
    "taskflow attach verify --json | jq -r '.errors[].item'",
  ],
  configure: (command) =>
    command
      .option("--task <id>", "the task; all operands are then items", notEmpty("--task"))
      .option("--strict", "what has no recorded checksum fails, too (exit 8)")
      .option("--concurrency <n>", "attachments at once (default: 8)", value("--concurrency", parseInteger(1, 256))),
  load: async () => (await import("../actions/verify.ts")).runVerify,
});
