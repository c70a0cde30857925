import { appendFileSync } from "node:fs";
import { mkdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { names, snapshot } from "./snapshot.ts";
import { createWorld } from "./support.ts";
import type { World } from "./support.ts";

describe("it writes inside the folder only", () => {
  test.each(["../../x", "/abs/x", "a/../../../x", "../..", ".hidden/../x", "a//b/./c", "....//x", "C:\\x", "/"])(
    "with a true name like %j",
    async (name) => {
      const world = await createWorld();
      const key = await world.attach("T-1", name, "payload");
      const before = await snapshot(path.dirname(world.cwd));
      for (const argv of [["T-1"], [key]]) {
        await rm(path.join(world.cwd, "out"), { recursive: true, force: true });
        expect((await world.run(["attach", "download", ...argv, "-o", "out/"])).status).toBe(0);
        const now = Object.keys(await snapshot(path.dirname(world.cwd))).filter((file) => !(file in before));
        expect(now.filter((file) => !file.startsWith("project/out/"))).toEqual([]);
        expect(now.some((file) => !file.endsWith("/"))).toBe(true);
      }
    },
  );

  test("a link among the folders is not followed out of it, and nothing is made behind it", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "sub/deep/x.txt");
    await mkdir(path.join(world.cwd, "out"));
    await mkdir(path.join(world.cwd, "elsewhere"));
    await symlink("../elsewhere", path.join(world.cwd, "out/sub"));
    const { status, stderr } = await world.run(["attach", "download", key, "-o", "out/"]);
    expect([status, stderr]).toEqual([5, expect.stringMatching(/leads out of .*out/)]);
    expect(await snapshot(path.join(world.cwd, "elsewhere"))).toEqual({});
  });
});

describe("what was attached is what is written, or nothing is", () => {
  const dataOf = ({ store }: World, key: string): string => path.join(store, key);
  const recordOf = ({ store }: World, key: string): string =>
    path.join(store, ".taskflow/meta/T-1", `${path.basename(key)}.json`);

  test.each<[string, (file: string) => Promise<void>]>([
    ["D16 one bit is flipped", (file) => writeFile(file, Buffer.from("iello"))],
    ["D19 it was truncated to nothing", (file) => truncate(file, 0)],
    ["it grew", (file) => Promise.resolve(appendFileSync(file, "!"))],
  ])("%s: exit 8, no file, the store untouched", async (_name, damage) => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    await damage(dataOf(world, key));
    const before = await snapshot(world.cwd);
    const { status, document, stderr } = await world.json(["attach", "download", "T-1", "a.txt"]);
    expect([status, document["errors"][0].code]).toEqual([8, "checksum_mismatch"]);
    expect(stderr).toMatch(/is not what was attached\nhint: SHA-256 recorded 2cf24dba.*, found /);
    expect(await snapshot(world.cwd)).toEqual(before);
    const piped = await world.run(["attach", "download", "T-1", "a.txt", "-o", "-"]);
    expect([piped.status, piped.stderr]).toEqual([8, expect.stringContaining("throw away what was written")]);
    expect((await world.run(["attach", "download", "T-1", "a.txt", "--no-verify"])).status).toBe(0);
  });

  test("8 wins over 7, and the others are written", async () => {
    const world = await createWorld();
    await world.attach("T-1", "good.txt");
    const key = await world.attach("T-1", "bad.txt");
    await writeFile(dataOf(world, key), "other");
    const { status, document } = await world.json(["attach", "download", "T-1", "missing", "good.txt", "bad.txt"]);
    expect([status, document["errors"].map(({ code }: { code: string }) => code)]).toEqual([
      8,
      ["not_found", "checksum_mismatch"],
    ]);
    expect(await names(world.cwd)).toContain("good.txt");
  });

  test("D18 no record: written, with a warning that it is not verified", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt");
    await rm(recordOf(world, key));
    const { status, document } = await world.json(["attach", "download", "T-1", "a.txt"]);
    expect([status, document["items"][0].verified]).toEqual([0, "unrecorded"]);
    expect(document["warnings"]).toEqual(["no checksum was recorded for it: not verified"]);
    const piped = await world.run(["attach", "download", "T-1", "a.txt", "-o", "-"]);
    expect(piped.stderr).toContain("warning: no checksum was recorded for it: not verified\n");
  });

  test.each(['{"v":1,"ke', "null", '{"v":1}', ""])("D18 a record of %j: exit 8, unless --no-verify", async (text) => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt", "hello");
    await writeFile(recordOf(world, key), text);
    const { status, stderr } = await world.run(["attach", "download", key]);
    expect([status, stderr]).toEqual([8, expect.stringMatching(/record .* is damaged: .*\nhint: --no-verify/)]);
    const { document } = await world.json(["attach", "download", key, "--no-verify"]);
    expect(document["items"]).toMatchObject([{ verified: "skipped" }]);
  });

  test("E6 a delete while it is read doesn't harm it", async () => {
    const world = await createWorld();
    const bytes = Buffer.alloc(3 << 20, "x");
    const key = await world.attach("T-1", "big", bytes);
    const [download, remove] = await Promise.all([
      world.run(["attach", "download", key, "-o", "big"]),
      world.run(["attach", "delete", key]),
    ]);
    expect(remove.status).toBe(0);
    expect([0, 3]).toContain(download.status);
    if (download.status === 0) expect((await readFile(path.join(world.cwd, "big"))).equals(bytes)).toBe(true);
    else expect(await names(world.cwd)).not.toContain("big");
  });

  test("interrupted it leaves no file behind", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt");
    const signal = AbortSignal.abort();
    expect((await world.run(["attach", "download", "T-1"], { signal })).status).toBe(130);
    expect((await names(world.cwd)).filter((name) => !name.startsWith("uploads/"))).toEqual([]);
  });
});
