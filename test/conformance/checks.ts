import { expect, test } from "vitest";
import { TaskflowError } from "../../src/errors.ts";
import type { CheckOptions, CheckResult } from "../../src/storage/check.ts";
import { calm, collect, keysOf, putText } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/a";
const LOOK: CheckOptions = { write: false, origin: null, fix: false, signal: calm };

/** `check` and `archive`, where a store has them. */
export function checkPromises({ driver }: Suite): void {
  async function check(options: Partial<CheckOptions>): Promise<CheckResult[]> {
    const checks = driver().check?.({ ...LOOK, ...options });
    if (checks === undefined) throw new Error("a driver without checks");
    return await collect(checks);
  }

  test("each check has an id of its own and a line, a failure its error; nothing fails in a store that works", async () => {
    await putText(driver(), KEY, "hello");
    const results = await check({});
    expect(results.length).toBeGreaterThan(5);
    expect(new Set(results.map(({ id }) => id)).size).toBe(results.length);
    for (const { id, message } of results) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(message).toMatch(/^[^\u0000-\u001f]+$/);
    }
    expect(results.filter(({ status }) => status === "fail")).toEqual([]);
  });

  test("a probe is put, read, listed and deleted, and is no longer listed then", async () => {
    const before = await keysOf(driver().list("", { signal: calm }));
    const results = await check({ write: true });
    const steps = results.filter(({ id }) => /^write-(put|once|read|list|delete)$/.test(id));
    expect(steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "write-put ok",
      "write-read ok",
      "write-once ok",
      "write-list ok",
      "write-delete ok",
    ]);
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual(before);
  });

  test("an aborted signal ends the checks with its reason", async () => {
    const signal = AbortSignal.abort(new TaskflowError("interrupted", "stop"));
    expect((await rejection(check({ signal }), "interrupted")).message).toBe("stop");
  });

  test("what is not archived is not asked for, and what is not there is not_found", async () => {
    const { archive } = driver();
    if (archive === undefined) {
      await putText(driver(), KEY, "hello", { storageClass: "GLACIER" });
      expect((await driver().head(KEY, { signal: calm })).archive).toBeUndefined();
      return;
    }
    const how = { days: 1, tier: "standard", dryRun: false, signal: calm } as const;
    await putText(driver(), KEY, "hello");
    expect(await archive.thaw(KEY, how)).toEqual({ key: KEY, outcome: "not_archived", archive: null, usually: null });
    await rejection(archive.thaw("tasks/T-1/none", how), "not_found");
  });
}
