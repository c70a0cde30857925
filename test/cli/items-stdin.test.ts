import { describe, expect, test } from "vitest";
import { createWorld, itemsOf } from "./support.ts";
import type { World } from "./support.ts";

const keysOf = async ({ json }: World, argv: readonly string[], stdin?: string): Promise<unknown> => {
  const { status, document } = await json(argv, stdin === undefined ? {} : { stdin });
  const keys = itemsOf(document).map(({ key }) => key);
  const errors = document["errors"] as readonly { code: string }[];
  return status === 0 ? keys : [...keys, ...errors.map(({ code }) => code)];
};

describe("`-` in place of the items", () => {
  test("reads full keys from stdin, one a line, as upload and list print them", async () => {
    const world = await createWorld();
    await world.write("a.txt", "a");
    await world.write("b.txt", "b");
    const { stdout } = await world.run(["attach", "upload", "T-1", "a.txt", "b.txt"]);
    const keys = stdout.trimEnd().split("\n");
    expect(await keysOf(world, ["attach", "show", "-"], stdout)).toEqual(keys);
    expect(await keysOf(world, ["attach", "show", "-"], keys.join("\r\n\r\n"))).toEqual(keys);
    expect(await keysOf(world, ["attach", "show", "T-1", "-"], stdout)).toEqual(keys);
    expect(await keysOf(world, ["attach", "show", "--task", "T-1", "-"], stdout)).toEqual(keys);
    expect(await keysOf(world, ["attach", "download", "-", "-o", "out/"], stdout)).toEqual(keys);
    expect(await keysOf(world, ["attach", "delete", "-"], stdout)).toEqual(keys);
    expect(await keysOf(world, ["attach", "undelete", "-"], stdout)).toEqual(keys);
    const list = (await world.run(["attach", "list", "T-1"])).stdout.replaceAll(/\t.*/g, "");
    expect(((await keysOf(world, ["attach", "delete", "-"], list)) as string[]).toSorted()).toEqual(keys.toSorted());
  });

  test("a line that is no key fails alone", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt");
    const lines = `garbage\n${key}\ntasks/T-1/gone\n../../etc/passwd\n`;
    const { status, document } = await world.json(["attach", "show", "-"], { stdin: lines });
    expect([status, document["items"].length]).toEqual([7, 1]);
    expect(document["errors"]).toMatchObject([
      { code: "usage", index: 0, item: "garbage" },
      { code: "not_found", index: 2 },
      { code: "usage", index: 3 },
    ]);
  });

  test("no line at all is nothing to do, and says so", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt");
    for (const command of ["show", "download", "delete", "undelete"]) {
      const { status, stdout, stderr } = await world.run(["attach", command, "-"], { stdin: "\n" });
      expect([command, status, stdout]).toEqual([command, 0, ""]);
      expect(stderr).toContain("no keys came on stdin\n");
    }
  });

  test("a line too long to be a key is exit 2", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt");
    expect((await world.run(["attach", "show", "-"], { stdin: "x".repeat(10_000) })).status).toBe(2);
  });

  test("stdin that is a terminal, or items beside it, is exit 2 before any store is looked for", async () => {
    const { run } = await createWorld();
    for (const command of ["show", "download", "delete", "undelete"]) {
      expect((await run(["attach", command, "-"], { terminal: true })).status).toBe(2);
      for (const beside of [
        ["T-1", "a", "-"],
        ["T-1", "-", "a"],
        ["-", "a"],
        ["-", "-"],
        ["", "-"],
      ]) {
        expect([beside, (await run(["attach", command, ...beside])).status]).toEqual([beside, 2]);
      }
    }
    expect((await run(["attach", "delete", "--all", "-"])).status).toBe(2);
    expect((await run(["attach", "undelete", "--since", "1h", "-"])).status).toBe(2);
  });

  test("a silent pipe doesn't keep an interrupted command", async () => {
    const world = await createWorld();
    await world.attach("T-1", "a.txt");
    const controller = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      controller.abort();
      await new Promise(() => undefined);
      yield Buffer.from("never");
    }
    const options = { stdin: silent(), signal: controller.signal };
    expect((await world.run(["attach", "show", "-"], options)).status).toBe(130);
  });
});
