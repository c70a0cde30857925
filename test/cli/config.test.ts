import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { SETTING_NAMES } from "../../src/config/settings.ts";
import { names, snapshot } from "./snapshot.ts";
import { createWorld, itemsOf } from "./support.ts";

describe("config list", () => {
  test("shows every setting of the table: name and value between a tab, with --origin where each comes from", async () => {
    const { run, write, cwd } = await createWorld();
    await write(".env", "# comment\nTASKFLOW_MAX_SIZE=5M\nOTHER=x\n");
    const env = { AWS_REGION: "eu-central-1", TASKFLOW_TOKEN: "secret-token" };
    const { status, lines } = await run(["config", "list", "--origin", "--profile", "work"], { env });
    expect([status, lines.map((line) => line.split("\t")[0])]).toEqual([0, [...SETTING_NAMES]]);
    expect(lines).toContain(`max-size\t5M\t${path.join(cwd, ".env")} line 2`);
    expect(lines).toContain("region\teu-central-1\tthe environment");
    expect(lines).toContain("profile\twork\tthe command line");
    expect(lines).toContain("retry-for\t60s\tdefault");
    expect(lines).toContain("token\t[hidden]\tthe environment");
    expect((await run(["config", "list"], { env })).lines).toContain("max-size\t5M");
  });

  test("a value that is wrong is shown with what is wrong, and stops nothing", async () => {
    const { run, json } = await createWorld();
    const env = { USE_S3: "flase" };
    const { status, document } = await json(["config", "list"], { env });
    const entry = itemsOf(document).find(({ name }) => name === "use-s3");
    expect([status, entry]).toEqual([
      0,
      {
        name: "use-s3",
        variable: "USE_S3",
        value: "flase",
        problem: "neither true nor false",
        origin: { source: "environment", text: "the environment" },
      },
    ]);
    expect((await run(["config", "list"], { env, terminal: true })).stdout).toContain("flase (neither true nor false)");
  });
});

describe("config set, get, unset, path", () => {
  test("keep a setting in the user file, 0600, at the XDG path, without a -nodejs suffix", async () => {
    const { run, home } = await createWorld();
    const file = path.join(home, ".config/taskflow/config.json");
    expect((await run(["config", "path"])).stdout).toBe(`${file}\n`);
    const { status, stdout, stderr } = await run(["config", "set", "max-size", "100M"]);
    expect([status, stdout, stderr]).toEqual([0, "", `max-size is kept in ${file}\n`]);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ "max-size": "100M" });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    expect((await run(["config", "get", "TASKFLOW_MAX_SIZE"])).stdout).toBe("100M\n");
    expect((await run(["config", "get", "max-size", "--origin"])).stdout).toBe(`100M\t${file}\n`);
    expect((await run(["config", "unset", "max-size"])).status).toBe(0);
    expect(await run(["config", "get", "max-size"])).toMatchObject({ status: 3, stdout: "" });
    expect((await run(["config", "unset", "max-size"])).status).toBe(3);
  });

  test("XDG_CONFIG_HOME is honoured", async () => {
    const { run, cwd } = await createWorld();
    const env = { XDG_CONFIG_HOME: path.join(cwd, "xdg") };
    await run(["config", "set", "region", "eu-west-1"], { env });
    expect(await names(cwd)).toEqual(["xdg/taskflow/config.json"]);
    expect((await run(["config", "get", "region"], { env })).stdout).toBe("eu-west-1\n");
  });

  test("a value that something above it hides is told", async () => {
    const { run } = await createWorld();
    const { stderr } = await run(["config", "set", "region", "eu-west-1"], { env: { AWS_REGION: "eu-central-1" } });
    expect(stderr).toContain("here the environment says otherwise, and counts\n");
  });

  test("is what uploads obey", async () => {
    const { run, write } = await createWorld();
    await write("big", "x".repeat(2000));
    await run(["config", "set", "max-size", "1K"]);
    expect((await run(["attach", "upload", "T-1", "big"])).status).toBe(9);
    expect((await run(["attach", "upload", "T-1", "big"], { env: { TASKFLOW_MAX_SIZE: "2K" } })).status).toBe(0);
  });

  test.each([
    ["a secret", ["secret-access-key", "x"], /holds no secrets\nhint: keep the keys in a profile/],
    ["a token", ["TASKFLOW_TOKEN", "x"], /holds no secrets\nhint: set TASKFLOW_TOKEN in the environment/],
    ["what is no setting", ["colour", "red"], /no setting "colour"/],
    ["what is no value", ["max-size", "5 MB"], /max-size=5 MB: not a size\nhint: write bytes, or 512K/],
    ["a relative store", ["store", "./x"], /a relative path\nhint: write it from \/ or ~\//],
    ["nothing", ["region", ""], /empty/],
  ])("%s is refused with 2, and nothing is written", async (_name, operands, message) => {
    const { run, home } = await createWorld();
    const { status, stderr } = await run(["config", "set", ...operands]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(await snapshot(home)).toEqual({});
  });

  test("a user file that is no JSON is 5 for every command, and is not written over", async () => {
    const { run, home } = await createWorld();
    const { mkdir, writeFile } = await import("node:fs/promises");
    const file = path.join(home, ".config/taskflow/config.json");
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, "{oops", { mode: 0o600 });
    for (const argv of [
      ["attach", "list"],
      ["config", "list"],
      ["config", "set", "region", "eu-west-1"],
    ]) {
      expect([argv, (await run(argv)).status]).toEqual([argv, 5]);
    }
    expect(await readFile(file, "utf8")).toBe("{oops");
  });

  test("two at once: neither is lost", async () => {
    const { run, home } = await createWorld();
    const set = (name: string, value: string): Promise<{ status: number }> => run(["config", "set", name, value]);
    await Promise.all([set("region", "eu-west-1"), set("max-size", "1G"), set("retry-for", "5m")]);
    expect(JSON.parse(await readFile(path.join(home, ".config/taskflow/config.json"), "utf8"))).toEqual({
      region: "eu-west-1",
      "max-size": "1G",
      "retry-for": "5m",
    });
  });
});

test("what a .env says in vain is told by every command that reads it", async () => {
  const world = await createWorld();
  const file = await world.write(".env", "set AWS_REGION eu\nAWS_S3_BUKET=acme\n");
  const listed = await world.run(["attach", "list", "T-1"]);
  expect(listed.stderr).toContain(`warning: ${file} line 1 is not NAME=VALUE, so it is not read\n`);
  expect(listed.stderr).toContain(`warning: AWS_S3_BUKET in ${file} line 2 is not used: did you mean AWS_S3_BUCKET?\n`);
});

test("a .env that is a folder is told", async () => {
  const world = await createWorld();
  await world.write(".env/something");
  const { stderr } = await world.run(["attach", "list", "T-1"]);
  expect(stderr).toContain(`warning: ${world.cwd}/.env is a folder, so no settings are read from it\n`);
});
