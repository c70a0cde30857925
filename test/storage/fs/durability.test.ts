/**
 * What is acknowledged survives a power cut. Read off the system calls of each operation: whatever a call changed is
 * synced before anything that builds on it, and before the key is printed.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildChild } from "./build-child.ts";
import { freshPaths } from "./folders.ts";
import { need } from "./needs.ts";
import { trace } from "./strace.ts";
import type { Call } from "./strace.ts";
import { makeTemplate } from "./sweep-state.ts";

const fresh = freshPaths("durability");

let child = "";

beforeAll(async () => {
  const parent = await fresh();
  await mkdir(parent);
  ({ child } = await buildChild(parent));
});

beforeEach((context) => need(context, "strace"));

/** Names, below the store, of what was changed and not synced since. Files are dirty by content, directories by entry. */
type Dirty = ReadonlySet<string>;

interface Moment {
  /** `link`, `rename`, … with its paths, or `ack` when a line was printed. */
  readonly what: string;
  readonly dirty: Dirty;
}

async function momentsOf(operation: string, ...keys: readonly string[]): Promise<Moment[]> {
  const store = await fresh();
  if (operation !== "create") {
    await makeTemplate(store, { live: ["tasks/T-1/live", "tasks/T-2/live"], deleted: ["tasks/T-1/dead"] });
  }
  const { calls, status } = await trace([process.execPath, child, store, operation, ...keys], `${store}.log`);
  expect(status).toBe(0);
  return replay(calls, store);
}

function replay(calls: readonly Call[], store: string): Moment[] {
  const dirty = new Set<string>();
  const moments: Moment[] = [];
  for (const { name, text } of calls) {
    const [first = "", second = ""] = pathsIn(text, store);
    const moment = (): void => {
      moments.push({ what: `${name} ${[first, second].join(" ")}`.trim(), dirty: new Set(dirty) });
    };
    if (name === "write" && text.startsWith("1<")) moments.push({ what: "ack", dirty: new Set(dirty) });
    if (first === "") continue;
    if (name === "fsync") dirty.delete(first);
    if (name === "pwrite64") dirty.add(first);
    if (name === "openat" && text.includes("O_CREAT")) dirty.add(path.dirname(first));
    if (!["mkdir", "link", "rename", "unlink"].includes(name) || / = -1 /.test(text)) continue;
    moment();
    dirty.add(path.dirname(first));
    if (second !== "") dirty.add(path.dirname(second));
    if (name === "link") dirty.delete(path.dirname(first));
    if (name === "unlink") dirty.delete(first);
  }
  return moments;
}

/** Relative, `.` for the store itself; of a descriptor, of what it is open on. */
function pathsIn(text: string, store: string): string[] {
  return [...text.matchAll(/"([^"]*)"|^\d+<([^>]*)>/g)]
    .map(([, argument, descriptor]) => argument ?? descriptor ?? "")
    .filter((found) => found === store || found.startsWith(`${store}/`))
    .map(
      (found) =>
        path
          .relative(store, found)
          .replaceAll(/[0-9a-f-]{36}\.part/g, "PART")
          .replaceAll(/\d{13}-[0-9a-f]{16}/g, "ENTRY") || ".",
    );
}

/** What may be lost: nobody asks for it again. */
const isPassing = (name: string): boolean => name.startsWith(".taskflow/tmp");

function lasting(dirty: Dirty): string[] {
  return [...dirty].filter((name) => !isPassing(name));
}

function only(moments: readonly Moment[], beginning: string): Moment {
  const [found, ...more] = moments.filter(({ what }) => what.startsWith(beginning));
  if (found === undefined || more.length > 0)
    throw new Error(`${beginning} is there ${more.length} times too many, or not`);
  return found;
}

describe("before a key is printed", () => {
  test.each([
    ["create"],
    ["put", "tasks/T-1/new"],
    ["put", "tasks/T-9/new-label"],
    ["put", "tasks/T-9/a", "tasks/T-9/b-label", "tasks/T-1/c"],
    ["delete", "tasks/T-1/live"],
    ["delete", "tasks/T-1/live", "tasks/T-2/live"],
    ["undelete", "tasks/T-1/dead"],
    ["purge", "tasks/T-1/live"],
    ["purge", "tasks/T-1/dead", "tasks/T-2/live"],
  ])("everything that %s %s changed is synced", async (operation, ...keys) => {
    const moments = await momentsOf(operation, ...keys);
    const acks = moments.filter(({ what }) => what === "ack");
    expect(acks).toHaveLength(Math.max(keys.length, 1));
    // Of several at once, what the others still have to sync is their own.
    const last = acks.at(-1);
    expect(lasting(last?.dirty ?? new Set(["nothing was printed"]))).toEqual([]);
  });
});

describe("before the step that can't be taken back", () => {
  test("an upload has synced its bytes, its record, its label, and every directory on the way to them", async () => {
    const moments = await momentsOf("put", "tasks/T-9/new-label");
    const { dirty } = only(moments, "link .taskflow/tmp/PART tasks/T-9/new-label");
    expect([...dirty].filter((name) => name !== ".taskflow/tmp")).toEqual([]);
  });

  test("a delete has synced the place that it moves to", async () => {
    const moments = await momentsOf("delete", "tasks/T-1/live");
    const { dirty } = only(moments, "rename tasks/T-1/live .taskflow/trash/T-1/ENTRY/live");
    expect([...dirty]).toEqual([]);
  });

  test("a purge has synced the loss of the bytes before the record goes", async () => {
    const moments = await momentsOf("purge", "tasks/T-1/live");
    const { dirty } = only(moments, "unlink .taskflow/meta/T-1/live.json");
    expect([...dirty]).toEqual([]);
  });

  test("the first run has synced the format before it has its name", async () => {
    const moments = await momentsOf("create");
    const { dirty } = only(moments, "link .taskflow/tmp/PART .taskflow/format");
    expect(lasting(dirty)).toEqual([]);
  });
});
