/** `lifecycle apply` on a folder store: what status calls pending, and never more. */
import { appendFile, readdir } from "node:fs/promises";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LifecycleRule } from "../../src/storage/lifecycle/rules.ts";
import { age, ageDeletions, writeRules } from "./lifecycle-support.ts";
import { createWorld, itemsOf } from "./support.ts";
import type { Item, World } from "./support.ts";

const BIG = Buffer.alloc(200 * 1024, "b");
const APPLY = ["attach", "lifecycle", "apply"];
const STATUS = ["attach", "lifecycle", "status"];

const RULES: readonly LifecycleRule[] = [
  {
    ID: "live",
    Status: "Enabled",
    Filter: {},
    Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }],
    Expiration: { Days: 60 },
  },
  { ID: "deleted", Status: "Enabled", Filter: {}, NoncurrentVersionExpiration: { NoncurrentDays: 10 } },
];

/** One to be moved, one to be expired, one to be destroyed, and two that are left alone. */
async function prepared(): Promise<
  World & { readonly keys: Record<"move" | "expire" | "purge" | "new" | "kept", string> }
> {
  const world = await createWorld();
  const keys = {
    move: await world.attach("T-1", "move.bin", BIG),
    expire: await world.attach("T-2", "expire.txt"),
    purge: await world.attach("T-3", "purge.bin", BIG, "--storage-class", "GLACIER_IR"),
    new: await world.attach("T-1", "new.bin", BIG),
    kept: await world.attach("T-4", "kept.txt"),
  };
  await world.run(["attach", "delete", "T-3", "purge.bin"]);
  await world.run(["attach", "delete", "T-4", "kept.txt"]);
  await ageDeletions(world, "T-3", 20);
  await ageDeletions(world, "T-4", 2);
  await age(world, keys.move, 40);
  await age(world, keys.expire, 80);
  await writeRules(world, RULES);
  return { ...world, keys };
}

async function listed(world: World, ...options: string[]): Promise<readonly Item[]> {
  return itemsOf((await world.json(["attach", "list", ...options])).document);
}

describe("lifecycle apply", () => {
  test("-n says what it would do, in the same form, and does nothing", async () => {
    const world = await prepared();
    const { keys, run } = world;
    const before = await run(STATUS);
    const dry = await run([...APPLY, "-n"]);
    expect(dry).toMatchObject({ status: 0 });
    expect(dry.lines).toEqual([
      `transition\t${keys.move}\tSTANDARD_IA`,
      `expire\t${keys.expire}\t`,
      `purge\t${keys.purge}\t`,
    ]);
    expect(dry.stderr).toBe(
      `would change the class of 1 attachment, expire 1 attachment, destroy 1 deleted one in ${world.store}\n`,
    );
    expect((await run(STATUS)).stdout).toBe(before.stdout);
    const done = await run(APPLY);
    expect(done.lines).toEqual(dry.lines);
    expect(done.stderr).toBe(
      `changed the class of 1 attachment, expired 1 attachment, destroyed 1 deleted one in ${world.store}\n`,
    );
  });

  test("moves a label, expires into the trash, destroys what was deleted, and leaves the rest", async () => {
    const world = await prepared();
    const { keys, json, run, store } = world;
    const { document } = await json(APPLY);
    expect(itemsOf(document).map(({ key, next }) => [key, (next as { action: string }).action])).toEqual([
      [keys.move, "transition"],
      [keys.expire, "expire"],
      [keys.purge, "purge"],
    ]);
    expect(document["dryRun"]).toBeUndefined();
    const live = await listed(world);
    expect(new Map(live.map(({ key, storageClass }) => [key, storageClass]))).toEqual(
      new Map([
        [keys.move, "STANDARD_IA"],
        [keys.new, "STANDARD"],
      ]),
    );
    expect((await listed(world, "--deleted")).map(({ key }) => key)).toEqual([keys.expire, keys.kept]);
    expect((await run(["attach", "undelete", keys.expire])).status).toBe(0);
    expect((await run(["attach", "verify", "--strict"])).status).toBe(0);
    const own = await readdir(path.join(store, ".taskflow"), { recursive: true });
    expect(own.filter((name) => name.includes("purge.bin") || name.endsWith(".part"))).toEqual([]);
    expect(await run(["attach", "undelete", keys.purge])).toMatchObject({ status: 3 });
  });

  test("a second run has nothing to do", async () => {
    const { run, json, store } = await prepared();
    await run(APPLY);
    expect(await run(APPLY)).toEqual(
      expect.objectContaining({ status: 0, stdout: "", stderr: `nothing is due in ${store}\n` }),
    );
    const { document } = await json(STATUS);
    expect(document["upcoming"].filter(({ pending }: { pending: boolean }) => pending)).toEqual([]);
  });

  test("two at once: each step is done once, and neither fails", async () => {
    const world = await prepared();
    const [one, other] = await Promise.all([world.run(APPLY), world.run(APPLY)]);
    expect([one.status, other.status]).toEqual([0, 0]);
    const removals = [...one.lines, ...other.lines].filter((line) => !line.startsWith("transition"));
    expect(removals.toSorted()).toEqual([`expire\t${world.keys.expire}\t`, `purge\t${world.keys.purge}\t`]);
    expect((await listed(world, "--deleted")).map(({ key }) => key)).toEqual([world.keys.expire, world.keys.kept]);
  });

  test("what was undeleted is no longer destroyed", async () => {
    const world = await prepared();
    await world.run(["attach", "undelete", world.keys.purge]);
    await world.run(APPLY);
    expect((await listed(world)).map(({ key }) => key)).toContain(world.keys.purge);
  });

  test("takes no TASK, and needs a store", async () => {
    const { run } = await createWorld();
    expect(await run([...APPLY, "T-1"])).toMatchObject({ status: 2 });
    expect(await run(APPLY)).toMatchObject({ status: 5 });
  });

  test("other programs' files follow the rules too", async () => {
    const world = await prepared();
    const foreign = path.join(world.store, "tasks/T-1/foreign.txt");
    await appendFile(foreign, "not ours");
    await age(world, "tasks/T-1/foreign.txt", 100);
    expect((await world.run(APPLY)).lines).toContain("expire\ttasks/T-1/foreign.txt\t");
  });
});

test("of several deletions of one key the newest are spared; what is known of it goes with the last", async () => {
  const world = await createWorld();
  const key = await world.attach("T-1", "twice.txt", "first");
  await world.run(["attach", "delete", key]);
  await appendFile(path.join(world.store, key), "second, by another program");
  await world.run(["attach", "delete", key]);
  await ageDeletions(world, "T-1", 5);
  const purge = (spare: object): LifecycleRule[] => [
    { ID: "p", Status: "Enabled", Filter: {}, NoncurrentVersionExpiration: { NoncurrentDays: 1, ...spare } },
  ];
  const files = async (): Promise<number> =>
    (await readdir(path.join(world.store, ".taskflow"), { recursive: true })).filter((name) => name.includes("twice"))
      .length;
  // Both contents, and the record.
  expect(await files()).toBe(3);
  await writeRules(world, purge({ NewerNoncurrentVersions: 1 }));
  expect((await world.run(APPLY)).lines).toEqual([`purge\t${key}\t`]);
  expect(await files()).toBe(2);
  expect((await listed(world, "--deleted")).map(({ size }) => size)).toEqual(["second, by another program".length]);
  await writeRules(world, purge({}));
  expect((await world.run(APPLY)).lines).toEqual([`purge\t${key}\t`]);
  expect(await files()).toBe(0);
});

describe("status and apply agree", () => {
  const CLASSES = [
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
  ] as const;
  const days = fc.integer({ min: 1, max: 60 });
  const filter = fc.constantFrom<NonNullable<LifecycleRule["Filter"]>>(
    {},
    { Prefix: "tasks/T-1/" },
    { Tag: { Key: "kind", Value: "log" } },
    { ObjectSizeGreaterThan: 100 },
    { And: { Prefix: "tasks/", ObjectSizeLessThan: 1000, Tags: [{ Key: "kind", Value: "log" }] } },
  );
  const later = (to: string, after: number): number => (to.endsWith("_IA") ? 30 : 0) + after;
  const rule: fc.Arbitrary<LifecycleRule> = fc
    .record({
      filter,
      enabled: fc.boolean(),
      to: fc.constantFrom(...CLASSES),
      days,
      newer: fc.constantFrom(undefined, 1, 2),
      kind: fc.constantFrom("move", "expire", "purge", "moveDeleted"),
    })
    .map(({ filter: Filter, enabled, to, days: after, newer, kind }): LifecycleRule => {
      const spare = newer === undefined ? {} : { NewerNoncurrentVersions: newer };
      const base = { Status: enabled ? ("Enabled" as const) : ("Disabled" as const), Filter };
      if (kind === "move") return { ...base, Transitions: [{ Days: later(to, after), StorageClass: to }] };
      if (kind === "expire") return { ...base, Expiration: { Days: after } };
      if (kind === "purge") return { ...base, NoncurrentVersionExpiration: { NoncurrentDays: after, ...spare } };
      const move = { NoncurrentDays: later(to, after), StorageClass: to, ...spare };
      return { ...base, NoncurrentVersionTransitions: [move] };
    });
  const object = fc.record({
    task: fc.constantFrom("T-1", "T-2"),
    size: fc.constantFrom(10, 500, 140_000),
    tagged: fc.boolean(),
    days: fc.integer({ min: 0, max: 120 }),
    storageClass: fc.constantFrom("STANDARD", "STANDARD_IA", "GLACIER"),
    deleted: fc.boolean(),
  });

  interface Told {
    readonly next: { readonly action: string; readonly to: string | null; readonly pending: boolean } | null;
  }

  async function pending(world: World): Promise<string[]> {
    const told: string[] = [];
    for (const task of ["T-1", "T-2"]) {
      for (const item of itemsOf((await world.json([...STATUS, task])).document)) {
        const { next } = item as Item & Told;
        if (next?.pending === true) told.push(`${next.action}\t${item.key}\t${next.to ?? ""}`);
      }
    }
    return told;
  }

  test("for random rules and attachments: the dry run, and then the run, do just what status calls pending", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 4 }),
        fc.array(object, { minLength: 1, maxLength: 6 }),
        async (rules, objects) => {
          const world = await createWorld();
          await writeRules(world, []);
          for (const [n, { task, size, tagged, days: ago, storageClass, deleted }] of objects.entries()) {
            const options = [...(tagged ? ["--tag", "kind=log"] : []), "--storage-class", storageClass];
            // A task of its own: its deletion is aged with all others of it.
            const key = await world.attach(deleted ? `T-1` : task, `${n}.bin`, Buffer.alloc(size), ...options);
            if (deleted) await world.run(["attach", "delete", key]);
            else await age(world, key, ago);
          }
          if (objects.some(({ deleted }) => deleted)) await ageDeletions(world, "T-1", objects[0]?.days ?? 0);
          await writeRules(world, rules);
          const told = await pending(world);
          expect((await world.run([...APPLY, "-n"])).lines).toEqual(told);
          const left = (await listed(world)).length + (await listed(world, "--deleted")).length;
          const { status, lines } = await world.run(APPLY);
          expect({ status, lines }).toEqual({ status: 0, lines: told });
          const purged = told.filter((line) => line.startsWith("purge")).length;
          expect((await listed(world)).length + (await listed(world, "--deleted")).length).toBe(left - purged);
          expect((await pending(world)).filter((line) => told.includes(line))).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });
});
