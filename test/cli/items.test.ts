/** TASK first, then the items: what an ITEM stands for, in every command that takes some. */
import { describe, expect, test } from "vitest";
import { createWorld, itemsOf } from "./support.ts";
import type { World } from "./support.ts";

const keysOf = async ({ json }: World, argv: readonly string[], stdin?: string): Promise<unknown> => {
  const { status, document } = await json(argv, stdin === undefined ? {} : { stdin });
  const keys = itemsOf(document).map(({ key }) => key);
  const errors = document["errors"] as readonly { code: string }[];
  return status === 0 ? keys : [...keys, ...errors.map(({ code }) => code)];
};

function idOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1, key.indexOf("_"));
}

describe("an ITEM is, in this order,", () => {
  test("a full id, a file name, or four and more characters of an id, in any case", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "report.pdf");
    const id = idOf(key);
    for (const item of [id, id.toUpperCase(), "report.pdf", id.slice(0, 8), id.slice(0, 4), id.slice(0, -1)]) {
      expect([item, await keysOf(world, ["attach", "show", "T-1", item])]).toEqual([item, [key]]);
    }
    for (const item of [id.slice(0, 3), "report", "report.pd", "REPORT.PDF", `${id}0`]) {
      expect([item, await keysOf(world, ["attach", "show", "T-1", item])]).toEqual([item, ["not_found"]]);
    }
  });

  test("a full key, TASK/ITEM, or with --task always an item", async () => {
    const world = await createWorld();
    const one = await world.attach("T-1", "a.txt");
    const two = await world.attach("T-2", "b.txt");
    expect(await keysOf(world, ["attach", "show", one, "T-2/b.txt"])).toEqual([one, two]);
    expect(await keysOf(world, ["attach", "show", `T-1/${idOf(one)}`, two])).toEqual([one, two]);
    expect(await keysOf(world, ["attach", "show", "--task", "T-1", "a.txt", one])).toEqual([one]);
    expect(await keysOf(world, ["attach", "show", "T-1", one])).toEqual([one]);
  });

  test("C4 not another task's key, even where there is one", async () => {
    const world = await createWorld();
    const two = await world.attach("T-2", "b.txt");
    await world.attach("T-1", "a.txt");
    for (const command of ["show", "download", "delete"]) {
      expect(await keysOf(world, ["attach", command, "T-1", two])).toEqual(["not_found"]);
      expect(await keysOf(world, ["attach", command, "T-1", "-"], two)).toEqual(["not_found"]);
    }
    expect(await keysOf(world, ["attach", "list", "T-2"])).toEqual([two]);
  });

  test("C5 exact: *, ? and [ are letters", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a[1].txt");
    await world.attach("T-1", "a1.txt");
    expect(await keysOf(world, ["attach", "show", "T-1", "a[1].txt"])).toEqual([key]);
    for (const item of ["*", "a?.txt", "a*.txt", key.replace("a[1]", "a?")]) {
      expect(await keysOf(world, ["attach", "delete", "T-1", item])).toEqual(["not_found"]);
    }
  });

  test("C3 ambiguous where name and prefix, or one prefix, hit several: exit 2 with all candidates", async () => {
    const world = await createWorld();
    await world.write("uploads/tasks/1/abcdef01_x.txt", "1");
    await world.write("uploads/tasks/1/abcdef02_y.txt", "2");
    await world.write("uploads/tasks/1/123456_abcdef02", "3");
    for (const [item, candidates] of [
      ["abcdef", ["abcdef01 (x.txt)", "abcdef02 (y.txt)"]],
      ["abcdef0", ["abcdef01 (x.txt)", "abcdef02 (y.txt)"]],
    ] as const) {
      const { status, stderr } = await world.run(["attach", "show", "1", item]);
      expect(status).toBe(2);
      for (const candidate of candidates) expect(stderr).toContain(candidate);
    }
    // A full id comes before a name.
    expect(await keysOf(world, ["attach", "show", "1", "abcdef02"])).toEqual(["tasks/1/abcdef02_y.txt"]);
    await world.write("uploads/tasks/1/999999_abcd", "4");
    expect(await keysOf(world, ["attach", "show", "1", "abcd"])).toEqual(["ambiguous"]);
  });

  test("of two with one name show and download take the newest and say so, delete and undelete refuse", async () => {
    const world = await createWorld();
    const { utimes } = await import("node:fs/promises");
    const older = await world.attach("T-1", "a.txt", "older");
    const newer = await world.attach("T-1", "a.txt", "newer");
    await utimes(`${world.store}/${older}`, 1, 1);
    for (const argv of [["show"], ["download", "-o", "out/"]]) {
      const { document, stderr } = await world.json(["attach", ...argv, "T-1", "a.txt"]);
      expect(document["items"]).toMatchObject([{ key: newer }]);
      expect(stderr).toContain(`2 attachments are named a.txt: took the newest, ${idOf(newer)}\n`);
    }
    for (const command of ["delete", "undelete"]) {
      const { status, stderr } = await world.run(["attach", command, "T-1", "a.txt"]);
      expect([command, status]).toEqual([command, 2]);
      expect(stderr).toContain(`${idOf(older)} (a.txt)`);
      expect(stderr).toContain(`${idOf(newer)} (a.txt)`);
      expect(stderr).toContain("hint: name it by its full id");
      if (command === "delete") await world.run(["attach", "delete", older, newer]);
    }
    expect(await keysOf(world, ["attach", "undelete", "T-1", idOf(older)])).toEqual([older]);
  });

  test("delete sees live ones only, undelete deleted ones only", async () => {
    const world = await createWorld();
    const gone = await world.attach("T-1", "a.txt");
    await world.run(["attach", "delete", "T-1", "a.txt"]);
    const live = await world.attach("T-1", "a.txt");
    expect(await keysOf(world, ["attach", "show", "T-1", "a.txt"])).toEqual([live]);
    expect(await keysOf(world, ["attach", "undelete", "T-1", "a.txt"])).toEqual([gone]);
    await world.run(["attach", "delete", live]);
    expect(await keysOf(world, ["attach", "delete", "T-1", "a.txt"])).toEqual([gone]);
  });

  test("a deleted one is not found, with the line that brings it back", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt");
    await world.run(["attach", "delete", key]);
    for (const argv of [["T-1", "a.txt"], ["T-1", idOf(key).slice(0, 6)], [key]]) {
      const { status, stderr } = await world.run(["attach", "show", ...argv]);
      expect(status).toBe(3);
      expect(stderr).toMatch(/^error: .* was deleted\nhint: bring it back with: taskflow attach undelete T-1 /);
    }
  });

  test("done once, however often it is named, in the order given", async () => {
    const world = await createWorld();
    const a = await world.attach("T-1", "a.txt");
    const b = await world.attach("T-1", "b.txt");
    expect(await keysOf(world, ["attach", "show", "T-1", "b.txt", "a.txt", idOf(b), a])).toEqual([b, a]);
    expect(await keysOf(world, ["attach", "delete", "T-1", "b.txt", b, idOf(a)])).toEqual([b, a]);
  });

  test("one that is missing is told with its place, and the others are done: 7", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt");
    const { status, document } = await world.json(["attach", "show", "T-1", "x", "a.txt", "y"]);
    expect(status).toBe(7);
    expect(document["errors"]).toMatchObject([
      { code: "not_found", exit: 3, index: 0, item: "x", hint: "taskflow attach list T-1" },
      { code: "not_found", index: 2, item: "y" },
    ]);
    expect(document["summary"]).toMatchObject({ done: 1, failed: 2 });
  });
});

describe("an operand that is empty is exit 2 in every command, store or no store", () => {
  test.each([
    ["upload", "", "a.txt"],
    ["upload", "T-1", ""],
    ["list", ""],
    ["show", "", "a"],
    ["show", "T-1", ""],
    ["download", ""],
    ["download", "T-1", ""],
    ["delete", "", "--all"],
    ["delete", "T-1", ""],
    ["delete", "T-1", "", "--all"],
    ["undelete", ""],
    ["undelete", "T-1", "a", ""],
    ["list", "--task", ""],
    ["show", "--task", "", "a"],
  ])("attach %s %j %j", async (...argv) => {
    const { run } = await createWorld();
    expect((await run(["attach", ...argv])).status).toBe(2);
  });
});

describe("C1 a task is refused, never repaired", () => {
  test.each(["../x", ".", "..", ".taskflow", "x".repeat(65), "a b", "É", "a..b", "end.", "CON", "-x", "a\nb"])(
    "%j",
    async (task) => {
      const world = await createWorld();
      await world.write("a.txt");
      for (const argv of [["list"], ["upload", "a.txt"], ["delete", "--all", "-y"], ["download"], ["show", "a"]]) {
        const { status, stderr } = await world.run(["attach", ...argv, `--task=${task}`]);
        expect([argv, status]).toEqual([argv, 2]);
        expect(stderr).toContain("1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit");
      }
    },
  );

  test("64 characters, dots and dashes inside are fine", async () => {
    const { attach } = await createWorld();
    for (const task of ["x".repeat(64), "1", "a.b-c_d", "T-42"]) {
      expect(await attach(task, "a")).toContain(`tasks/${task}/`);
    }
  });
});
