/** Which store a command works on, as the command line shows it; test/config has the rules one by one. */
import { chmod, mkdir } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { names, snapshot } from "./snapshot.ts";
import { createWorld, matching } from "./support.ts";
import type { RunOptions, World } from "./support.ts";

async function storeOf(world: World, options: RunOptions = {}, ...argv: string[]): Promise<string> {
  const { document } = await world.json(["attach", "upload", "T-1", "-", ...argv], { stdin: "x", ...options });
  return document["errors"].length > 0 ? `${document["errors"][0].exit}` : (document["store"] as string);
}

describe("which store", () => {
  test("--store, else TASKFLOW_STORE, else USE_S3 with AWS_S3_BUCKET, else a folder", async () => {
    const world = await createWorld();
    const { cwd } = world;
    const env = { TASKFLOW_STORE: "./by-env", USE_S3: "false" };
    expect(await storeOf(world, { env }, "--store", "./by-flag")).toBe(path.join(cwd, "by-flag"));
    expect(await storeOf(world, { env })).toBe(path.join(cwd, "by-env"));
    expect(await storeOf(world, { env: { USE_S3: "false" } })).toBe(path.join(cwd, "uploads"));
    const { document } = await world.json(["attach", "list"], { env: { USE_S3: "true" } });
    expect(document["errors"]).toMatchObject([{ code: "bad_config", exit: 5, message: matching("AWS_S3_BUCKET") }]);
  });

  test("a folder is written with a / in it; a bare word, s3:/x and s3://bucket/prefix are exit 2 with the way out", async () => {
    const { run, write, cwd } = await createWorld();
    await write("a.txt");
    for (const [store, hint] of [
      ["uploads", "write ./uploads for the folder, s3://uploads for the bucket"],
      ["s3:/acme", "write s3://acme for the bucket"],
      ["s3://acme/prefix", "write s3://acme"],
      ["s3://", "write s3://bucket"],
      ["gs://acme", "name a folder"],
      ["", "name a folder"],
    ] as const) {
      for (const argv of [["list"], ["upload", "T-1", "a.txt"]]) {
        const { status, stderr } = await run(["attach", ...argv, `--store=${store}`]);
        expect([store, status, stderr]).toEqual([store, 2, expect.stringContaining(hint)]);
      }
    }
    expect(await names(cwd)).toEqual(["a.txt"]);
  });

  test("AWS_S3_BUCKET without USE_S3 is exit 5, and nothing is kept on this disk", async () => {
    const { run, write, cwd } = await createWorld();
    await write("a.txt");
    const env = { AWS_S3_BUCKET: "acme" };
    const { status, stderr } = await run(["attach", "upload", "T-1", "a.txt"], { env });
    expect(status).toBe(5);
    expect(stderr).toMatch(/AWS_S3_BUCKET is set in the environment.*\nhint: set USE_S3=true .*USE_S3=false/);
    expect(await names(cwd)).toEqual(["a.txt"]);
    const quiet = await run(["attach", "upload", "T-1", "a.txt"], { env: { ...env, USE_S3: "false" } });
    expect([quiet.status, quiet.stderr]).toEqual([0, expect.not.stringMatching(/S3|warning/)]);
  });

  test.each(["flase", "2", "TRUE ", "y"])("USE_S3=%s is exit 5", async (value) => {
    const { run } = await createWorld();
    const { status, stderr } = await run(["attach", "list"], { env: { USE_S3: value } });
    expect([status, stderr]).toEqual([
      5,
      expect.stringMatching(/^error: USE_S3=.*neither true nor false\nhint: write true/),
    ]);
  });

  test("the nearest existing store upward, else uploads/ beside the nearest .env or .git, else here", async () => {
    const world = await createWorld();
    const { cwd, home } = world;
    const deep = path.join(cwd, "a/b/c");
    await mkdir(deep, { recursive: true });
    expect(await storeOf(world, { cwd: deep })).toBe(path.join(cwd, "uploads"));
    await mkdir(path.join(cwd, "a/b/uploads/tasks"), { recursive: true });
    expect(await storeOf(world, { cwd: deep })).toBe(path.join(cwd, "a/b/uploads"));
    await mkdir(path.join(home, "x/y"), { recursive: true });
    expect(await storeOf(world, { cwd: path.join(home, "x/y") })).toBe(path.join(home, "x/y/uploads"));
    await world.write("a/.env", "");
    await mkdir(path.join(cwd, "a/d"), { recursive: true });
    await world.run(["attach", "list"]);
    expect(await storeOf(world, { cwd: path.join(cwd, "a/d") })).toBe(path.join(cwd, "uploads"));
  });

  test("looking upward stops at the repository's root: a store above is another project's", async () => {
    const world = await createWorld();
    await world.write("uploads/tasks/1/file");
    const inner = path.join(world.cwd, "vendor/inner");
    await mkdir(path.join(inner, ".git"), { recursive: true });
    const { status, stderr } = await world.run(["attach", "list"], { cwd: inner });
    expect([status, stderr]).toEqual([5, expect.stringContaining(`looked for ${path.join(inner, "uploads")}\n`)]);
  });

  test("an uploads/ without .taskflow or tasks/ is no store", async () => {
    const { run, write } = await createWorld();
    await write("uploads/picture.png");
    expect((await run(["attach", "list"])).status).toBe(5);
    const { stderr } = await run(["attach", "upload", "T-1", "-"], { stdin: "x" });
    expect(stderr).toContain("created store ");
  });

  test("only upload makes a store; every other command is exit 5 no_store and names where it looked", async () => {
    const { run, json, cwd, store } = await createWorld();
    const before = await snapshot(cwd);
    for (const argv of [
      ["list"],
      ["list", "T-1"],
      ["show", "T-1", "a"],
      ["download", "T-1"],
      ["delete", "T-1", "a"],
      ["delete", "T-1", "--all", "--purge", "--yes"],
      ["undelete", "T-1", "--all"],
    ]) {
      const { status, document } = await json(["attach", ...argv]);
      expect([argv, status, document["errors"][0].code]).toEqual([argv, 5, "no_store"]);
      expect(document["errors"][0].message).toContain(store);
      expect(document["errors"][0].hint).toContain("upload");
    }
    expect((await run(["attach", "list", "--store", "./x/"])).stderr).toContain(`no store at ${path.join(cwd, "x")}`);
    expect(await snapshot(cwd)).toEqual(before);
  });

  test("every command that changes something names its store on stderr", async () => {
    const { run, attach, write, store } = await createWorld();
    await write("a.txt");
    const key = await attach("T-1", "a");
    for (const argv of [
      ["upload", "T-1", "a.txt"],
      ["upload", "T-1", "missing"],
      ["delete", key],
      ["delete", "T-1", "missing"],
      ["undelete", key],
      ["undelete", "T-1", "missing"],
      ["delete", key, "-n"],
      ["delete", key, "--purge", "-y"],
    ]) {
      expect([argv, (await run(["attach", ...argv])).stderr]).toEqual([argv, expect.stringContaining(` in ${store}`)]);
    }
  });

  test(".env is read, never over a real variable, and its paths are relative to it", async () => {
    const world = await createWorld();
    await world.write(".env", "TASKFLOW_STORE=./from-dotenv\nTASKFLOW_USER=eve\n");
    const cwd = path.join(world.cwd, "sub");
    await mkdir(cwd);
    expect(await storeOf(world, { cwd })).toBe(path.join(world.cwd, "from-dotenv"));
    expect(await storeOf(world, { cwd, env: { TASKFLOW_STORE: "./here" } })).toBe(path.join(cwd, "here"));
    const { document } = await world.json(["attach", "list", "-l"]);
    expect(document["items"]).toMatchObject([{ uploadedBy: "eve" }]);
  });

  test("a .env that others can write is not read, with a warning", async () => {
    const world = await createWorld();
    await chmod(await world.write(".env", "TASKFLOW_USER=eve\n"), 0o666);
    const store = ["--store", "./uploads"];
    const { stderr } = await world.run(["attach", "upload", "T-1", "-", ...store], { stdin: "x" });
    expect(stderr).toMatch(/^warning: .*\.env/);
    const { document } = await world.json(["attach", "list", "-l", ...store]);
    expect(document["items"]).toMatchObject([{ uploadedBy: "ada" }]);
    // It may have named the store: none is guessed without it.
    expect((await world.run(["attach", "list"])).status).toBe(5);
  });

  test("C8 a store that others can write is worth a warning", async () => {
    const { run, attach, store } = await createWorld();
    await attach("T-1", "a");
    await chmod(store, 0o777);
    const { status, stderr } = await run(["attach", "list", "T-1"]);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^warning: .*can be written by others .*chmod 700/)]);
  });
});
