/** What the parts of the folder driver share. */
import { TaskflowError } from "../../errors.ts";
import type { Durable } from "./durable.ts";
import { makeFormat } from "./root.ts";
import type { Layout } from "./paths.ts";
import type { TrashIndex } from "./trash.ts";

export interface Folder {
  readonly layout: Layout;
  readonly durable: Durable;
  readonly now: () => Date;
  readonly warn: (text: string) => void;
  /** Before anything is written: `.taskflow` with its format and staging. Done once. */
  prepare(): Promise<void>;
  /** What is in the trash of a directory, as `trashReader` gives it. */
  readTrash(directory: string, signal: AbortSignal): Promise<TrashIndex>;
}

/** `prepare` of a store that has its format already, or not yet. */
export function preparation(layout: Layout, durable: Durable, hasFormat: boolean): () => Promise<void> {
  let done: Promise<void> | null = null;
  async function prepare(): Promise<void> {
    if (!hasFormat) await makeFormat(layout, durable);
    await durable.ensureDirectory(layout.staging);
  }
  return async () => {
    done ??= prepare().catch((error: unknown) => {
      done = null;
      throw error;
    });
    await done;
  };
}

export function notFound(key: string): TaskflowError {
  return new TaskflowError("not_found", `there is no ${key}`, { context: { key } });
}
