/** Which files an upload is of. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { walkFolder } from "../../attachments/walk.ts";
import type { UploadOptions } from "../commands/upload.ts";
import type { Context } from "../context.ts";
import { count } from "../output/format.ts";
import type { Progress } from "../output/progress.ts";

/** One file to attach; `index` is its operand's place. */
export interface Input {
  readonly source: string;
  readonly name: string;
  readonly index: number;
}

/** All files of the operands; a folder only with --recursive, and as it is walked. */
export async function expectInputs(
  ctx: Context,
  files: readonly string[],
  options: UploadOptions,
  progress: Progress,
  walk: Walk,
): Promise<AsyncIterable<Input> | Iterable<Input>> {
  if (options.recursive === true) {
    progress.expect(null, 0);
    return walkAll(ctx, files, options.name, progress, walk);
  }
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(path.resolve(ctx.cwd, file)).catch(() => null))?.size ?? null),
  );
  files.forEach((file, index) => {
    progress.expect(file === "-" ? null : (sizes[index] ?? 0), 1);
  });
  return files.map((source, index) => ({ source, name: nameOf(source, options.name), index }));
}

/** What a file of the operands is attached as; `given` by --name. */
export function nameOf(file: string, given: string | undefined): string {
  return given ?? (file === "-" ? "stdin" : path.basename(file));
}

export function leftOutText(names: readonly string[]): string {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return `${count(names.length, "link or special file", "links or special files")} left out: ${names.slice(0, 5).join(", ")}${more}`;
}

export interface Walk {
  /** The store's: it is not attached to itself. */
  readonly location: string;
  /** Gets what is neither a folder nor a regular file. */
  readonly leftOut: string[];
}

async function* walkAll(
  ctx: Context,
  files: readonly string[],
  name: string | undefined,
  progress: Progress,
  { location, leftOut }: Walk,
): AsyncGenerator<Input, void, undefined> {
  for (const [index, file] of files.entries()) {
    const absolute = path.resolve(ctx.cwd, file);
    if (file === "-" || !(await isFolder(absolute))) {
      progress.expect(null, 1);
      yield { source: file, name: nameOf(file, name), index };
      continue;
    }
    for await (const entry of walkFolder(absolute, { except: location, leftOut: (name) => leftOut.push(name) })) {
      progress.expect(null, 1);
      yield { source: path.join(file, entry.relative), name: entry.relative, index };
    }
  }
}

export async function isFolder(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null))?.isDirectory() === true;
}
