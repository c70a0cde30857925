/** `lifecycle status` on a folder store: what it says on a terminal, on a pipe and in JSON, and of bad rules. */
import { mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { LifecycleRule } from "../../src/storage/lifecycle/rules.ts";
import { age, ageDeletions, dueOf, writeRules } from "./lifecycle-support.ts";
import { createWorld, firstOf, itemsOf, matching } from "./support.ts";
import type { World } from "./support.ts";

const BIG = Buffer.alloc(200 * 1024);

/** A large one of 10 days, a small one of 40, one deleted 100 days ago, one archived in name. */
async function prepared(): Promise<World & { readonly keys: Record<"big" | "small" | "gone" | "cold", string> }> {
  const world = await createWorld();
  const keys = {
    big: await world.attach("T-1", "big.bin", BIG),
    small: await world.attach("T-1", "small.txt", "small"),
    gone: await world.attach("T-1", "gone.bin", BIG),
    cold: await world.attach("T-2", "cold.bin", BIG, "--storage-class", "GLACIER"),
  };
  await world.run(["attach", "delete", "T-1", "gone.bin"]);
  await ageDeletions(world, "T-1", 100);
  await age(world, keys.big, 10);
  await age(world, keys.small, 40);
  return { ...world, keys };
}

const status = (...words: string[]): string[] => ["attach", "lifecycle", "status", ...words];

describe("of a task", () => {
  test("each attachment's next step with date and rule, or why it stays", async () => {
    const { json, keys } = await prepared();
    const { document } = await json(status("T-1"));
    const [big, gone, small] = [keys.big, keys.gone, keys.small].map((key) =>
      itemsOf(document).find((item) => item.key === key),
    );
    expect(big).toMatchObject({
      storageClass: "STANDARD",
      deleted: false,
      next: { action: "transition", to: "STANDARD_IA", date: dueOf(10, 30), rule: "live-attachments", pending: false },
      expires: null,
      archive: null,
    });
    expect(big).not.toHaveProperty("notMoved");
    expect(small).toMatchObject({ next: null, notMoved: { reason: "size", rule: "live-attachments" } });
    expect(gone).toMatchObject({
      deleted: true,
      next: { action: "transition", to: "GLACIER", date: dueOf(100, 90), rule: "deleted-attachments", pending: true },
      purge: { date: dueOf(100, 365), rule: "deleted-attachments" },
    });
    expect(document["rules"].map(({ id }: { id: string }) => id)).toEqual([
      "live-attachments",
      "deleted-attachments",
      "leftovers",
    ]);
    expect(document["unfinished"]).toEqual([]);
  });

  test("single items, by name, id or key, live or deleted; a missing one is exit 3", async () => {
    const { json, keys } = await prepared();
    const one = async (...words: string[]) => firstOf((await json(status(...words))).document).key;
    expect(await one("T-1", "big.bin")).toBe(keys.big);
    expect(await one("T-1", "gone.bin")).toBe(keys.gone);
    expect(await one(keys.small)).toBe(keys.small);
    expect(await one("--task", "T-2", "cold.bin")).toBe(keys.cold);
    const missing = await json(status("T-1", "missing", "big.bin"));
    expect(missing).toMatchObject({ status: 7, document: { errors: [{ code: "not_found", item: "missing" }] } });
    expect((await json(status("T-1", "missing"))).status).toBe(3);
  });

  test("on a pipe a line each between tabs; rules and what is missing go to stderr", async () => {
    const { run, keys } = await prepared();
    const { lines, stderr } = await run(status("T-1"));
    expect(lines.map((line) => line.split("\t"))).toEqual(
      expect.arrayContaining([
        [keys.big, matching(/./), "STANDARD", "transition", "STANDARD_IA", dueOf(10, 30), "", "", "", ""],
        [
          keys.gone,
          matching(/./),
          "STANDARD",
          "transition",
          "GLACIER",
          dueOf(100, 90),
          "pending",
          dueOf(100, 365),
          "",
          "",
        ],
        [keys.small, matching(/./), "STANDARD", "", "", "", "", "", "", "not of the right size (live-attachments)"],
      ]),
    );
    expect(lines).toHaveLength(3);
    expect(stderr).toContain("rule live-attachments, for everything: live ones move to STANDARD_IA after 30 days\n");
    expect(stderr).toContain("unfinished uploads are aborted after 7 days");
    expect(stderr).toContain("1 deleted one (200.0 KiB) waiting to be destroyed");
    expect((await run(status("T-1", "-q"))).stderr).toBe("");
  });

  test("on a terminal a table", async () => {
    const { run } = await prepared();
    const { stdout } = await run(status("T-1"), { terminal: true, columns: 200 });
    expect(stdout).toMatch(/^ID +NAME +CLASS +NEXT +WHEN +ENDS +WHY IT STAYS$/m);
    expect(stdout).toMatch(/ big\.bin +STANDARD +move to STANDARD_IA +\d{4}-\d\d-\d\d \d\d:\d\d/);
    expect(stdout).toMatch(/ gone\.bin \(deleted\) +STANDARD +move to GLACIER +pending +\d{4}-/);
    expect(stdout).toMatch(/ small\.txt +STANDARD +not of the right size$/m);
  });

  test("an empty task says so and is exit 0", async () => {
    const { run } = await prepared();
    expect(await run(status("T-9"))).toMatchObject({
      status: 0,
      stdout: "",
      stderr: matching(/nothing attached/),
    });
  });
});

describe("of the whole store", () => {
  test("totals by class, and what happens within the time", async () => {
    const { json } = await prepared();
    const { document } = await json(status());
    expect(document).toMatchObject({
      items: [],
      totals: [
        { state: "live", storageClass: "GLACIER", count: 1, bytes: BIG.length, monthlyUsd: null },
        { state: "live", storageClass: "STANDARD", count: 2, bytes: BIG.length + 5, monthlyUsd: null },
        { state: "deleted", storageClass: "STANDARD", count: 1, bytes: BIG.length, monthlyUsd: null },
      ],
      prices: null,
      withinSeconds: 2_592_000,
      waiting: { count: 1, bytes: BIG.length },
      unknown: 0,
      upcoming: [
        { action: "transition", to: "GLACIER", rule: "deleted-attachments", pending: true, count: 1 },
        { action: "transition", to: "STANDARD_IA", date: dueOf(10, 30), pending: false, count: 1 },
      ],
    });
    expect((await json(status("--within", "5d"))).document["upcoming"]).toHaveLength(1);
    expect((await json(status("--within", "400d"))).document["upcoming"]).toMatchObject([
      { pending: true },
      { to: "STANDARD_IA" },
      { action: "purge", date: dueOf(100, 365) },
    ]);
  });

  test("on a pipe lines that begin with their kind; on a terminal a table", async () => {
    const { run } = await prepared();
    const { lines, stderr } = await run(status());
    expect(lines).toEqual([
      `total\tlive\tGLACIER\t1\t${BIG.length}\t\t\t`,
      `total\tlive\tSTANDARD\t2\t${BIG.length + 5}\t\t\t`,
      `total\tdeleted\tSTANDARD\t1\t${BIG.length}\t\t\t`,
      `event\ttransition pending\tGLACIER\t1\t${BIG.length}\t\t${dueOf(100, 90)}\tdeleted-attachments`,
      `event\ttransition\tSTANDARD_IA\t1\t${BIG.length}\t\t${dueOf(10, 30)}\tlive-attachments`,
    ]);
    expect(stderr).toContain("what happens is told for the next 30d");
    const { stdout } = await run(status(), { terminal: true, columns: 120 });
    expect(stdout).toMatch(/^WHAT +COUNT +SIZE +USD\/MONTH +WHEN +RULE$/m);
    expect(stdout).toMatch(/^live, STANDARD +2 +200\.0 KiB$/m);
    expect(stdout).toMatch(/^move to GLACIER +1 +200\.0 KiB +pending +deleted-attachments$/m);
  });

  test("bad values of --within are exit 2", async () => {
    const { run } = await prepared();
    for (const text of ["", "30days", "-1d", "0", "1.5d"]) {
      expect(await run(status("--within", text))).toMatchObject({ status: 2, stdout: "" });
    }
  });

  test("without a store it is exit 5, and none is made", async () => {
    const { run } = await createWorld();
    expect(await run(status())).toMatchObject({ status: 5, stderr: matching(/no store/) });
  });
});

describe("rules of its own", () => {
  const EXPIRE: LifecycleRule = { ID: "old", Status: "Enabled", Filter: {}, Expiration: { Days: 5 } };

  test("are S3's JSON in .taskflow/lifecycle.json, and take the place of the defaults", async () => {
    const world = await prepared();
    await writeRules(world, [EXPIRE]);
    const { document } = await world.json(status("T-1", "big.bin"));
    expect(firstOf(document)).toMatchObject({
      next: { action: "expire", date: dueOf(10, 5), pending: true },
      expires: { rule: "old" },
      notMoved: { reason: "none", rule: null },
    });
    expect(document["rules"]).toEqual([
      { id: "old", enabled: true, text: "old, for everything: live ones expire after 5 days", rule: EXPIRE },
    ]);
  });

  test("none at all are said", async () => {
    const world = await prepared();
    await writeRules(world, []);
    const { stderr } = await world.run(status("T-1"));
    expect(stderr).toContain("no lifecycle rules: nothing moves, and nothing is removed");
  });

  test("tags are read where a rule asks for them; over the whole store what depends on them is not known", async () => {
    const world = await prepared();
    const key = await world.attach("T-3", "log.bin", BIG, "--tag", "kind=log");
    await writeRules(world, [
      { ...EXPIRE, Filter: { And: { Prefix: "tasks/T-3/", Tags: [{ Key: "kind", Value: "log" }] } } },
    ]);
    expect(firstOf((await world.json(status(key))).document)).toMatchObject({ next: { action: "expire" } });
    const whole = await world.run(status());
    expect(whole.stderr).toContain(
      "what happens next to 1 attachment is not known; lifecycle status TASK looks closer",
    );
    expect((await world.json(status())).document).toMatchObject({ unknown: 1, upcoming: [] });
  });

  test.each([
    ["not JSON", "{Rules: []", /lifecycle\.json is not JSON/],
    ["empty", "", /is not JSON/],
    ["not an object", "[]", /the configuration is not an object/],
    ["no Rules", "{}", /Rules is missing/],
    [
      "an S3 refusal",
      JSON.stringify({ Rules: [{ ...EXPIRE, Expiration: { Days: 0 } }] }),
      /Rules\[0\]\.Expiration\.Days is 0/,
    ],
  ])("a file that is %s is exit 5 and named", async (_, content, why) => {
    const world = await prepared();
    const file = await writeRules(world, content);
    for (const argv of [status(), status("T-1"), ["attach", "lifecycle", "apply"]]) {
      const { document, status: exit, stderr } = await world.json(argv);
      expect([exit, document["errors"][0].code]).toEqual([5, "bad_config"]);
      expect(stderr).toMatch(why);
      expect(stderr).toContain(file);
      expect(stderr).toContain("hint: its form is what `aws s3api get-bucket-lifecycle-configuration` prints");
    }
    expect((await world.json(["attach", "list"])).status).toBe(0);
  });

  test("a file that is a folder or a link is refused, never followed", async () => {
    const world = await prepared();
    const file = await writeRules(world, []);
    await rm(file);
    await mkdir(file);
    expect(await world.run(status())).toMatchObject({ status: 5, stderr: matching(/is not a file/) });
    await rm(file, { recursive: true });
    await symlink(path.join(world.cwd, "elsewhere.json"), file);
    expect(await world.run(status())).toMatchObject({ status: 5, stderr: matching(/is a symbolic link/) });
  });
});
