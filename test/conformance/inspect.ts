import { expect, test } from "vitest";
import { calm, collect, putText, text } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/a";

export function inspectPromises({ driver, plant, exceptions }: Suite): void {
  const entries = async (key = KEY): Promise<unknown> => {
    const { versions } = await driver().inspect(key, { signal: calm });
    return versions?.entries.map(({ kind, isLatest, size, storageClass }) => ({ kind, isLatest, size, storageClass }));
  };
  const LATEST = { kind: "version", isLatest: true, size: 5, storageClass: "STANDARD" };

  test("tells of the object what head tells", async () => {
    await putText(driver(), KEY, "hello", {
      type: "text/plain",
      ...(driver().supports.tags ? { tags: { a: "b" } } : {}),
    });
    const { object } = await driver().inspect(KEY, { signal: calm });
    expect(object).toEqual(await driver().head(KEY, { signal: calm }));
  });

  test("of what was never there, or was deleted, is `not_found`", async () => {
    await rejection(driver().inspect(KEY, { signal: calm }), "not_found");
    await putText(driver(), KEY);
    await collect(driver().delete([KEY], { signal: calm }));
    await rejection(driver().inspect(KEY, { signal: calm }), "not_found");
    await rejection(driver().inspect("odd", { signal: calm }), "not_found");
  });

  test("tells the one version of what was written once, and nothing of its neighbours", async () => {
    for (const key of [KEY, `${KEY}b`, "tasks/T-10/a"]) await putText(driver(), key, "hello");
    expect(await entries()).toEqual([LATEST]);
    const { versions } = await driver().inspect(KEY, { signal: calm });
    const { modifiedAt } = await driver().head(KEY, { signal: calm });
    expect(versions?.entries[0]?.modifiedAt).toEqual(modifiedAt);
    expect(versions?.hasMore).toBe(false);
  });

  test("tells delete markers and what they hide, the newest first, where that is kept", async () => {
    await putText(driver(), KEY, "first");
    await collect(driver().delete([KEY], { signal: calm }));
    await plant(KEY, text("again"));
    const hidden = [
      { kind: "delete-marker", isLatest: false, size: 0, storageClass: null },
      { ...LATEST, isLatest: false },
    ];
    expect(await entries()).toEqual([LATEST, ...(exceptions.keepsNothing === undefined ? hidden : [])]);
  });

  test("a signal that was aborted before is `interrupted`", async () => {
    await putText(driver(), KEY);
    await rejection(driver().inspect(KEY, { signal: AbortSignal.abort() }), "interrupted");
  });
}
