/** What holds instead of the promises of versions where a delete is for good, but the driver can't know before. */
import { expect, test } from "vitest";
import type { Versions } from "../../src/storage/driver.ts";
import { calm, collect, keysOf, putText, readText } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/a";

export function goneForGoodPromises({ driver, reopened }: Suite): void {
  function versionsHere(): Versions {
    const { versions } = driver();
    if (versions === undefined) throw new Error("a driver without versions needs no exception");
    return versions;
  }

  test("the store says so when it is asked", async () => {
    expect(await versionsHere().keepsDeleted?.({ signal: calm })).toBe(false);
  });

  test("what was deleted can't be undone, is not listed and does not come back", async () => {
    await putText(driver(), KEY);
    const [result] = await collect(driver().delete([KEY], { signal: calm }));
    expect(result).toMatchObject({ key: KEY, undoable: false });
    const versions = versionsHere();
    expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([]);
    const [undone] = await collect(versions.undelete([KEY], { signal: calm }));
    const code = undone?.error?.code ?? "internal";
    // The latter where nothing ever was kept.
    expect(["not_found", "unsupported"]).toContain(code);
    await rejection(versions.headDeleted(KEY, { signal: calm }), code);
    await rejection((await reopened()).head(KEY, { signal: calm }), "not_found");
  });

  test("undelete of a live key is `exists`, and leaves it as it is", async () => {
    const stored = await putText(driver(), KEY, "hello");
    const [result] = await collect(versionsHere().undelete([KEY], { signal: calm }));
    expect(result?.error?.code).toBe("exists");
    expect(await driver().head(KEY, { signal: calm })).toEqual(stored);
  });

  test("a key that was deleted is free, and what comes next is all of its own", async () => {
    await putText(driver(), KEY, "first", { type: "text/x-first" });
    await collect(driver().delete([KEY], { signal: calm }));
    const stored = await putText(driver(), KEY, "second", { type: "text/x-second" });
    expect(await driver().head(KEY, { signal: calm })).toEqual(stored);
    expect(await readText(driver(), KEY)).toBe("second");
  });

  test("purge destroys what is live, and `not_found` where there is nothing", async () => {
    await Promise.all(["tasks/1/a", "tasks/1/gone", "tasks/1/other"].map((key) => putText(driver(), key)));
    await collect(driver().delete(["tasks/1/gone"], { signal: calm }));
    const keys = ["tasks/1/none", "tasks/1/a", "tasks/1/a"];
    const results = await collect(versionsHere().purge(keys, { signal: calm }));
    expect(results.map(({ key }) => key)).toEqual(keys);
    expect(results.map(({ error }) => error?.code)).toEqual(["not_found", undefined, "not_found"]);
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual(["tasks/1/other"]);
    await putText(driver(), "tasks/1/a", "again");
    expect(await readText(driver(), "tasks/1/a")).toBe("again");
  });
}
