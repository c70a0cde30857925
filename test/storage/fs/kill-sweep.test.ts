/**
 * kill -9 before every system call that touches the store, in every operation that changes it. After each kill another
 * process finds nothing half-visible, nothing acknowledged lost, nothing live and deleted at once, everything that was
 * there before as it was, and the same operation succeeds without repair.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isTaskflowError } from "../../../src/errors.ts";
import type { KeyResult, StorageDriver, Versions } from "../../../src/storage/driver.ts";
import { openFolder } from "../../../src/storage/fs/driver.ts";
import type { LifecycleStep } from "../../../src/storage/lifecycle/lifecycle.ts";
import { calm, collect, putText, readText } from "../../conformance/bodies.ts";
import { buildChild } from "./build-child.ts";
import { MOVING } from "./contents.ts";
import { need } from "./needs.ts";
import { sweep } from "./sweep.ts";
import type { Operation } from "./sweep.ts";
import { checkStore, makeTemplate, put, reopen } from "./sweep-state.ts";
import type { State } from "./sweep-state.ts";

const AN_HOUR_AND_MORE = 2 * 60 * 60 * 1000;

/** One with a label, one without, on tasks that are there and are not. */
const NEW = ["tasks/T-1/new-label"];
const BATCH = ["tasks/T-1/b1", "tasks/T-1/b2-label", "tasks/T-9/b3", "tasks/T-1/b4"];
const LIVE = ["tasks/T-1/live-label", "tasks/T-2/live"];
const DELETED = ["tasks/T-1/dead-label", "tasks/T-3/dead"];
const MOVED = `tasks/T-2/${MOVING}`;

let work = "";
/** What a failure left is there to be looked at. */
let keep = false;
let programs = { child: "", burn: "", racer: "", steps: [] as string[] };

beforeAll(async () => {
  work = await mkdtemp(path.join(os.tmpdir(), "taskflow-kill-"));
  programs = { ...(await buildChild(path.join(work, "bin"))), steps: [] };
  await makeTemplate(path.join(work, "template"), { live: [...LIVE, MOVED], deleted: DELETED });
  const template = await reopen(path.join(work, "template"));
  programs.steps = (await stepsFor(template, DUE)).map((step) => JSON.stringify(step));
  await template.close();
});

afterAll(async () => {
  if (!keep) await rm(work, { recursive: true, force: true });
});

/** The template's own keys are in every store; an operation's keys are checked in their order. */
async function statesOf(store: string, keys: readonly string[]): Promise<State[]> {
  const all = [...new Set([...keys, ...LIVE, ...DELETED, MOVED])];
  const states = await checkStore(store, all);
  return keys.map((key) => states[all.indexOf(key)] ?? "absent");
}

interface Plan {
  readonly name: string;
  readonly argument: string;
  readonly keys: readonly string[];
  readonly atLeast: number;
  readonly before: State;
  readonly after: State;
  again(store: string): Promise<void>;
}

function operation({ name, argument, keys, atLeast, before, after, again }: Plan): Operation {
  return {
    name,
    atLeast,
    fromTemplate: true,
    command: (store) => [programs.child, store, argument, ...keys],
    async check(store, acknowledged) {
      const states = await statesOf(store, keys);
      for (const [at, state] of states.entries()) {
        const key = keys[at] ?? "";
        if (state !== before && state !== after) throw new Error(`${key} was ${before} and is ${state}`);
        if (acknowledged.includes(key) && state !== after) throw new Error(`${key} was acknowledged and is ${state}`);
      }
      await again(store);
      const end = await statesOf(store, keys);
      if (!end.every((state) => state === after)) throw new Error(`done again, it is ${end.join(", ")}`);
    },
  };
}

/** An upload that is run again has another key, as the command line makes one; the old key is free after an hour. */
function uploadAgain(keys: readonly string[]) {
  return async (store: string): Promise<void> => {
    const driver = await reopen(store);
    const other = "tasks/T-1/again";
    await put(driver, other);
    await collect(versionsOf(driver).purge([other], { signal: calm }));
    await driver.close();
    const later = await reopen(store, AN_HOUR_AND_MORE);
    for (const key of keys) {
      await put(later, key).catch((error: unknown) => {
        if (!isTaskflowError(error) || error.code !== "exists") throw error;
      });
    }
    await later.close();
  };
}

/** Again in a new process: each key does what it says, or says that it is done. */
function again(run: "delete" | "undelete" | "purge", keys: readonly string[], done: readonly string[]) {
  return async (store: string): Promise<void> => {
    const driver = await reopen(store);
    const results: AsyncIterable<KeyResult> =
      run === "delete" ? driver.delete(keys, { signal: calm }) : versionsOf(driver)[run](keys, { signal: calm });
    for (const { key, error } of await collect(results)) {
      if (error !== undefined && !done.includes(error.code)) throw new Error(`${run} ${key} again: ${error.message}`);
    }
    await driver.close();
  };
}

function versionsOf({ versions }: StorageDriver): Versions {
  if (versions === undefined) throw new Error("no versions");
  return versions;
}

const PLANS: readonly Plan[] = [
  {
    name: "upload",
    argument: "put",
    keys: NEW,
    atLeast: 45,
    before: "absent",
    after: "live",
    again: uploadAgain(NEW),
  },
  {
    name: "upload of four at once",
    argument: "put",
    keys: BATCH,
    atLeast: 120,
    before: "absent",
    after: "live",
    again: uploadAgain(BATCH),
  },
  {
    name: "delete",
    argument: "delete",
    keys: LIVE,
    atLeast: 40,
    before: "live",
    after: "deleted",
    again: again("delete", LIVE, []),
  },
  {
    name: "undelete",
    argument: "undelete",
    keys: DELETED,
    atLeast: 40,
    before: "deleted",
    after: "live",
    again: again("undelete", DELETED, ["exists"]),
  },
  {
    name: "purge of live ones",
    argument: "purge",
    keys: LIVE,
    atLeast: 35,
    before: "live",
    after: "absent",
    again: again("purge", LIVE, ["not_found"]),
  },
  {
    name: "purge of deleted ones",
    argument: "purge",
    keys: DELETED,
    atLeast: 35,
    before: "deleted",
    after: "absent",
    again: again("purge", DELETED, ["not_found"]),
  },
];

/** One to destroy, one to move; what expires is deleted, and deletes have a sweep of their own. */
const DUE = ["tasks/T-1/dead-label", MOVED] as const;

/** What rules would ask for, of those of these keys that it isn't done for. */
async function stepsFor(driver: StorageDriver, keys: readonly string[]): Promise<LifecycleStep[]> {
  const steps: LifecycleStep[] = [];
  for await (const version of driver.lifecycle?.kept("", { signal: calm }) ?? []) {
    if (!keys.includes(version.key)) continue;
    if (version.state === "noncurrent") steps.push({ action: "purge", version });
    else if (version.state === "current" && version.storageClass !== "GLACIER") {
      steps.push({ action: "transition", version, to: "GLACIER" });
    }
  }
  return steps;
}

/** The rules are applied again, as the next run of `lifecycle apply` does: what is done is no longer due. */
const application: Operation = {
  name: "lifecycle apply",
  atLeast: 70,
  fromTemplate: true,
  command: (store) => [programs.child, store, "apply", ...programs.steps],
  async check(store, acknowledged) {
    const [purged, moved] = DUE;
    const now = await applied(store);
    const done = { [purged]: "absent", [moved]: "GLACIER" };
    const before = { [purged]: "deleted", [moved]: "STANDARD" };
    for (const key of DUE) {
      if (now[key] !== before[key] && now[key] !== done[key]) throw new Error(`${key} is ${now[key]}`);
      if (acknowledged.includes(key) && now[key] !== done[key]) throw new Error(`${key} is ${now[key]}, acknowledged`);
    }
    const driver = await reopen(store);
    const steps = await stepsFor(driver, DUE);
    for (const { error } of await collect(driver.lifecycle?.apply?.(steps, { signal: calm }) ?? none())) {
      if (error !== undefined) throw error;
    }
    await driver.close();
    const end = await applied(store);
    if (JSON.stringify(end) !== JSON.stringify(done)) throw new Error(`done again, it is ${JSON.stringify(end)}`);
  },
};

async function* none(): AsyncGenerator<{ readonly error?: Error }> {
  // A store that can't.
}

async function applied(store: string): Promise<Record<string, string>> {
  const states = await statesOf(store, DUE);
  const driver = await reopen(store);
  const { storageClass } = await driver.head(MOVED, { signal: calm });
  await driver.close();
  return Object.fromEntries(DUE.map((key, n) => [key, key === MOVED ? storageClass : (states[n] ?? "absent")]));
}

/** Whatever the kill left is no store yet, or a whole one; the next run completes it. */
const creation: Operation = {
  name: "first creation of a store",
  atLeast: 35,
  fromTemplate: false,
  command: (store) => [programs.child, store, "create"],
  async check(store, acknowledged) {
    const format = path.join(store, ".taskflow/format");
    const id = await readFile(format, "utf8").catch(() => null);
    if (acknowledged.length > 0 && id === null) throw new Error("acknowledged, and there is no format");
    const opened = await openFolder(store, { create: false }).catch((error: unknown) => error);
    if (isTaskflowError(opened) && (opened.code !== "no_store" || id !== null)) throw opened;
    let created = 0;
    const driver = await openFolder(store, { create: true, onCreated: () => (created += 1) });
    if (created !== (id === null ? 1 : 0)) throw new Error(`created is told ${created} times, the format was ${id}`);
    await putText(driver, "tasks/T-1/first", "first");
    if ((await readText(driver, "tasks/T-1/first")) !== "first") throw new Error("the first upload has other bytes");
    await driver.close();
    if (id !== null && (await readFile(format, "utf8")) !== id) throw new Error("the format has changed");
    if ((await readFile(path.join(store, ".gitignore"), "utf8")) !== "*\n") throw new Error("no proper .gitignore");
  },
};

describe("killed before any of its system calls", () => {
  for (const one of [creation, application, ...PLANS.map((plan) => operation(plan))]) {
    test(`${one.name} leaves a whole store`, { timeout: 300_000 }, async (context) => {
      need(context, "strace");
      const begun = performance.now();
      const { points, exact, failures } = await sweep({
        operation: one,
        template: path.join(work, "template"),
        work: path.join(work, one.name.replaceAll(" ", "-")),
        burn: programs.burn,
        atOnce: 2,
      });
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      process.stderr.write(
        `kill sweep: ${one.name}: ${points} points, ${exact} exact, ${failures.length} failed, ${seconds} s\n`,
      );
      keep ||= failures.length > 0;
      expect(failures).toEqual([]);
      expect(points).toBeGreaterThanOrEqual(one.atLeast);
      expect(exact / points).toBeGreaterThan(0.9);
    });
  }
});
