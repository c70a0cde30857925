/** `upload --replace`: what is asked first, and what can't be meant. */
import { parseKey } from "../../attachments/key.ts";
import { namesakes } from "../../attachments/replace.ts";
import type { UploadResult } from "../../attachments/upload.ts";
import { TaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { UploadOptions } from "../commands/upload.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { count } from "../output/format.ts";
import { printable } from "../output/printable.ts";
import { keepsDeleted, undoWarning } from "./undoable.ts";
import { undoOfIds } from "./undo.ts";
import { nameOf } from "./upload-inputs.ts";

/**
 * Asks where something would be deleted for good. Gives whether what is deleted comes back; `null`: that is not known.
 * Errors: `not_confirmed`.
 */
export async function askToReplace(
  ctx: Context,
  driver: StorageDriver,
  task: string,
  files: readonly string[],
  { name, recursive, yes }: UploadOptions,
): Promise<boolean | null> {
  const kept = await keepsDeleted(driver, ctx.signal);
  if (kept === true || yes === true) return kept;
  const isOlder = async (file: string): Promise<boolean> =>
    (await namesakes(driver, { task, name: nameOf(file, name), signal: ctx.signal })).length > 0;
  // What is in folders is only known as it is walked.
  if (recursive !== true && !(await some(files, isOlder))) return kept;
  const what = `what has the same name on ${task} in ${printable(driver.location)}`;
  await confirm(ctx, `replace ${what}? ${undoWarning(kept)}`);
  return kept;
}

/** `deleted 1 older attachment of that name, undo: taskflow attach undelete T-42 …` */
export function replacedText(
  task: string,
  replaced: readonly string[],
  kept: boolean | null,
  options: UploadOptions,
): string {
  const older = `${count(replaced.length, "older attachment")} of that name`;
  if (options.dryRun === true) return `would delete ${older}`;
  const ids = replaced.flatMap((key) => parseKey(key)?.id ?? []);
  const undo = kept === true ? undoOfIds(task, ids, options) : null;
  return `deleted ${older}${undo === null ? "" : `, undo: ${undo}`}`;
}

async function some<One>(all: readonly One[], is: (one: One) => Promise<boolean>): Promise<boolean> {
  for (const one of all) if (await is(one)) return true;
  return false;
}

/** With --replace one name is one attachment: of two files of that name one would be lost. */
export function namesOnce(): { take(name: string): void } {
  const taken = new Set<string>();
  return {
    take(name) {
      const normal = name.normalize("NFC");
      if (taken.has(normal)) {
        throw new TaskflowError("usage", `two files are called ${name}: with --replace only one of them would stay`, {
          hint: "leave --replace out, or attach them to different tasks",
        });
      }
      taken.add(normal);
    },
  };
}

/** What kept older ones from being deleted; `null`: nothing. */
export function notReplaced({ attachment, failure }: UploadResult): TaskflowError | null {
  if (failure === undefined || failure.code === "interrupted") return failure ?? null;
  const { code, message, retryable, requestId, context } = failure;
  // The same command once more would attach it once more.
  const hint = retryable ? `see them with: taskflow attach list ${attachment.task}` : failure.hint;
  return new TaskflowError(code, `${attachment.key} is attached, but older ones of that name stay: ${message}`, {
    hint,
    requestId,
    context,
    cause: failure,
  });
}
