import { expect, test } from "vitest";
import type { TestContext } from "vitest";
import type { KeyResult, Versions } from "../../src/storage/driver.ts";
import { CREATED, calm, collect, keysOf, putText, readText, text } from "./bodies.ts";
import { rejection } from "./expect-code.ts";
import type { Suite } from "./suite.ts";

const KEY = "tasks/T-1/a";

export function versionPromises({ driver, reopened, plant, exceptions }: Suite): void {
  function versionsHere(context: TestContext): Versions {
    return driver().versions ?? context.skip("this store keeps nothing that was deleted");
  }

  async function remove(...keys: string[]): Promise<void> {
    for (const { error } of await collect(driver().delete(keys, { signal: calm }))) expect(error).toBeUndefined();
  }

  const codes = (results: KeyResult[]): string[] => results.map(({ error }) => error?.code ?? "done");

  test("what was deleted is listed in key order, one row a key, and what is live is not", async (context) => {
    const versions = versionsHere(context);
    const keys = ["tasks/1-a/x", "tasks/1/B", "tasks/1/a", "tasks/1/\ue000", "tasks/1/😀", "tasks/2/x"];
    await Promise.all([...keys, "tasks/1/live"].map((key) => putText(driver(), key)));
    await remove("tasks/1/a");
    await remove(...[...keys].reverse());
    const listDeleted = (prefix: string, after?: string): Promise<string[]> =>
      keysOf(versions.listDeleted(prefix, { signal: calm, ...(after === undefined ? {} : { after }) }));
    expect(await listDeleted("")).toEqual(keys);
    expect(await listDeleted("tasks/1/")).toEqual(keys.slice(1, 5));
    expect(await listDeleted("tasks/1/a")).toEqual(["tasks/1/a"]);
    expect(await listDeleted("", "tasks/1/a")).toEqual(keys.slice(3));
    expect(await listDeleted("tasks/none/")).toEqual([]);
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual(["tasks/1/live"]);
  });

  test("a deleted row tells what the live one told, and when it was deleted", async (context) => {
    const versions = versionsHere(context);
    await putText(driver(), KEY, "hello");
    const [row] = await collect(driver().list("", { signal: calm }));
    const [deleted] = await collect(driver().delete([KEY], { signal: calm }));
    expect(await collect(versions.listDeleted("", { signal: calm }))).toEqual([
      { ...row, deletedAt: deleted?.deletedAt },
    ]);
  });

  test("headDeleted tells what head told, and when it was deleted", async (context) => {
    const versions = versionsHere(context);
    const record = { name: "ü.pdf", createdAt: CREATED, uploadedBy: "ada", note: "n", meta: { k: "v" } };
    await rejection(versions.headDeleted(KEY, { signal: calm }), "not_found");
    const stored = await putText(driver(), KEY, "hello", { record, type: "text/plain" });
    await rejection(versions.headDeleted(KEY, { signal: calm }), "not_found");
    const [deleted] = await collect(driver().delete([KEY], { signal: calm }));
    expect(await versions.headDeleted(KEY, { signal: calm })).toEqual({ ...stored, deletedAt: deleted?.deletedAt });
  });

  test("undelete brings back all of it: bytes, record, type, tags, class and time", async (context) => {
    const versions = versionsHere(context);
    const { supports } = driver();
    const stored = await putText(driver(), KEY, "hello", {
      type: "text/plain",
      ...(supports.tags ? { tags: { a: "b" } } : {}),
      ...(supports.storageClass ? { storageClass: "STANDARD_IA" } : {}),
    });
    await remove(KEY);
    expect(await collect(versions.undelete([KEY], { signal: calm }))).toEqual([{ key: KEY }]);
    const other = await reopened();
    expect(await other.head(KEY, { signal: calm })).toEqual(stored);
    expect(await readText(other, KEY)).toBe("hello");
    expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([]);
    await rejection(versions.headDeleted(KEY, { signal: calm }), "not_found");
  });

  test("what another program put there comes back without a record", async (context) => {
    const versions = versionsHere(context);
    await plant(KEY, text("foreign"));
    const before = await driver().head(KEY, { signal: calm });
    await remove(KEY);
    expect(codes(await collect(versions.undelete([KEY], { signal: calm })))).toEqual(["done"]);
    const after = await driver().head(KEY, { signal: calm });
    expect({ ...after, type: before.type }).toEqual(before);
    expect(await readText(driver(), KEY)).toBe("foreign");
  });

  test("undelete has one result a key, in the order given: `exists` for a live one, `not_found` where nothing is kept", async (context) => {
    const versions = versionsHere(context);
    await Promise.all(["tasks/1/live", "tasks/1/a", "tasks/2/b"].map((key) => putText(driver(), key)));
    await remove("tasks/1/a", "tasks/2/b");
    const keys = ["tasks/2/b", "tasks/1/live", "tasks/1/none", "tasks/1/a", "tasks/1/a", "odd"];
    const results = await collect(versions.undelete(keys, { signal: calm }));
    expect(results.map(({ key }) => key)).toEqual(keys);
    expect(codes(results)).toEqual(["done", "exists", "not_found", "done", "exists", "not_found"]);
    expect(await readText(driver(), "tasks/1/live")).toBe("the bytes of tasks/1/live");
  });

  test("deleted and brought back again and again it is the same", async (context) => {
    const versions = versionsHere(context);
    const stored = await putText(driver(), KEY, "hello");
    for (let round = 0; round < 5; round += 1) {
      await remove(KEY);
      expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([KEY]);
      expect(codes(await collect(versions.undelete([KEY], { signal: calm })))).toEqual(["done"]);
    }
    expect(await driver().head(KEY, { signal: calm })).toEqual(stored);
  });

  test("what was deleted last is what comes back", async (context) => {
    const versions = versionsHere(context);
    await putText(driver(), KEY, "first");
    await remove(KEY);
    if (exceptions.writtenOnce !== undefined) await plant(KEY, text("second"));
    else await putText(driver(), KEY, "second");
    expect(await keysOf(versions.listDeleted("", { signal: calm })), "a live key is not among them").toEqual([]);
    // So that the two deletes are told apart by clocks that tick in milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 5));
    await remove(KEY);
    expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([KEY]);
    expect((await versions.headDeleted(KEY, { signal: calm })).size).toBe("second".length);
    expect(codes(await collect(versions.undelete([KEY], { signal: calm })))).toEqual(["done"]);
    expect(await readText(driver(), KEY)).toBe("second");
  });

  test("purge destroys live and deleted ones, `not_found` where there is nothing, one result a key in order", async (context) => {
    const versions = versionsHere(context);
    await Promise.all(["tasks/1/live", "tasks/1/dead", "tasks/1/other"].map((key) => putText(driver(), key)));
    await remove("tasks/1/dead");
    const keys = ["tasks/1/none", "tasks/1/dead", "tasks/1/live", "tasks/1/live", "odd"];
    const results = await collect(versions.purge(keys, { signal: calm }));
    expect(results.map(({ key }) => key)).toEqual(keys);
    expect(codes(results)).toEqual(["not_found", "done", "done", "not_found", "not_found"]);
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual(["tasks/1/other"]);
    expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([]);
    expect(codes(await collect(versions.undelete(["tasks/1/dead", "tasks/1/live"], { signal: calm })))).toEqual([
      "not_found",
      "not_found",
    ]);
  });

  test("purge destroys every version of a key, and leaves it free", async (context) => {
    const versions = versionsHere(context);
    await putText(driver(), KEY, "first");
    await remove(KEY);
    await plant(KEY, text("second"));
    expect(codes(await collect(versions.purge([KEY], { signal: calm })))).toEqual(["done"]);
    expect(codes(await collect(versions.undelete([KEY], { signal: calm })))).toEqual(["not_found"]);
    const stored = await putText(driver(), KEY, "third", { type: "text/plain" });
    expect(await driver().head(KEY, { signal: calm })).toEqual(stored);
    expect(await readText(driver(), KEY)).toBe("third");
  });

  test("two undeletes at once: one brings it back, the other says it is there", async (context) => {
    const versions = versionsHere(context);
    const other = (await reopened()).versions ?? versions;
    await putText(driver(), KEY, "hello");
    for (let round = 0; round < 20; round += 1) {
      await remove(KEY);
      const results = await Promise.all([
        collect(versions.undelete([KEY], { signal: calm })),
        collect(other.undelete([KEY], { signal: calm })),
      ]);
      const both = codes(results.flat()).sort();
      if (exceptions.bothUndeletesMayWin !== undefined) expect(both).toContain("done");
      else expect(both).toEqual(["done", "exists"]);
      expect(await readText(driver(), KEY)).toBe("hello");
    }
  });

  test("delete, undelete and purge at once end in one state: live, deleted or gone", async (context) => {
    const versions = versionsHere(context);
    const other = await reopened();
    const purger = (await reopened()).versions ?? versions;
    for (let round = 0; round < 20; round += 1) {
      const key = `tasks/T-1/round-${round}`;
      await putText(driver(), key, "hello");
      if (round % 2 === 0) await remove(key);
      const [, , purged] = await Promise.all([
        collect(other.delete([key], { signal: calm })),
        collect(versions.undelete([key], { signal: calm })),
        collect(purger.purge([key], { signal: calm })),
      ]);
      const live = await keysOf(driver().list(key, { signal: calm }));
      const deleted = await keysOf(versions.listDeleted(key, { signal: calm }));
      if (codes(purged)[0] === "done") expect([...live, ...deleted], "purged is gone").toEqual([]);
      else expect([...live, ...deleted]).toEqual([key]);
      if (live.length > 0) expect(await readText(driver(), key)).toBe("hello");
    }
  });

  test("a signal that was aborted before is `interrupted`, and nothing changes", async (context) => {
    const versions = versionsHere(context);
    await putText(driver(), KEY);
    await putText(driver(), "tasks/T-1/b");
    await remove(KEY);
    const signal = AbortSignal.abort();
    await rejection(collect(versions.listDeleted("", { signal })), "interrupted");
    await rejection(versions.headDeleted(KEY, { signal }), "interrupted");
    await rejection(collect(versions.undelete([KEY], { signal })), "interrupted");
    await rejection(collect(versions.purge([KEY, "tasks/T-1/b"], { signal })), "interrupted");
    expect(await keysOf(versions.listDeleted("", { signal: calm }))).toEqual([KEY]);
    expect(await keysOf(driver().list("", { signal: calm }))).toEqual(["tasks/T-1/b"]);
  });
}
