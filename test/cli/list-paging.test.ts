import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createWorld, itemsOf, matching } from "./support.ts";
import type { World } from "./support.ts";

function fill({ store }: World, task: string, count: number, nameOf = (at: number): string => `f${at}.txt`): void {
  const folder = path.join(store, "tasks", task);
  mkdirSync(folder, { recursive: true });
  for (let at = 0; at < count; at += 1) {
    const file = path.join(folder, nameOf(at));
    writeFileSync(file, "x".repeat(at % 3));
    // Pairs have one time, and times don't follow names.
    if (count < 100)
      utimesSync(file, 1_700_000_000 + (((at * 7) % count) >> 1), 1_700_000_000 + (((at * 7) % count) >> 1));
  }
}

/** All pages of a list, and how many there were. */
async function pages({ json }: World, argv: readonly string[]): Promise<{ keys: string[]; pages: number }> {
  const keys: string[] = [];
  let next: string | null = null;
  let count = 0;
  do {
    const { status, document } = await json(["attach", "list", ...argv, ...(next === null ? [] : [`--after=${next}`])]);
    expect(status).toBe(0);
    keys.push(...itemsOf(document).map(({ key }) => key));
    next = document["next"] as string | null;
    count += 1;
  } while (next !== null);
  return { keys, pages: count };
}

describe("--limit and --after", () => {
  const orders = [[], ...["newest", "oldest", "name", "size", "key"].map((sort) => ["--sort", sort])];

  test.each(orders)("of a task in order %s %s page through everything exactly once", async (...sort) => {
    const world = await createWorld();
    fill(world, "1", 17);
    const whole = (await pages(world, ["1", ...sort])).keys;
    expect(whole).toHaveLength(17);
    for (const limit of [1, 4, 16, 17, 18]) {
      const paged = await pages(world, ["1", ...sort, "--limit", String(limit)]);
      expect([limit, paged.keys]).toEqual([limit, whole]);
      expect(paged.pages).toBe(Math.ceil(17 / limit));
    }
  });

  test.each(orders)("of the whole store in order %s %s", async (...sort) => {
    const world = await createWorld();
    for (const task of ["1", "1-a", "10"]) fill(world, task, 5);
    const whole = (await pages(world, [...sort, "--limit", "100"])).keys;
    expect(new Set(whole).size).toBe(15);
    for (const limit of ["1", "4"]) expect((await pages(world, [...sort, "--limit", limit])).keys).toEqual(whole);
  });

  test("of deleted ones, with a glob, and with details too", async () => {
    const world = await createWorld();
    fill(world, "1", 9);
    await world.run(["attach", "delete", "1", "--all"]);
    fill(world, "2", 9);
    for (const argv of [["1", "--deleted"], ["--deleted"], ["2", "-l"], ["2", "--name", "f[0-8]*", "--sort", "size"]]) {
      const { keys } = await pages(world, [...argv, "--limit", "2"]);
      expect([argv, new Set(keys).size, keys.length]).toEqual([argv, 9, 9]);
    }
  });

  test("goes on where it was cut though the last one was deleted meanwhile", async () => {
    const world = await createWorld();
    fill(world, "1", 6);
    for (const sort of ["newest", "oldest", "name", "key"]) {
      const argv = ["attach", "list", "1", "--sort", sort, "--limit", "2"];
      const all = (await pages(world, ["1", "--sort", sort])).keys;
      const { document } = await world.json(argv);
      await world.run(["attach", "delete", all[1] ?? ""]);
      const second = itemsOf((await world.json([...argv, `--after=${String(document["next"])}`])).document);
      expect(second.map(({ key }) => key)).toEqual(all.slice(2, 4));
      await world.run(["attach", "undelete", all[1] ?? ""]);
    }
  });

  test("off JSON the line to go on with is told, and works as it is printed", async () => {
    const world = await createWorld();
    fill(world, "1", 3, (at) => `it's ${at}.txt`);
    const { stderr, lines } = await world.run(["attach", "list", "1", "--sort", "key", "--limit", "2"]);
    expect(lines).toHaveLength(2);
    const [, quoted = ""] = /^there are more; go on with --after (.*)\n$/.exec(stderr) ?? [];
    const after = quoted.replace(/^'|'$/g, "").replaceAll(`'\\''`, "'");
    const rest = await world.run(["attach", "list", "1", "--sort", "key", "--after", after]);
    expect(rest.lines).toEqual([expect.stringContaining("it's 2.txt")]);
  });

  test("a limit that cuts nothing has no next", async () => {
    const world = await createWorld();
    fill(world, "1", 3);
    expect((await world.json(["attach", "list", "1", "--limit", "3"])).document["next"]).toBeNull();
    expect((await world.ndjson(["attach", "list", "1", "--limit", "2"])).events.at(-1)?.["next"]).toMatch(/^newest:/);
  });

  test("the next of another order is exit 2", async () => {
    const world = await createWorld();
    fill(world, "1", 3);
    const next = (await world.json(["attach", "list", "1", "--limit", "1"])).document["next"] as string;
    for (const argv of [["1", "--sort", "name"], ["1", "--sort", "key"], []]) {
      expect((await world.run(["attach", "list", ...argv, "--after", next])).status).toBe(2);
    }
    for (const after of ["x", "newest:", "newest:1e9:k", "newest:nan:tasks/1/f0.txt", "name:%zz:k"]) {
      expect((await world.run(["attach", "list", "1", "--sort", "newest", "--after", after])).status).toBe(2);
    }
  });

  test.each(["0", "-1", "1.5", "x", "", "1e3", "99999999999999999999"])("--limit %j is exit 2", async (limit) => {
    const world = await createWorld();
    fill(world, "1", 1);
    expect((await world.run(["attach", "list", "1", `--limit=${limit}`])).status).toBe(2);
  });
});

describe("a task of more than 10,000 attachments", () => {
  test("comes in key order, streamed, said on stderr; is paged without --sort; is sorted with --limit", async () => {
    const world = await createWorld();
    const nameOf = (at: number): string => `${String(at).padStart(5, "0")}.txt`;
    fill(world, "1", 10_000, nameOf);
    // 10,000 are sorted still.
    expect((await world.run(["attach", "list", "1", "--limit", "1"])).stderr).not.toContain("in key order");
    await world.write(`uploads/tasks/1/${nameOf(10_000)}`);
    const { lines, stderr } = await world.run(["attach", "list", "1"]);
    expect([lines.length, stderr]).toEqual([10_001, "a large task: in key order, not newest first\n"]);
    expect(lines.map((line) => line.split("\t")[0])).toEqual(
      Array.from({ length: 10_001 }, (_, at) => `tasks/1/${nameOf(at)}`),
    );
    const { keys } = await pages(world, ["1", "--limit", "6000"]);
    expect([keys.length, new Set(keys).size]).toEqual([10_001, 10_001]);
    expect(await world.run(["attach", "list", "1", "--sort", "newest"])).toMatchObject({
      status: 2,
      stderr: matching("--limit"),
    });
    expect((await world.run(["attach", "list", "1", "--sort", "name", "--limit", "3"])).lines).toHaveLength(3);
  });
});
