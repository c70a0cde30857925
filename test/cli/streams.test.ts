import { Buffer } from "node:buffer";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { createWorld, matching } from "./support.ts";
import type { RunOptions, World } from "./support.ts";

const ESC = "\u001b";
/** Our own colours, and what the terminal needs to take them back. */
const COLOURS = new RegExp(`${ESC}\\[[0-9;]*m`, "g");

describe("streams", () => {
  test("stdout is data only, stderr is for people", async () => {
    const { run, write, attach } = await createWorld();
    await write("a.txt");
    const upload = await run(["attach", "upload", "T-1", "a.txt", "missing"]);
    expect(upload.stdout).toMatch(/^tasks\/T-1\/\S+_a\.txt\n$/);
    await attach("T-1", "b.txt");
    for (const argv of [["list", "T-404"], ["show", "T-1", "x"], ["delete", "T-404", "--all"], ["bogus"], []]) {
      const { stdout, stderr } = await run(["attach", ...argv]);
      expect([argv, stdout, stderr === ""]).toEqual([argv, "", false]);
    }
  });

  test("-q leaves errors only", async () => {
    const { run, write, attach } = await createWorld();
    await write("a.txt");
    expect((await run(["attach", "upload", "T-1", "a.txt", "-q"])).stderr).toBe("");
    expect((await run(["attach", "upload", "T-1", "a.txt", "-q"], { env: { TASKFLOW_MAXSIZE: "1" } })).stderr).toBe("");
    expect((await run(["attach", "-q", "list"])).stderr).toBe("");
    await attach("T-2", "b");
    expect((await run(["attach", "delete", "T-2", "--all", "--quiet"])).stderr).toBe("");
    expect((await run(["attach", "show", "T-1", "missing", "-q"])).stderr).toMatch(/^error: .*\nhint: .*\n$/);
  });

  test("a setting that nothing reads is worth a warning", async () => {
    const { run, json, attach } = await createWorld();
    await attach("T-1", "a");
    const options = { env: { TASKFLOW_MAXSIZE: "1" } };
    const warning = "TASKFLOW_MAXSIZE in the environment is not used: did you mean TASKFLOW_MAX_SIZE?";
    expect((await run(["attach", "list", "T-1"], options)).stderr).toBe(`warning: ${warning}\n`);
    expect((await json(["attach", "list", "T-1"], options)).document["warnings"]).toEqual([warning]);
  });

  test("a closed stdout ends quietly with 0", async () => {
    const { run, attach } = await createWorld();
    for (const name of ["a", "b", "c"]) await attach("T-1", name, "x".repeat(100_000));
    const stdoutFails = { code: "EPIPE" };
    for (const argv of [
      ["list", "T-1"],
      ["show", "T-1", "a"],
      ["download", "T-1", "a", "-o", "-"],
      ["list", "--json"],
    ]) {
      const { status, stderr } = await run(["attach", ...argv], { stdoutFails });
      expect([argv, status, stderr.replace("the whole store: in key order, not newest first\n", "")]).toEqual([
        argv,
        0,
        "",
      ]);
    }
    const upload = await run(["attach", "upload", "T-1", "-"], { stdoutFails, stdin: "x" });
    expect(upload.status).toBe(0);
    expect((await run(["attach", "list", "T-1"])).lines).toHaveLength(4);
  });

  test("D3 a full stdout is exit 6, and says so once", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a", "x");
    const stdoutFails = { code: "ENOSPC" };
    for (const argv of [
      ["attach", "list", "T-1"],
      ["attach", "list", "T-1", "--json"],
      ["attach", "list", "T-1", "--ndjson"],
      ["attach", "show", "T-1", "a"],
      ["attach", "download", "T-1", "a", "-o", "-"],
      ["attach", "show", "T-1", "missing", "a"],
      ["config", "list"],
      ["--version"],
      ["help"],
      ["attach", "--help"],
      ["attach", "bogus", "--json"],
    ]) {
      const { status, stderr } = await run(argv, { stdoutFails });
      const isUsage = argv.includes("bogus");
      expect([argv, status]).toEqual([argv, isUsage ? 2 : 6]);
      expect([argv, stderr.match(/cannot write the output: ENOSPC/g)?.length ?? 0, stderr]).toEqual([
        argv,
        isUsage ? 0 : 1,
        stderr,
      ]);
    }
  });

  test("D3 where stdout is full what was done is done all the same, and stderr names it: nobody does it twice", async () => {
    const { run, write, attach, cwd } = await createWorld();
    for (const name of ["a.txt", "b.txt", "c.txt"]) await write(name);
    await attach("T-2", "gone");
    await run(["attach", "delete", "T-2", "gone"]);
    await attach("T-3", "x");
    const keysOf = async (...argv: string[]): Promise<string[]> =>
      (await run(["attach", "list", ...argv])).lines.map((line) => line.split("\t")[0] ?? "").toSorted();
    for (const option of [[], ["--json"], ["--ndjson"], ["--quiet"]]) {
      const full = async (argv: readonly string[], after = 0): Promise<{ stderr: string; told: string[] }> => {
        const options = { stdoutFails: { code: "ENOSPC", after } };
        const { status, stderr } = await run(["attach", ...argv, ...option], options);
        expect([argv, option, status]).toEqual([argv, option, 6]);
        expect([stderr, stderr.match(/^error: cannot write the output: ENOSPC/gm)?.length]).toEqual([stderr, 1]);
        expect(stderr).not.toContain("again");
        return { stderr, told: [...stderr.matchAll(/^not in the output: (.*)$/gm)].map(([, name = ""]) => name) };
      };
      const summary = (text: string): unknown => matching(option[0] === "--quiet" ? "" : text);
      const upload = await full(["upload", "T-1", "a.txt", "b.txt", "c.txt"]);
      const keys = await keysOf("T-1");
      expect([keys.length, upload.told.toSorted()]).toEqual([3, keys]);
      expect(upload.stderr).toEqual(summary("\nattached 3 files (15 B) to T-1 in "));
      expect((await full(["copy", "--from", "./uploads", "--to", `./copy${option.join("")}/`])).told).toHaveLength(4);
      expect((await full(["download", "T-1", "a.txt", "-o", `all${option.join("")}/`])).told).toEqual([
        `${cwd}/all${option.join("")}/a.txt`,
      ]);
      const deletion = await full(["delete", "T-1", "--all"]);
      expect([await keysOf("T-1"), deletion.told.toSorted()]).toEqual([[], keys]);
      expect(deletion.stderr).toEqual(summary("\ndeleted 3 attachments in "));
      // What was taken before is not told again; a document leaves in one write.
      const some = await full(["undelete", "T-1", "--all"], option[0] === "--json" ? 0 : 1);
      expect(some.told).toHaveLength(option[0] === "--json" ? 3 : 2);
      expect(await keysOf("T-1")).toEqual(keys);
      await run(["attach", "delete", "T-1", "--all", "--purge", "--yes"]);
    }
  });

  test("secrets reach no stream, --debug included", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a");
    const env = {
      AWS_ACCESS_KEY_ID: "AKIACANARY0000000001",
      AWS_SECRET_ACCESS_KEY: "canary-secret-access-key",
      AWS_SESSION_TOKEN: "canary-session-token",
      TASKFLOW_TOKEN: "canary-bearer-token",
      AWS_ENDPOINT_URL: "http://user:canary-password@127.0.0.1:1",
    };
    for (const argv of [
      ["attach", "list", "--debug"],
      ["config", "list", "--origin"],
      ["config", "list", "--json"],
      ["config", "get", "token"],
      ["config", "get", "secret-access-key", "--origin"],
      ["config", "set", "token", "canary-bearer-token"],
      ["attach", "show", "T-1", "X-Amz-Signature=canary-signature-1234", "--debug"],
    ]) {
      const { stdout, stderr } = await run(argv, { env });
      expect(`${stdout}${stderr.replace(/^error: .*$/gm, "")}`).not.toMatch(/canary-|CANARY/);
    }
    const { stderr } = await run(["attach", "show", "T-1", "?X-Amz-Signature=0123456789abcdef"], { env });
    expect(stderr).toContain("X-Amz-Signature=[hidden]");
  });

  test("--debug adds settings with their origin, causes and stacks; without it there is none", async () => {
    const { run } = await createWorld();
    const argv = ["attach", "list", "--store", "./none"];
    expect((await run(argv)).stderr).not.toContain("debug:");
    const { stderr } = await run([...argv, "--debug"]);
    expect(stderr).toContain("debug: store=./none (the command line)\n");
    expect(stderr).toMatch(/^debug: +at /m);
  });
});

describe("colours", () => {
  const coloured = async (world: World, argv: readonly string[], options: RunOptions): Promise<boolean[]> => {
    const { stdout, stderr } = await world.run(argv, options);
    return [stdout.includes(ESC), stderr.includes(ESC)];
  };
  const withColour = { NO_COLOR: undefined, TERM: "xterm" };
  const argv = ["attach", "list", "T-1", "--sort", "bogus"];

  test("only on a terminal that can, and never against NO_COLOR, --no-color or TERM=dumb", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a");
    const list = ["attach", "list", "T-1"];
    expect(await coloured(world, list, { terminal: true, env: withColour })).toEqual([true, false]);
    expect(await coloured(world, argv, { terminal: true, env: withColour })).toEqual([false, true]);
    for (const [more, env] of [
      [[], { NO_COLOR: "1", TERM: "xterm" }],
      [["--no-color"], withColour],
      [[], { ...withColour, TERM: "dumb" }],
      [[], { ...withColour, FORCE_COLOR: "0" }],
      [["--no-color"], { ...withColour, FORCE_COLOR: "1" }],
      [[], { NO_COLOR: "1", FORCE_COLOR: "1" }],
    ] as const) {
      expect(await coloured(world, [...list, ...more], { terminal: true, env })).toEqual([false, false]);
      expect(await coloured(world, [...argv, ...more], { terminal: true, env })).toEqual([false, false]);
    }
  });

  test("FORCE_COLOR colours off a terminal too, an empty NO_COLOR is none", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a");
    expect(await coloured(world, argv, { env: { ...withColour, FORCE_COLOR: "1" } })).toEqual([false, true]);
    expect(await coloured(world, argv, { terminal: true, env: { NO_COLOR: "", TERM: "xterm" } })).toEqual([
      false,
      true,
    ]);
  });

  test("not one ESC byte off a terminal, whichever stream is one", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a");
    const list = ["attach", "list", "T-1"];
    expect(await coloured(world, list, { terminal: { stderr: true }, env: withColour })).toEqual([false, false]);
    expect(await coloured(world, argv, { terminal: { stdout: true }, env: withColour })).toEqual([false, false]);
  });
});

describe("tables", () => {
  const tables: readonly (readonly string[])[] = [
    ["attach", "list"],
    ["attach", "list", "-l"],
    ["attach", "list", "T-1", "-l"],
    ["attach", "list", "--deleted", "-l"],
    ["config", "list", "--origin"],
  ];
  const NAMES = ["a.txt", "日本語のとても長いファイル名です".repeat(3), "👩‍🔬🇩🇪é.txt", "W".repeat(150), "e\u0301\u0302"];

  test.each([20, 30, 40, 80, 120, 250])("no line is longer than a terminal of %i columns", async (columns) => {
    const world = await createWorld();
    const long = "t".repeat(64);
    for (const name of NAMES) await world.attach("T-1", name, "x", "--note", "note ".repeat(20));
    await world.attach(long, "b.txt", "x", "--type", `application/x-${"very".repeat(20)}`);
    await world.attach("T-2", "gone");
    await world.run(["attach", "delete", "T-2", "gone"]);
    for (const argv of tables) {
      for (const env of [{}, { NO_COLOR: undefined, TERM: "xterm" }]) {
        const { status, lines } = await world.run(argv, { terminal: true, columns, env });
        expect([argv, status, lines.length > 1]).toEqual([argv, 0, true]);
        const widths = lines.map((line) => stringWidth(line));
        expect([argv, columns, Math.max(...widths) <= columns]).toEqual([argv, columns, true]);
      }
    }
  });

  test("of width enough every cell is whole, and what gives way ends in …", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "W".repeat(60));
    const wide = await run(["attach", "list", "T-1"], { terminal: true, columns: 120 });
    expect(wide.stdout).toContain(` ${"W".repeat(60)} `);
    expect(wide.stdout).toMatch(/ STANDARD\n$/);
    const narrow = await run(["attach", "list", "T-1"], { terminal: true, columns: 40 });
    expect(narrow.stdout).toMatch(/W…/);
    expect(narrow.stdout.split("\n")[0]).toMatch(/^ID +NAME +SIZE$/);
  });

  test("columns stand under their titles, whatever the width of a letter", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "日本.txt", "12345");
    await attach("T-1", "a.txt", "12345");
    const { lines } = await run(["attach", "list", "T-1"], { terminal: true, columns: 100 });
    const column = lines.slice(1).map((line) => stringWidth(line.slice(0, line.indexOf("5 B"))));
    expect(new Set(column).size).toBe(1);
  });

  test("every cell's text is escaped, and only our own codes are left", async () => {
    const { run, attach, write } = await createWorld();
    await attach("T-1", "a", "x", "--note", `${ESC}]0;title\u0007${ESC}[31m\u009b31m\u202e`);
    await write(`uploads/tasks/T-1/evil${ESC}[2J\n\u202e.txt`);
    const { stdout } = await run(["attach", "list", "-l"], {
      terminal: true,
      columns: 250,
      env: { NO_COLOR: undefined },
    });
    expect(Buffer.from(stdout.replaceAll(COLOURS, "")).toString()).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/,
    );
    expect(stdout).toContain("evil\\x1b[2J\\n\\u202e.txt");
  });
});
