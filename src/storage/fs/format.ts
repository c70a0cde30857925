/** `.taskflow/format`: what makes a folder a store, and which version of taskflow can write it. */
import { randomUUID } from "node:crypto";
import { link, rename } from "node:fs/promises";
import { TaskflowError } from "../../errors.ts";
import { createFile, removeQuietly } from "./durable.ts";
import type { Durable } from "./durable.ts";
import { isErrno } from "./errors.ts";
import { look } from "./levels.ts";
import { pathFor } from "./paths.ts";
import type { Layout } from "./paths.ts";
import { readSmall } from "./small-file.ts";

export interface Format {
  readonly version: number;
  /** Random, of this store alone. */
  readonly id: string;
  /** Ids of the keys whose links `serve` last accepted, the newest first; empty where it never ran. */
  readonly linkKeys: readonly string[];
}

/**
 * `null` where the folder has none.
 * Errors: `unsupported` where a newer taskflow wrote it; `bad_config` where it can't be read as a format.
 */
export function readFormat(layout: Layout): Format | null {
  const text = readSmall(layout.format);
  if (text === null) return null;
  if (typeof text !== "string") throw damaged(layout.format, text.unreadable);
  return parseFormat(text, layout.format);
}

/**
 * Writes the format, whole or not at all; `.taskflow/tmp` must exist. Gives whether this call made it: of many at
 * once one does, and all then read the same.
 */
export async function publishFormat(layout: Layout): Promise<boolean> {
  const format: Omit<Format, "linkKeys"> = { version: VERSION, id: randomUUID() };
  return await publishFile(layout, layout.format, `${JSON.stringify(format)}\n`);
}

/** Records which keys `serve` accepts; nothing is written where they are known. Of two servers at once the last counts. */
export async function recordLinkKeys(layout: Layout, durable: Durable, ids: readonly string[]): Promise<void> {
  const known = readFormat(layout);
  if (known === null) throw damaged(layout.format, "is gone");
  if (known.linkKeys.join() === ids.join()) return;
  const part = pathFor(layout.staging, `${randomUUID()}.part`);
  await createFile(part, Buffer.from(`${JSON.stringify({ ...known, linkKeys: ids })}\n`));
  try {
    await rename(part, layout.format);
  } catch (error) {
    await removeQuietly(part);
    throw error;
  }
  await durable.syncDirectory(layout.own);
}

/** Puts a small file in place unless there is one, whole or not at all. Gives whether this call did. */
export async function publishFile(layout: Layout, target: string, text: string): Promise<boolean> {
  const part = pathFor(layout.staging, `${randomUUID()}.part`);
  await createFile(part, Buffer.from(text));
  try {
    return await linkUnlessThere(part, target);
  } finally {
    await removeQuietly(part);
  }
}

/** What a file system without hard links answers to one. */
export const NO_LINKS = ["EPERM", "EMLINK", "ENOTSUP", "ENOSYS", "EOPNOTSUPP"] as const;

/** Of the store's layout. */
const VERSION = 1;

async function linkUnlessThere(part: string, target: string): Promise<boolean> {
  try {
    await link(part, target);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    if (!isErrno(error, ...NO_LINKS)) throw error;
  }
  if (look(target) !== null) return false;
  await rename(part, target);
  return true;
}

function parseFormat(text: string, file: string): Format {
  const { version, id, linkKeys = [] } = parseObject(text);
  if (typeof version === "number" && Number.isInteger(version) && version > VERSION) {
    throw new TaskflowError("unsupported", `${file}: this store has format ${version}, written by a newer taskflow`, {
      hint: "use a newer taskflow; this one would do harm and touches nothing",
      context: { path: file, version },
    });
  }
  if (version !== VERSION || typeof id !== "string" || id === "") {
    throw damaged(file, "doesn't say which format the store has");
  }
  if (!Array.isArray(linkKeys) || !linkKeys.every((one) => typeof one === "string")) {
    throw damaged(file, "has no proper ids of link keys");
  }
  return { version, id, linkKeys };
}

/** What is no JSON object has no version either. */
function parseObject(text: string): { version?: unknown; id?: unknown; linkKeys?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // The parser's words add nothing for whoever reads that it is damaged.
    return {};
  }
}

function damaged(file: string, why: string): TaskflowError {
  return new TaskflowError("bad_config", `${file} is damaged: it ${why}`, {
    hint: "restore it from a copy, or move it away: the next upload writes a new one",
    context: { path: file },
  });
}
