/** What `attach run` attached, for its tests. */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import type { Sandbox } from "./support.ts";

export interface Log {
  readonly name: string;
  readonly content: Buffer;
  readonly type: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** What is attached to the task, one log at most; also that nothing is left in the store's staging. */
export async function logOf(sandbox: Sandbox, task = "T-1"): Promise<Log | null> {
  const listed = await sandbox.run(["attach", "list", task, "--json", "-l"]);
  const { items } = JSON.parse(listed.stdout) as { items: (Omit<Log, "content"> & { key: string })[] };
  expect(items.length).toBeLessThan(2);
  expect((await sandbox.files("uploads")).filter((file) => file.endsWith(".part"))).toEqual([]);
  const [item] = items;
  return item === undefined ? null : { ...item, content: await readFile(sandbox.path("uploads", item.key)) };
}

export async function textOf(sandbox: Sandbox, task?: string): Promise<string | undefined> {
  return (await logOf(sandbox, task))?.content.toString();
}

/** Runs a script of sh. */
export const sh = (script: string): string[] => ["attach", "run", "T-1", "--", "sh", "-c", script];
