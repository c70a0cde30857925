/** Several processes on one store, on the same keys, without a lock. */
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { calm, collect, keysOf, readAll } from "../../conformance/bodies.ts";
import { buildChild } from "./build-child.ts";
import { contentOf } from "./contents.ts";
import { freshPaths, openStore, treeOf } from "./folders.ts";
import { run } from "./strace.ts";
import { keysInTrash } from "./sweep-state.ts";

const fresh = freshPaths("races");

const PROCESSES = 4;
const ROUNDS = Number(process.env["RACE_ROUNDS"] ?? 250);
const KEYS = Array.from({ length: 16 }, (_, n) => `tasks/T-${n % 3}/key-${n}`);

/** How often a call on a key went so. */
function count(outcomes: readonly string[], operation: string, key: string, code = "done"): number {
  return outcomes.filter((outcome) => outcome === `${operation} ${key} ${code}`).length;
}

test(
  "puts, deletes, undeletes and purges of the same keys by many processes add up to one state for each",
  { timeout: 300_000 },
  async () => {
    const parent = await fresh();
    await mkdir(parent);
    const { racer } = await buildChild(parent);
    const store = path.join(parent, "store");
    const runs = await Promise.all(
      Array.from({ length: PROCESSES }, (_, n) =>
        run(process.execPath, [racer, store, String(n + 1), String(ROUNDS), ...KEYS]),
      ),
    );
    expect(runs.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      Array.from({ length: PROCESSES }, () => ({ status: 0, stderr: "" })),
    );
    const outcomes = runs.flatMap(({ stdout }) => stdout.trim().split("\n"));
    const codes = new Set(outcomes.map((outcome) => outcome.split(" ").at(-1)));
    expect([...codes].filter((code) => !["done", "exists", "absent", "not_found"].includes(code ?? ""))).toEqual([]);

    const driver = await openStore(store);
    const live = await keysOf(driver.list("", { signal: calm }));
    const deleted = await keysInTrash(store);
    expect(deleted.filter((key) => live.includes(key))).toEqual([]);
    expect(new Set(deleted).size).toBe(deleted.length);
    for (const key of live) {
      expect((await driver.head(key, { signal: calm })).record?.size).toBe(contentOf(key).length);
      expect(Buffer.compare(await readAll(driver, key), contentOf(key))).toBe(0);
    }
    for (const key of KEYS) {
      const put = count(outcomes, "put", key);
      const purged = count(outcomes, "purge", key);
      const gone = count(outcomes, "delete", key) - count(outcomes, "undelete", key);
      const there = live.includes(key) ? 1 : 0;
      const inTrash = deleted.includes(key) ? 1 : 0;
      const sums = { key, put, purged, gone, there, inTrash };
      // Each life begins with one put and ends with one purge at most.
      expect(sums).toMatchObject({ put: purged + there + inTrash });
      // A life that wasn't purged is deleted as often as it was brought back, or once more.
      if (purged === 0) expect(sums).toMatchObject({ gone: inTrash });
    }
    const files = await treeOf(store);
    expect(files.filter((name) => name.endsWith(".part"))).toEqual([]);
    const records = files.filter((name) => name.startsWith(".taskflow/meta/") && name.endsWith(".json"));
    expect(records, "a record for each that is there, and no other").toHaveLength(live.length + deleted.length);
    for (const directory of await readdir(path.join(store, ".taskflow/trash"))) {
      const entries = await readdir(path.join(store, ".taskflow/trash", directory));
      expect(entries.length, "no empty entries in numbers").toBeLessThanOrEqual(deleted.length + PROCESSES);
    }
    await collect(driver.delete([], { signal: calm }));
    await driver.close();
  },
);
