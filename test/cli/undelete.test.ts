import { describe, expect, test } from "vitest";
import { snapshot } from "./snapshot.ts";
import { createWorld, itemsOf, matching, nextMillisecond } from "./support.ts";

describe("undelete", () => {
  test("brings back what was deleted as it was, and prints each key", async () => {
    const { run, json, attach, store } = await createWorld();
    const key = await attach("T-1", "dir/a.txt", "hello", "--note", "n", "--storage-class", "GLACIER", "--tag", "a=b");
    const before = itemsOf((await json(["attach", "show", key])).document);
    await run(["attach", "delete", key]);
    const { status, stdout, stderr } = await run(["attach", "undelete", "T-1", "dir/a.txt"]);
    expect([status, stdout, stderr]).toEqual([0, `${key}\n`, `brought back 1 attachment in ${store}\n`]);
    expect((await json(["attach", "show", key])).document["items"]).toEqual(before);
    expect((await run(["attach", "download", key, "-o", "-"])).stdout).toBe("hello");
  });

  test("--all everything deleted from the task, --since what was deleted since; also as restore and with --task", async () => {
    const { run, json, attach } = await createWorld();
    const [early, late] = [await attach("T-1", "early"), await attach("T-1", "late")];
    await run(["attach", "delete", early]);
    const deletedAt = (await json(["attach", "list", "--deleted"])).document["items"][0].deletedAt as string;
    const after = new Date(Date.parse(deletedAt) + 1);
    await nextMillisecond();
    await nextMillisecond();
    await run(["attach", "delete", late]);
    const none = await run(["attach", "undelete", "T-1", "--since", "2099-01-01"]);
    expect([none.status, none.stdout, none.stderr]).toEqual([
      0,
      "",
      expect.stringContaining("brought back nothing in "),
    ]);
    expect((await run(["attach", "restore", "T-1", "--since", after.toISOString()])).lines).toEqual([late]);
    await run(["attach", "delete", late]);
    expect((await run(["attach", "undelete", "--task", "T-1", "--all"])).lines).toEqual([early, late].toSorted());
    expect((await run(["attach", "undelete", "T-1", "--all"])).lines).toEqual([]);
    await run(["attach", "delete", "T-1", "--all"]);
    expect((await run(["attach", "undelete", "T-1", "--since", "1h"])).lines).toHaveLength(2);
  });

  test("a live one is exit 9 exists, one that never was is exit 3", async () => {
    const { json, attach } = await createWorld();
    const key = await attach("T-1", "a.txt");
    const id = /[0-9a-f-]{36}/.exec(key)?.[0] ?? "";
    for (const argv of [["T-1", "a.txt"], [key], ["T-1", id], ["T-1", id.slice(0, 8)]]) {
      const { status, document } = await json(["attach", "undelete", ...argv]);
      expect([status, document["errors"][0]]).toEqual([
        9,
        expect.objectContaining({ code: "exists", message: matching("is not deleted") }),
      ]);
    }
    expect((await json(["attach", "undelete", "T-1", "never"])).document["errors"]).toMatchObject([
      { code: "not_found", exit: 3, hint: "taskflow attach list T-1 --deleted" },
    ]);
  });

  test("some back, some not: 7", async () => {
    const { run, json, attach } = await createWorld();
    const gone = await attach("T-1", "gone");
    await attach("T-1", "live");
    await run(["attach", "delete", gone]);
    const { status, document } = await json(["attach", "undelete", "T-1", "live", "gone"]);
    expect([status, document["items"][0].key, document["errors"][0].index]).toEqual([7, gone, 0]);
    expect(document["items"][0]).toMatchObject({ deleted: false });
    expect(document["items"][0].deletedAt).toBeUndefined();
  });

  test("without items, or with items beside --all or --since, is exit 2", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a");
    expect((await run(["attach", "undelete", "T-1"])).stderr).toContain("--since 1h");
    for (const argv of [["T-1"], ["T-1", "a", "--all"], ["T-1", "a", "--since", "1h"], ["T-1", "--since", "x"]]) {
      expect([argv, (await run(["attach", "undelete", ...argv])).status]).toEqual([argv, 2]);
    }
  });

  test("a dry run changes nothing at all", async () => {
    const { run, json, attach, cwd } = await createWorld();
    const key = await attach("T-1", "a");
    await run(["attach", "delete", key]);
    const before = await snapshot(cwd);
    const { status, stdout, stderr } = await run(["attach", "undelete", "T-1", "--all", "-n"]);
    expect([status, stdout, stderr]).toEqual([0, `${key}\n`, expect.stringContaining("would bring back 1 attachment")]);
    expect((await json(["attach", "undelete", "T-1", "a", "-n"])).document).toMatchObject({ dryRun: true, ok: true });
    expect(await snapshot(cwd)).toEqual(before);
  });

  test("of a name deleted several times refuses and lists the ids; the last deleted content of one key comes back", async () => {
    const { run, json, attach } = await createWorld();
    const keys = [await attach("T-1", "a"), await attach("T-1", "a")];
    await run(["attach", "delete", "T-1", "--all"]);
    const { status, document } = await json(["attach", "undelete", "T-1", "a"]);
    expect([status, document["errors"][0].code]).toEqual([2, "ambiguous"]);
    for (const key of keys) expect(document["errors"][0].message).toContain(key.slice("tasks/T-1/".length, -2));
    for (let round = 0; round < 3; round += 1) {
      expect((await run(["attach", "undelete", ...keys])).status).toBe(0);
      expect((await run(["attach", "delete", ...keys])).status).toBe(0);
    }
  });
});
