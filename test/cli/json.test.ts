/** The two JSON forms of every command; `json` and `ndjson` of support.ts check each against the schema. */
import { describe, expect, test } from "vitest";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

/** A store with a live and a deleted attachment, and a file to attach. */
async function prepared(): Promise<World> {
  const world = await createWorld();
  await world.write("new.txt");
  await world.attach("T-1", "live.txt", "12345");
  await world.attach("T-1", "gone.txt", "123");
  await world.run(["attach", "delete", "T-1", "gone.txt"]);
  return world;
}

type Case = readonly [argv: readonly string[], status: number, command: string];

const cases: readonly Case[] = [
  [["attach", "upload", "T-1", "new.txt"], 0, "upload"],
  [["attach", "upload", "T-1", "new.txt", "--replace", "-n"], 0, "upload"],
  [["attach", "upload", "T-1", "missing", "new.txt"], 7, "upload"],
  [["attach", "upload", "T-1", "missing"], 3, "upload"],
  [["attach", "upload", "T-1", "new.txt", "--meta", "x"], 2, "upload"],
  [["attach", "upload", "T-1"], 2, "upload"],
  [["attach", "list", "T-1"], 0, "list"],
  [["attach", "ls"], 0, "list"],
  [["attach", "list", "-l", "--limit", "1"], 0, "list"],
  [["attach", "list", "T-1", "--deleted", "-l"], 0, "list"],
  [["attach", "list", "T-404"], 0, "list"],
  [["attach", "list", "T-1", "--limit", "0"], 2, "list"],
  [["attach", "list", "--store", "./none"], 5, "list"],
  [["attach", "show", "T-1", "live.txt"], 0, "show"],
  [["attach", "show", "T-1", "live.txt", "gone.txt"], 7, "show"],
  [["attach", "show", "T-1", "gone.txt"], 3, "show"],
  [["attach", "show", "T-1"], 2, "show"],
  [["attach", "download", "T-1", "-o", "out/"], 0, "download"],
  [["attach", "get", "T-1", "-o", "out2/", "missing", "live.txt"], 7, "download"],
  [["attach", "download", "T-1", "-o", "new.txt"], 9, "download"],
  [["attach", "download", "T-1", "-o", "new.txt", "--if-exists", "skip"], 0, "download"],
  [["attach", "download", "T-1", "live.txt", "-o", "-"], 2, "download"],
  [["attach", "delete", "T-1", "live.txt", "-n"], 0, "delete"],
  [["attach", "delete", "T-1", "live.txt"], 0, "delete"],
  [["attach", "rm", "T-1", "live.txt", "missing"], 7, "delete"],
  [["attach", "delete", "T-1", "--all", "--purge", "--yes"], 0, "delete"],
  [["attach", "delete", "T-1", "--all", "--purge"], 9, "delete"],
  [["attach", "delete", "T-1", "missing", "--ignore-missing"], 0, "delete"],
  [["attach", "delete", "T-1"], 2, "delete"],
  [["attach", "undelete", "T-1", "gone.txt"], 0, "undelete"],
  [["attach", "restore", "T-1", "--all", "--dry-run"], 0, "undelete"],
  [["attach", "undelete", "T-1", "gone.txt", "missing"], 7, "undelete"],
  [["attach", "undelete", "T-1", "live.txt"], 9, "undelete"],
  [["attach", "undelete", "T-1", "--since", "then"], 2, "undelete"],
  [["attach", "thaw", "T-1", "live.txt"], 5, "thaw"],
  [["attach", "doctor"], 0, "doctor"],
  [["attach", "doctor", "--store", "./none"], 5, "doctor"],
  [["attach", "doctor", "T-1"], 2, "doctor"],
  [["attach", "copy", "--from", "./uploads", "--to", "./copy"], 0, "copy"],
  [["attach", "copy", "--from", "./uploads", "--to", "./copy", "-n", "--task", "T-1"], 0, "copy"],
  [["attach", "copy", "--from", "./uploads"], 2, "copy"],
  [["attach", "copy", "--from", "./none", "--to", "./copy"], 5, "copy"],
  [["attach", "lifecycle", "status"], 0, "lifecycle status"],
  [["attach", "lifecycle", "status", "T-1"], 0, "lifecycle status"],
  [["attach", "lifecycle", "status", "T-1", "gone.txt", "missing"], 7, "lifecycle status"],
  [["attach", "lifecycle", "status", "--within", "soon"], 2, "lifecycle status"],
  [["attach", "lifecycle", "apply", "-n"], 0, "lifecycle apply"],
  [["attach", "lifecycle", "apply"], 0, "lifecycle apply"],
  [["attach", "lifecycle"], 2, "lifecycle"],
  [["config", "list", "--origin"], 0, "config list"],
  [["config", "get", "url"], 0, "config get"],
  [["config", "get", "region"], 3, "config get"],
  [["config", "get", "nothing"], 2, "config get"],
  [["config", "set", "max-size", "5M"], 0, "config set"],
  [["config", "set", "max-size", "many"], 2, "config set"],
  [["config", "set", "max-size"], 2, "config set"],
  [["config", "unset", "max-size"], 3, "config unset"],
  [["config", "path"], 0, "config path"],
  [["config"], 2, "config"],
  [["config", "bogus"], 2, "config"],
  [["attach", "upload", "--bogus", "T-1"], 2, "upload"],
  [["attach", "--store", "./x/", "ls", "--bogus"], 2, "list"],
  [["attach", "bogus"], 2, "attach"],
  [["bogus"], 2, ""],
  [["help", "bogus"], 2, "help"],
  [[], 2, ""],
];

describe("one document on stdout, on failure and wrong usage too", () => {
  test.each(cases)("%j is %i", async (argv, status, command) => {
    const { json } = await prepared();
    const { document, ...result } = await json(argv);
    expect(result.status).toBe(status);
    expect(document["command"]).toBe(command);
    const { items, errors, summary } = document;
    expect(summary.failed).toBe(errors.length);
    expect(summary.done + summary.skipped).toBeGreaterThanOrEqual(items.length);
    if ("checks" in document && status !== 2) {
      expect(document["checks"].length).toBe(summary.done + summary.skipped + summary.failed);
    }
    if (status !== 0 && status !== 7) expect(errors[0].exit).toBe(status);
    if (argv.some((word) => ["-n", "--dry-run"].includes(word))) expect(document["dryRun"]).toBe(true);
    else expect(document["dryRun"]).toBeUndefined();
    // stderr stays human.
    expect(result.stderr).not.toContain('{"');
    if (status !== 0) expect(result.stderr).toMatch(/^error: /m);
  });
});

describe("--ndjson: one event a line, the summary last", () => {
  test.each(cases)("%j is %i", async (argv, status, command) => {
    const { ndjson } = await prepared();
    const { events, ...result } = await ndjson(argv);
    expect(result.status).toBe(status);
    expect(events.at(-1)).toMatchObject({ event: "summary", command });
    const count = (kind: string): number => events.filter(({ event }) => event === kind).length;
    expect(events.at(-1)?.["summary"].failed).toBe(count("error"));
  });
});

describe("the document", () => {
  test("begins with schema, command and store, and what is known last comes last", async () => {
    const { run, store } = await prepared();
    const { stdout } = await run(["attach", "list", "T-1", "--json"]);
    expect(stdout).toContain(
      `{"schema":"taskflow.attach/v1","command":"list","store":${JSON.stringify(store)},"items":[`,
    );
    expect(Object.keys(JSON.parse(stdout))).toEqual([
      "schema",
      "command",
      "store",
      "items",
      "errors",
      "warnings",
      "next",
      "summary",
      "ok",
    ]);
    expect(stdout.endsWith("}\n")).toBe(true);
  });

  test("of wrong usage needs --json anywhere in argv, but not after --", async () => {
    const { run } = await createWorld();
    for (const argv of [
      ["--json", "attach", "bogus"],
      ["attach", "--json", "bogus"],
      ["attach", "show", "--json"],
    ]) {
      expect(JSON.parse((await run(argv)).stdout)).toMatchObject({ ok: false, errors: [{ code: "usage" }] });
    }
    expect((await run(["attach", "bogus", "--", "--json"])).stdout).toBe("");
  });

  test("an option before the command, or before the group, counts as one after it", async () => {
    const { run, json } = await prepared();
    for (const argv of [
      ["--json", "attach", "list"],
      ["attach", "--json", "list"],
      ["attach", "list", "--json"],
    ]) {
      expect(JSON.parse((await run(argv)).stdout)).toMatchObject({ command: "list", ok: true });
    }
    const { document } = await json(["--store", "./none", "attach", "list", "--store", "./uploads"]);
    expect(document["ok"]).toBe(true);
  });

  test("--json and --ndjson together are exit 2", async () => {
    const { run } = await prepared();
    expect((await run(["attach", "list", "--json", "--ndjson"])).status).toBe(2);
  });

  test("errors are in the order of the items, whatever order they failed in", async () => {
    const { json, write } = await createWorld();
    await write("ok.txt");
    const files = ["x1", "x2", "ok.txt", "x3", "x4", "x5", "x6", "x7", "x8", "x9"];
    const { document } = await json(["attach", "upload", "T-1", ...files]);
    expect(document["errors"].map(({ index }: { index: number }) => index)).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9]);
    const argv = ["attach", "show", "missing/1", "T-1/none", document["items"][0].key, "tasks/T-1/never"];
    const shown = (await json(argv)).document;
    expect(shown["errors"].map(({ index, item }: { index: number; item: string }) => [index, item])).toEqual([
      [0, "missing/1"],
      [1, "T-1/none"],
      [3, "tasks/T-1/never"],
    ]);
  });

  test("of a thousand items is one, and so is each line of events", async () => {
    const { json, ndjson, write } = await createWorld();
    for (let at = 0; at < 1000; at += 1) await write(`uploads/tasks/1/f${at}`, "x");
    expect((await json(["attach", "list"])).document["items"]).toHaveLength(1000);
    expect((await ndjson(["attach", "list"])).events).toHaveLength(1001);
  });
});
