import { expect, test } from "vitest";
import { calm, collect, eachAtOnce, keysOf, putText } from "./bodies.ts";
import type { Suite } from "./suite.ts";

export function manyPromises({ driver, reopened, manyKeys, exceptions }: Suite): void {
  test(
    "more keys than a page holds are listed, deleted, brought back and purged, each exactly once",
    { timeout: 300_000 },
    async () => {
      const keys = Array.from(
        { length: manyKeys },
        (_, n) => `tasks/${n % 3}/${String(n).padStart(6, "0")}_file`,
      ).sort();
      await eachAtOnce(keys, 64, async (key) => {
        await putText(driver(), key, "x");
      });
      expect(await keysOf(driver().list("", { signal: calm }))).toEqual(keys);
      const after = keys[Math.floor(keys.length / 2)] ?? "";
      expect(await keysOf(driver().list("", { after, signal: calm }))).toEqual(keys.filter((key) => key > after));
      const deleted = await collect(driver().delete(keys, { signal: calm }));
      expect(deleted.map(({ key }) => key)).toEqual(keys);
      expect(deleted.filter(({ error, existed }) => error !== undefined || existed === false)).toEqual([]);
      expect(await keysOf(driver().list("", { signal: calm }))).toEqual([]);
      const { versions } = driver();
      if (versions === undefined) return;
      if (exceptions.keepsNothing !== undefined) {
        expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([]);
        return;
      }
      expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual(keys);
      expect(await collect(versions.undelete(keys, { signal: calm }))).toEqual(keys.map((key) => ({ key })));
      expect(await keysOf(driver().list("", { signal: calm }))).toEqual(keys);
      expect(await collect(versions.purge(keys, { signal: calm }))).toEqual(keys.map((key) => ({ key })));
      expect(await keysOf(driver().list("", { signal: calm }))).toEqual([]);
      expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([]);
    },
  );

  test("its location is one printable line, the same for every driver of the store", async () => {
    expect(driver().location).toMatch(/^[^\u0000-\u001f]+$/);
    expect((await reopened()).location).toBe(driver().location);
  });

  test("what it supports is told", () => {
    const { ifAbsent, storageClass, tags, maxSize } = driver().supports;
    expect([ifAbsent, storageClass, tags].every((told) => typeof told === "boolean")).toBe(true);
    expect(maxSize).toBeGreaterThanOrEqual(5 * 1024 ** 3);
  });

  test("it may be closed twice, and while something that was got is unread", async () => {
    await putText(driver(), "tasks/T-1/a", "x".repeat(2_000_000));
    await driver().get("tasks/T-1/a", { signal: calm });
    await driver().close();
    await driver().close();
  });
}
