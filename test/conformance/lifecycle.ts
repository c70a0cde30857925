/** What the lifecycle of a store promises; what its rules do is the forecast's, and tested there. */
import { expect, test } from "vitest";
import type { TestContext } from "vitest";
import type {
  KeptVersion,
  Lifecycle,
  LifecycleStep,
  NoncurrentVersion,
} from "../../src/storage/lifecycle/lifecycle.ts";
import { calm, collect, putText } from "./bodies.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import type { Suite } from "./suite.ts";

const KEYS = ["tasks/T-1/a", "tasks/T-1/b", "tasks/T-2/c"] as const;
const options = { signal: calm };

export function lifecyclePromises(suite: Suite): void {
  tellingPromises(suite);
  if (suite.exceptions.appliesItself === undefined) applyingPromises(suite);
  else {
    test(`nothing is to be applied: ${suite.exceptions.appliesItself}`, () => {
      expect(suite.driver().lifecycle?.apply).toBeUndefined();
    });
  }
}

const kept = (lifecycle: Lifecycle, prefix = ""): Promise<KeptVersion[]> => collect(lifecycle.kept(prefix, options));

async function remove(driver: StorageDriver, key: string): Promise<Date> {
  const [result] = await collect(driver.delete([key], options));
  expect(result?.error).toBeUndefined();
  return result?.deletedAt ?? new Date(0);
}

function tellingPromises({ driver, exceptions }: Suite): void {
  // A store within a store (scoped.ts) has none.
  function lifecycleHere(context: TestContext): Lifecycle {
    return driver().lifecycle ?? context.skip("this store has no lifecycle");
  }

  test("a store without rules of its own tells its defaults, or none", async (context) => {
    const rules = await lifecycleHere(context).rules(options);
    expect(rules?.rules.every(({ Status }) => Status === "Enabled")).toBe(true);
  });

  test("what is live is told as a listing tells it, in key order and by prefix", async (context) => {
    const lifecycle = lifecycleHere(context);
    for (const key of KEYS.toReversed()) await putText(driver(), key, key);
    const listed = await collect(driver().list("", options));
    const versions = await kept(lifecycle);
    expect(versions.map(({ key, state }) => [key, state])).toEqual(KEYS.map((key) => [key, "current"]));
    for (const [n, version] of versions.entries()) expect(version).toMatchObject({ ...listed[n] });
    expect((await kept(lifecycle, "tasks/T-2/")).map(({ key }) => key)).toEqual([KEYS[2]]);
    expect(await kept(lifecycle, "tasks/T-3/")).toEqual([]);
    const { keepsNothing } = exceptions;
    const isUndoable = keepsNothing === undefined;
    expect(versions.every((version) => version.state === "current" && version.undoable === isUndoable)).toBe(true);
  });

  if (exceptions.keepsNothing === undefined) {
    test("what is deleted is told with the time of its deletion", async (context) => {
      const lifecycle = lifecycleHere(context);
      for (const key of KEYS) await putText(driver(), key, key);
      const deletedAt = await remove(driver(), KEYS[1]);
      const version = (await kept(lifecycle)).find(({ key }) => key === KEYS[1]);
      expect(version).toMatchObject({ state: "noncurrent", newer: 0, noncurrentSince: deletedAt, deletedAt, size: 11 });
    });
  }

  test("tags are told, of deleted ones too", async (context) => {
    const lifecycle = lifecycleHere(context);
    await putText(driver(), KEYS[0], "x", { tags: { kind: "log" } });
    await putText(driver(), KEYS[1], "x");
    const tags = async (): Promise<unknown[]> => {
      const told: unknown[] = [];
      for (const version of await kept(lifecycle)) {
        if (version.state !== "marker") told.push(await lifecycle.tags(version, options));
      }
      return told;
    };
    expect(await tags()).toEqual([{ kind: "log" }, {}]);
    if (exceptions.keepsNothing !== undefined) return;
    await remove(driver(), KEYS[0]);
    expect(await tags()).toEqual([{ kind: "log" }, {}]);
  });

  test("there are no unfinished uploads where none was begun", async (context) => {
    const lifecycle = lifecycleHere(context);
    await putText(driver(), KEYS[0], "x");
    expect(await collect(lifecycle.unfinished("tasks/", options))).toEqual([]);
  });
}

function applyingPromises({ driver, reopened }: Suite): void {
  function lifecycleHere(): Required<Lifecycle> {
    const { lifecycle } = driver();
    if (lifecycle?.apply === undefined) throw new Error("a driver without apply");
    return { ...lifecycle, apply: lifecycle.apply };
  }

  async function stepsOf(lifecycle: Lifecycle): Promise<LifecycleStep[]> {
    const [live, moved, deleted] = await kept(lifecycle);
    if (live?.state !== "current" || moved?.state !== "current" || deleted?.state !== "noncurrent") {
      throw new Error("other versions than were made");
    }
    return [
      { action: "purge", version: deleted },
      { action: "expire", version: live },
      { action: "transition", version: moved, to: "GLACIER" },
    ];
  }

  test("what is due is done in the order given, and lasts", async () => {
    const lifecycle = lifecycleHere();
    const { apply } = lifecycle;
    for (const key of KEYS) await putText(driver(), key, key);
    await remove(driver(), KEYS[2]);
    const steps = await stepsOf(lifecycle);
    expect(await collect(apply(steps, options))).toEqual(steps.map((step) => ({ step })));
    const after = (await reopened()).lifecycle;
    expect(after && (await kept(after)).map(({ key, state }) => [key, state])).toEqual([
      [KEYS[0], "noncurrent"],
      [KEYS[1], "current"],
    ]);
    expect((await driver().head(KEYS[1], options)).storageClass).toBe("GLACIER");
    await putText(driver(), KEYS[2], "again");
    expect((await driver().head(KEYS[2], options)).storageClass).toBe("STANDARD");
  });

  test("a version that is no longer as it was is left alone, and that is told", async () => {
    const lifecycle = lifecycleHere();
    const { apply } = lifecycle;
    for (const key of KEYS) await putText(driver(), key, key);
    await remove(driver(), KEYS[2]);
    const steps = await stepsOf(lifecycle);
    // Each has changed: brought back, deleted, moved already.
    await collect(driver().versions?.undelete([KEYS[2]], options) ?? none());
    await remove(driver(), KEYS[0]);
    const [, , move] = steps;
    if (move === undefined) throw new Error("no step");
    await collect(apply([move], options));
    const results = await collect(apply(steps, options));
    expect(results.map(({ error }) => error?.code)).toEqual(["changed", "changed", "changed"]);
    expect((await kept(lifecycle)).map(({ key, state }) => [key, state])).toEqual([
      [KEYS[0], "noncurrent"],
      [KEYS[1], "current"],
      [KEYS[2], "current"],
    ]);
  });

  test("a deletion of the same key at another time is another version", async () => {
    const lifecycle = lifecycleHere();
    const { apply } = lifecycle;
    await putText(driver(), KEYS[0], "x");
    await remove(driver(), KEYS[0]);
    const [version] = await kept(lifecycle);
    if (version?.state !== "noncurrent") throw new Error("not deleted");
    const other: NoncurrentVersion = { ...version, noncurrentSince: new Date(version.noncurrentSince.getTime() - 1) };
    const [result] = await collect(apply([{ action: "purge", version: other }], options));
    expect(result?.error?.code).toBe("changed");
    expect(await kept(lifecycle)).toHaveLength(1);
  });
}

async function* none(): AsyncGenerator<never> {
  // A store without versions.
}
