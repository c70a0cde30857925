/** `upload --replace`: what is asked first, and what can't be meant. */
import { namesakes } from "../../attachments/replace.ts";
import { TaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { UploadOptions } from "../commands/upload.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { printable } from "../output/printable.ts";
import { keepsDeleted, undoWarning } from "./undoable.ts";
import { nameOf } from "./upload-inputs.ts";

/** Errors: `not_confirmed`, where something would be deleted for good. */
export async function askToReplace(
  ctx: Context,
  driver: StorageDriver,
  task: string,
  files: readonly string[],
  { name, recursive }: UploadOptions,
): Promise<void> {
  const kept = await keepsDeleted(driver, ctx.signal);
  if (kept === true) return;
  const isOlder = async (file: string): Promise<boolean> =>
    (await namesakes(driver, { task, name: nameOf(file, name), signal: ctx.signal })).length > 0;
  // What is in folders is only known as it is walked.
  if (recursive !== true && !(await some(files, isOlder))) return;
  const what = `what has the same name on ${task} in ${printable(driver.location)}`;
  await confirm(ctx, `replace ${what}? ${undoWarning(kept)}`);
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
