/** What the system may answer instead of doing it: said through strace to a real process. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { calm, collect, sha256 } from "../../conformance/bodies.ts";
import { buildChild } from "./build-child.ts";
import { contentOf } from "./contents.ts";
import { plant, treeOf } from "./folders.ts";
import { need } from "./needs.ts";
import { trace } from "./strace.ts";
import type { Call, Traced } from "./strace.ts";
import { checkStore, makeTemplate, put, reopen } from "./sweep-state.ts";
import type { State } from "./sweep-state.ts";

const NEW = "tasks/T-5/new-label";
const LIVE = "tasks/T-1/live";
const DELETED = "tasks/T-1/dead";

let work = "";
let child = "";
let count = 0;

beforeAll(async () => {
  work = await mkdtemp(path.join(os.tmpdir(), "taskflow-faults-"));
  ({ child } = await buildChild(path.join(work, "bin")));
  await makeTemplate(path.join(work, "template"), { live: [LIVE], deleted: [DELETED] });
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

interface Faulty extends Traced {
  readonly store: string;
  readonly states: Record<"new" | "live" | "dead", State>;
  /** Parts that stayed. */
  readonly parts: readonly string[];
}

/** A run in a copy of the template, in which the first call that `select` picks is answered by `fault`. */
async function runWith(args: readonly string[], select: (call: Call) => boolean, fault: string): Promise<Faulty> {
  const dry = await copyTemplate();
  const { calls } = await trace([process.execPath, child, dry, ...args], `${dry}.log`);
  const call = calls.find((one) => one.thread === "pool" && one.text.includes(dry) && select(one));
  if (call === undefined) throw new Error("the dry run has no such call");
  return await runAt(args, call, fault);
}

async function lastCall(args: readonly string[], select: (call: Call) => boolean): Promise<Call> {
  const dry = await copyTemplate();
  const { calls } = await trace([process.execPath, child, dry, ...args], `${dry}.log`);
  const call = calls.findLast((one) => one.thread === "pool" && one.text.includes(dry) && select(one));
  if (call === undefined) throw new Error("the dry run has no such call");
  return call;
}

async function runAt(args: readonly string[], call: Call, fault: string): Promise<Faulty> {
  const store = await copyTemplate();
  const program = [process.execPath, child, store, ...args];
  // Only the pool makes these calls, so that its count alone decides.
  const injection = { call: call.name, fault, when: call.ordinal };
  const traced = await trace(program, `${store}.log`, { calls: [call.name, "fsync"], injection });
  expect(traced.injected, `strace injected ${fault} at ${call.name} ${call.ordinal}`).toHaveLength(1);
  const [isNew = "absent", live = "absent", dead = "absent"] = await checkStore(store, [NEW, LIVE, DELETED]);
  const parts = (await treeOf(store)).filter((name) => name.endsWith(".part"));
  return { ...traced, store, states: { new: isNew, live, dead }, parts };
}

async function copyTemplate(): Promise<string> {
  const store = path.join(work, `store-${(count += 1)}`);
  await cp(path.join(work, "template"), store, { recursive: true });
  return store;
}

const at =
  (name: string, ...parts: readonly string[]) =>
  (call: Call): boolean =>
    call.name === name && parts.every((part) => call.text.includes(part));

/** The call succeeds when nothing is injected any more, and all is well. */
async function expectUploadNow(store: string): Promise<void> {
  const driver = await reopen(store);
  await put(driver, NEW);
  await driver.close();
  expect(await checkStore(store, [NEW, LIVE, DELETED])).toEqual(["live", "live", "deleted"]);
}

const PART = ".taskflow/tmp/";
const SIDECAR = ".taskflow/meta/T-5/new-label.json>";

beforeEach((context) => need(context, "strace"));

describe("an upload", () => {
  test.each([
    ["EDQUOT while writing", at("pwrite64", PART), "error=EDQUOT", /quota exceeded/],
    ["ENOSPC while writing", at("pwrite64", PART), "error=ENOSPC", /disk full/],
    ["EFBIG while writing", at("pwrite64", PART), "error=EFBIG", /ulimit -f/],
    ["EIO from the sync of the bytes", at("fsync", PART), "error=EIO", /I\/O error/],
    ["EDQUOT from the sync of the bytes", at("fsync", PART), "error=EDQUOT", /quota exceeded/],
    ["EIO from the sync of the record", at("fsync", SIDECAR), "error=EIO", /I\/O error/],
    ["EIO from the sync of the records' directory", at("fsync", ".taskflow/meta/T-5>"), "error=EIO", /I\/O error/],
    ["ENOSPC while writing the record", at("pwrite64", SIDECAR), "error=ENOSPC", /disk full/],
    ["ENOSPC while writing the label", at("pwrite64", "class/T-5"), "error=ENOSPC", /disk full/],
    ["ENOSPC for the task's directory", at("mkdir", "/tasks/T-5"), "error=ENOSPC", /disk full/],
    ["ENOSPC for the last name", at("link"), "error=ENOSPC", /disk full/],
    ["EXDEV for the last name", at("link"), "error=EXDEV", /different file systems/],
    ["EIO for the last name", at("link"), "error=EIO", /I\/O error/],
    ["EROFS for the last name", at("link"), "error=EROFS", /read-only/],
  ])("%s: is exit 6 with the reason, leaves nothing, and works the next time", async (_, select, fault, why) => {
    const { status, stderr, stdout, states, parts, store } = await runWith(["put", NEW], select, fault);
    expect({ status, stderr, stdout }).toMatchObject({ status: 6, stdout: "" });
    expect(stderr).toMatch(why);
    expect(stderr).toMatch(/^io: .*\n$/);
    expect(states).toEqual({ new: "absent", live: "live", dead: "deleted" });
    expect(parts).toEqual([]);
    await expectUploadNow(store);
  });

  test.each([
    ["bytes", PART],
    ["a record", SIDECAR],
  ])("the end of %s that the file system took and lost is noticed", async (_, file) => {
    const call = await lastCall(["put", NEW], at("pwrite64", file));
    const length = /, (\d+), \d+\)/.exec(call.text)?.[1] ?? "0";
    const { status, stderr, states, store, parts } = await runAt(["put", NEW], call, `retval=${length}`);
    expect({ status, state: states.new, parts }).toEqual({ status: 6, state: "absent", parts: [] });
    expect(stderr).toMatch(/^io: .*: wrote \d+ bytes, the file system kept \d+\n$/);
    await expectUploadNow(store);
  });

  test("a descriptor whose sync failed is not synced again", async () => {
    const { calls } = await runWith(["put", NEW], at("fsync", PART), "error=EIO");
    const synced = calls.filter(({ name, text }) => name === "fsync" && text.includes(PART));
    expect(synced).toHaveLength(1);
  });

  test("EIO from the sync of the task's directory, after the commit: exit 6, and it is there and right", async () => {
    const call = await lastCall(["put", NEW], at("fsync", "/tasks/T-5>"));
    const { status, stdout, states, parts } = await runAt(["put", NEW], call, "error=EIO");
    expect({ status, stdout, state: states.new }).toEqual({ status: 6, stdout: "", state: "live" });
    expect(parts).toEqual([]);
  });

  test.each(["EPERM", "EMLINK", "EOPNOTSUPP", "ENOSYS"])(
    "a file system without hard links (%s) is served by rename",
    async (error) => {
      const { status, stdout, states, parts } = await runWith(["put", NEW], at("link"), `error=${error}`);
      expect({ status, stdout, state: states.new }).toEqual({ status: 0, stdout: `${NEW}\n`, state: "live" });
      expect(parts).toEqual([]);
    },
  );

  test("a part that can't be removed is exit 0 with a warning", async () => {
    const { status, stdout, stderr, states, parts } = await runWith(["put", NEW], at("unlink", PART), "error=EIO");
    expect({ status, stdout, state: states.new }).toEqual({ status: 0, stdout: `${NEW}\n`, state: "live" });
    expect(stderr).toMatch(/^warning: .*\.part could not be removed/);
    expect(parts).toHaveLength(1);
  });
});

describe("a read", () => {
  test("EIO in the middle is exit 6 with the place", async () => {
    const store = await copyTemplate();
    await plant(store, "tasks/T-1/big", "x".repeat(16 * 1024 * 1024));
    // Beyond what the main thread reads of programs and records.
    const injection = { call: "pread64", fault: "error=EIO", when: 20 };
    const { status, stdout, stderr, injected } = await trace(
      [process.execPath, child, store, "get", "tasks/T-1/big"],
      `${store}.log`,
      { calls: ["pread64"], injection },
    );
    expect(injected.filter((line) => line.includes(store))).toHaveLength(1);
    expect({ status, stdout }).toEqual({ status: 6, stdout: "" });
    expect(stderr).toMatch(/^io: cannot read tasks\/T-1\/big at byte [1-9]\d+: I\/O error \(\/.*\)\n$/);
  });

  test("without a fault gives the bytes", async () => {
    const store = await copyTemplate();
    const { status, stdout } = await trace([process.execPath, child, store, "get", LIVE], `${store}.log`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${sha256(contentOf(LIVE))}\n` });
  });
});

describe("a delete", () => {
  test.each([
    ["EXDEV", /different file systems/],
    ["EIO", /I\/O error/],
  ])("whose rename answers %s is exit 6, and it is live", async (error, why) => {
    const { status, stdout, stderr, states, store } = await runWith(["delete", LIVE], at("rename"), `error=${error}`);
    expect({ status, stdout, state: states.live }).toEqual({ status: 6, stdout: "", state: "live" });
    expect(stderr).toMatch(why);
    expect(
      (await treeOf(store)).filter((name) => name.endsWith("*/")),
      "no empty entry stays",
    ).toHaveLength((await treeOf(path.join(work, "template"))).filter((name) => name.endsWith("*/")).length);
  });

  test("whose sync fails is exit 6, and it is deleted", async () => {
    const { status, stdout, states } = await runWith(["delete", LIVE], at("fsync", "/tasks/T-1>"), "error=EIO");
    expect({ status, stdout, state: states.live }).toEqual({ status: 6, stdout: "", state: "deleted" });
  });
});

/** Calls after which something is different. */
const CHANGING = new Set(["mkdir", "rmdir", "unlink", "link", "rename", "fsync", "pwrite64"]);

describe("EIO from any call that changes the store", () => {
  test.each([
    ["put", NEW, "new", ["absent", "live"]],
    ["delete", LIVE, "live", ["live", "deleted"]],
    ["undelete", DELETED, "dead", ["deleted", "live"]],
    ["purge", LIVE, "live", ["live", "absent"]],
    ["purge", DELETED, "dead", ["deleted", "absent"]],
  ] as const)(
    "%s of %s: never half-done, never exit 0 without being done, and done the next time",
    async (operation, key, name, allowed) => {
      await everyCall(operation, key, name, allowed);
    },
    120_000,
  );
});

async function everyCall(
  operation: "put" | "delete" | "undelete" | "purge",
  key: string,
  name: "new" | "live" | "dead",
  allowed: readonly State[],
): Promise<void> {
  const dry = await copyTemplate();
  const { calls } = await trace([process.execPath, child, dry, operation, key], `${dry}.log`);
  const changing = calls.filter((call) => call.text.includes(dry) && CHANGING.has(call.name));
  expect(changing.length).toBeGreaterThan(4);
  for (const call of changing) {
    const told = `EIO at ${call.name} ${call.ordinal} ${call.text.replaceAll(dry, "STORE")}`;
    const { status, stdout, states, store, stderr } = await runAt([operation, key], call, "error=EIO");
    const isDone = states[name] === allowed[1];
    expect([0, 6], `${told}: ${stderr}`).toContain(status);
    expect({ told, stdout, ok: status !== 0 || isDone }).toEqual({
      told,
      stdout: status === 0 ? `${key}\n` : "",
      ok: true,
    });
    expect(allowed.filter((state) => state === states[name])).toHaveLength(1);
    await doAgain(store, operation, key, isDone);
    await rm(store, { recursive: true });
  }
}

async function doAgain(
  store: string,
  operation: "put" | "delete" | "undelete" | "purge",
  key: string,
  isDone: boolean,
): Promise<void> {
  if (isDone) return;
  const driver = await reopen(store);
  const { versions } = driver;
  if (versions === undefined) throw new Error("no versions");
  if (operation === "put") await put(driver, key);
  else {
    const results =
      operation === "delete" ? driver.delete([key], { signal: calm }) : versions[operation]([key], { signal: calm });
    for (const { error } of await collect<{ error?: Error }>(results)) expect(error).toBeUndefined();
  }
  await driver.close();
}
