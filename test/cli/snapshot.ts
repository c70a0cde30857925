/** What is on the disk, to the byte and the nanosecond, so that "changed nothing" can be shown. */
import { createHash } from "node:crypto";
import { lstat, readFile, readdir, readlink } from "node:fs/promises";
import path from "node:path";

/** Everything below a folder, by relative path; folders end in `/`. Nothing where there is no folder. */
export async function snapshot(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  names.sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    const file = path.join(folder, name);
    const { mode, mtimeNs, size, ino } = await lstat(file, { bigint: true });
    const isFolder = (mode & 0o170000n) === 0o040000n;
    const isLink = (mode & 0o170000n) === 0o120000n;
    const content = isFolder ? "" : isLink ? await readlink(file) : sha256(await readFile(file));
    found[isFolder ? `${name}/` : name] = [mode.toString(8), mtimeNs, isFolder ? "" : size, ino, content].join(" ");
  }
  return found;
}

/** The names below a folder, without what a store keeps for itself. */
export async function names(folder: string): Promise<string[]> {
  return Object.keys(await snapshot(folder)).filter((name) => !name.endsWith("/") && !name.includes(".taskflow/"));
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
