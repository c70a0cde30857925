/** File names come from strangers: control characters and escape sequences in them never reach a terminal raw. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createWorld, itemsOf } from "./support.ts";
import type { RunOptions, World } from "./support.ts";

/** What no output may hold but for line ends, and the tabs of our own lines. */
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

const EVIL = [
  "\u001b[31mred\u001b[0m",
  "\u001b]0;title\u0007",
  "\u001b]8;;mailto:evil\u001b\\click\u001b]8;;\u001b\\",
  "\u009b2J",
  "a\rb\nerror: faked",
  "cod\u202egpj.exe",
  "zero\u200bwidth\ufeff",
  "\u0008\u0008\u0008overwritten",
  "tab\there",
  "\u2028line\u2029",
];

/** A store with these as names of foreign files, which no rule of ours has cleaned. */
async function hostile(): Promise<World> {
  const world = await createWorld();
  const folder = path.join(world.store, "tasks/T-1");
  mkdirSync(folder, { recursive: true });
  for (const name of EVIL) writeFileSync(path.join(folder, name), "x");
  return world;
}

const commands: readonly (readonly string[])[] = [
  ["list", "T-1"],
  ["list", "-l"],
  ["list", "--limit", "1"],
  ["list", "T-1", "--sort", "name", "--limit", "1"],
  ["show", "T-1", ...EVIL],
  ["show", "T-1", ...EVIL.map((name) => `${name}!`)],
  ["show", ...EVIL.map((name) => `${name}/x`)],
  ["show", "T-1", "--", ...EVIL],
  ["download", "T-1", "-o", "out/"],
  ["download", "T-1", "-o", "out/", "--if-exists", "skip"],
  ["download", "T-1", "-o", "out/"],
  ["download", "T-1", ...EVIL, "-o", "\u001b[2J/"],
  ["download", "T-1", EVIL[0] ?? "", "-o", "\u001b[2J/none"],
  ["upload", "T-1", ...EVIL],
  ["upload", EVIL[0] ?? "", "a"],
  ["list", "--store", `./${EVIL[0] ?? ""}`],
  ["list", "--name", `[${EVIL[0] ?? ""}`],
  ["list", `--${EVIL[0] ?? ""}`],
  [EVIL[0] ?? ""],
  ["list", "--sort", EVIL[0] ?? ""],
  ["list", "--since", EVIL[0] ?? ""],
  ["upload", "T-1", "x", "--type", EVIL[0] ?? ""],
  ["upload", "T-1", "x", "--meta", EVIL[0] ?? ""],
  ["upload", "T-1", "x", "--storage-class", EVIL[0] ?? ""],
  ["delete", "T-1", "--all", "-n"],
  ["delete", "T-1", ...EVIL],
  ["list", "--deleted"],
  ["show", "T-1", ...EVIL],
  ["undelete", "T-1", "--all", "--dry-run"],
  ["undelete", "T-1", ...EVIL],
  ["undelete", "T-1", ...EVIL],
  ["delete", "T-1", ...EVIL, "--purge", "--yes"],
];

describe.each<[string, RunOptions]>([
  ["on a terminal", { terminal: true, columns: 100 }],
  ["off a terminal", {}],
])("%s", (_where, options) => {
  test("no command prints a name raw, on either stream", async () => {
    const { run } = await hostile();
    for (const command of commands) {
      const { status, stdout, stderr } = await run(["attach", ...command], options);
      expect([command, status === 1]).toEqual([command, false]);
      for (const text of [stdout, stderr]) expect([command, RAW.exec(text)?.[0]]).toEqual([command, undefined]);
      // Nor does one pass for a line of ours.
      expect([command, /^error: faked/m.test(stdout + stderr)]).toEqual([command, false]);
    }
  });

  test("nor with --debug", async () => {
    const { run } = await hostile();
    for (const command of commands.slice(0, 8)) {
      const { stdout, stderr } = await run(
        ["attach", ...command, ...(command.includes("--") ? [] : ["--debug"])],
        options,
      );
      expect([command, RAW.exec(stdout + stderr)?.[0]]).toEqual([command, undefined]);
    }
  });
});

describe("programs get the names whole", () => {
  test("a line of list has one form that can be read back, and JSON has the name itself", async () => {
    const { run, json } = await hostile();
    const { lines } = await run(["attach", "list", "T-1", "--sort", "key"]);
    expect(lines).toHaveLength(EVIL.length);
    expect(lines.every((line) => line.split("\t").length === 6)).toBe(true);
    const { document } = await json(["attach", "list", "T-1"]);
    expect(
      itemsOf(document)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(EVIL.toSorted());
  });

  test("the keys that list and delete print are taken back on stdin, and so are the raw ones of JSON", async () => {
    const { run, json } = await hostile();
    const keys = (await run(["attach", "list", "T-1"])).stdout.replaceAll(/\t.*/g, "");
    const deleted = await run(["attach", "delete", "-"], { stdin: keys });
    expect([deleted.status, deleted.lines.toSorted()]).toEqual([0, keys.trimEnd().split("\n").toSorted()]);
    const back = await run(["attach", "undelete", "-"], { stdin: deleted.stdout });
    expect([back.status, back.lines.length]).toEqual([0, EVIL.length]);
    const { document } = await json(["attach", "list", "T-1"]);
    const raw = itemsOf(document)
      .map(({ key }) => key)
      .filter((key) => !/[\r\n]/.test(key));
    expect((await run(["attach", "show", "-"], { stdin: raw.join("\n") })).status).toBe(0);
  });

  test("a name with a backslash is itself before it is an escape", async () => {
    const { json, write } = await createWorld();
    await write("uploads/tasks/1/a\\nb", "backslash");
    await write("uploads/tasks/1/a\nb", "newline");
    const { document } = await json(["attach", "show", "-"], { stdin: "tasks/1/a\\nb\ntasks/1/a\\\\nb\n" });
    expect(itemsOf(document).map(({ key }) => key)).toEqual(["tasks/1/a\\nb"]);
    const { items } = (await json(["attach", "show", "-"], { stdin: "tasks/1/a\\x0ab" })).document as {
      items: unknown[];
    };
    expect(items).toMatchObject([{ key: "tasks/1/a\nb" }]);
  });

  test("downloaded they are plain names", async () => {
    const { run, cwd } = await hostile();
    const { readdirSync } = await import("node:fs");
    expect((await run(["attach", "download", "T-1", "-o", "out/"])).status).toBe(0);
    const names = readdirSync(path.join(cwd, "out"));
    expect([names.length, names.filter((name) => RAW.test(name) || name.includes("\n"))]).toEqual([EVIL.length, []]);
  });
});
