import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { SETTINGS } from "../../src/config/settings.ts";
import { ATTACH_COMMANDS, CONFIG_COMMANDS } from "../../src/cli/commands/index.ts";
import { createWorld } from "./support.ts";

const TOPICS = ["errors", "environment", "exit-codes", "json", "cors", "lifecycle", "ci"];
const COMMON = ["--store", "--region", "--endpoint", "--profile", "--ca-file", "--json", "--ndjson", "--quiet"];

describe("--help", () => {
  test.each([["--help"], ["-h"], ["help"]])("taskflow %s lists the commands and topics", async (...argv) => {
    const { run } = await createWorld();
    const { status, stdout, stderr } = await run(argv);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Usage: taskflow COMMAND \[options\]\n/);
    for (const word of ["attach", "config", ...TOPICS]) expect(stdout).toContain(word);
  });

  test.each([["attach", ATTACH_COMMANDS] as const, ["config", CONFIG_COMMANDS] as const])(
    "taskflow %s --help lists its commands",
    async (group, commands) => {
      const { run } = await createWorld();
      const { stdout } = await run([group, "--help"]);
      for (const { name, summary } of commands) {
        expect(stdout.replaceAll(/\s+/g, " ")).toContain(summary);
        expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
      }
      expect((await run(["help", group])).stdout).toBe(stdout);
    },
  );

  test.each([
    ...ATTACH_COMMANDS.flatMap((each) =>
      "commands" in each
        ? each.commands.map(({ name }) => [`attach ${each.name}`, name])
        : [each.name, ...(each.alias === undefined ? [] : [each.alias])].map((name) => ["attach", name]),
    ),
    ...CONFIG_COMMANDS.map(({ name }) => ["config", name]),
  ])("taskflow %s %s --help has usage, options and examples that run", async (group = "", name = "") => {
    const { run } = await createWorld();
    const words = [...group.split(" "), name];
    const { status, stdout } = await run([...words, "--help"]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Usage: taskflow (attach|config) [\w-]+/)]);
    for (const option of COMMON) expect(stdout).toContain(option);
    expect(stdout).toMatch(/\nExamples:\n {2}.*taskflow /);
    expect((await run(["help", ...words])).stdout).toBe(stdout);
    expect((await run([...words, "T-1", "-h"])).stdout).toBe(stdout);
  });

  test("reads nothing and needs no store: a broken setting doesn't keep it", async () => {
    const { run, write } = await createWorld();
    await write(".env", "USE_S3=flase\nAWS_S3_BUCKET=x");
    for (const argv of [
      ["--help"],
      ["attach", "--help"],
      ["attach", "upload", "--help"],
      ["help", "json"],
      ["--version"],
    ]) {
      expect((await run(argv, { env: { USE_S3: "flase" } })).status).toBe(0);
    }
  });

  test("descriptions are wrapped to the terminal", async () => {
    const { run } = await createWorld();
    const { lines } = await run(["attach", "list", "--help"], { terminal: true, columns: 60 });
    const text = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith("Options:")),
    );
    expect(Math.max(...text.map((line) => stringWidth(line)))).toBeLessThanOrEqual(60);
  });
});

describe("help TOPIC", () => {
  test.each(TOPICS)("%s", async (topic) => {
    const { run } = await createWorld();
    const { status, stdout } = await run(["help", topic]);
    expect([status, stdout.length > 100, stdout.endsWith("\n")]).toEqual([0, true, true]);
  });

  test("environment names every variable of the table of settings", async () => {
    const { run } = await createWorld();
    const { stdout } = await run(["help", "environment"]);
    expect(stdout).toMatch(/HTTPS_PROXY.*\n +not used/);
    for (const { variables } of Object.values(SETTINGS)) for (const name of variables) expect(stdout).toContain(name);
  });

  test("cors begins with curl -i of the link", async () => {
    const { run } = await createWorld();
    const { stdout } = await run(["help", "cors"]);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(
      "`curl -i` the link first: a 301 or 403 often carries no CORS headers",
    );
  });
});
