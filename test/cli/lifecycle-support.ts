/** Folder stores whose attachments are older than the test, and rules of their own. */
import { mkdir, readdir, rename, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import type { LifecycleRule } from "../../src/storage/lifecycle/rules.ts";
import type { World } from "./support.ts";

export const DAY_MS = 86_400_000;

/** So many days before now, at noon UTC: never on the edge of a day. */
export function daysAgo(days: number): Date {
  return new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - days * DAY_MS + DAY_MS / 2);
}

/** The midnight on which S3 acts, so many days after that noon. */
export function dueOf(ago: number, days: number): string {
  const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  return new Date(midnight + (days + 1 - ago) * DAY_MS).toISOString();
}

export async function writeRules(world: World, rules: readonly LifecycleRule[] | string, more = {}): Promise<string> {
  const file = path.join(world.store, ".taskflow/lifecycle.json");
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, typeof rules === "string" ? rules : JSON.stringify({ Rules: rules, ...more }));
  return file;
}

/** Makes a live attachment as old as that. */
export async function age(world: World, key: string, days: number): Promise<void> {
  await utimes(path.join(world.store, key), daysAgo(days), daysAgo(days));
}

/** Makes every deletion on the task as old as that. */
export async function ageDeletions(world: World, task: string, days: number): Promise<void> {
  const trash = path.join(world.store, ".taskflow/trash", task);
  for (const [n, entry] of (await readdir(trash)).entries()) {
    const random = entry.split("-")[1] ?? "";
    await rename(path.join(trash, entry), path.join(trash, `${daysAgo(days).getTime() + n}-${random}`));
  }
}
