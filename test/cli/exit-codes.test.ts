/** The exit status tells what happened: the table, and who wins where several are true. */
import { symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ERRORS } from "../../src/errors.ts";
import { names, snapshot } from "./snapshot.ts";
import { createWorld } from "./support.ts";

describe("exit status", () => {
  test("`help exit-codes` and `help errors` show every status and code there is", async () => {
    const { run } = await createWorld();
    const codes = (await run(["help", "exit-codes"])).stdout;
    const errors = (await run(["help", "errors"])).stdout;
    for (const [code, { exit }] of Object.entries(ERRORS)) {
      expect(codes).toContain(exit === 130 ? "129, 130, 143" : `  ${exit} `);
      expect(errors).toMatch(new RegExp(`^ {2}${code} +${exit}\\b`, "m"));
    }
  });

  test("0 for an empty list, 2 for wrong usage, 3 for what isn't there, 5 for no store", async () => {
    const { run, attach } = await createWorld();
    expect((await run(["attach", "list", "T-1"])).status).toBe(5);
    await attach("T-0", "a");
    expect((await run(["attach", "list", "T-1"])).status).toBe(0);
    expect((await run(["attach", "show", "T-0", "b"])).status).toBe(3);
    expect((await run(["attach", "show"])).status).toBe(2);
  });

  test("some done, some failed is 7; all failed is the first in order; 8 wins over 7", async () => {
    const { run, write, attach, store, cwd } = await createWorld();
    await write("ok");
    await symlink("loop", path.join(cwd, "loop"));
    const upload = async (...files: string[]): Promise<number> =>
      (await run(["attach", "upload", "T-1", ...files])).status;
    expect(await upload("ok", "missing")).toBe(7);
    expect(await upload("missing", "ok", "loop")).toBe(7);
    expect(await upload("missing", "loop")).toBe(3);
    expect(await upload("loop", "missing")).toBe(2);
    const key = await attach("T-2", "bad");
    await attach("T-2", "good");
    await writeFile(path.join(store, key), "changed");
    const download = async (...items: string[]): Promise<number> =>
      (await run(["attach", "download", "T-2", ...items, "-o", "out/", "--if-exists", "overwrite"])).status;
    expect(await download("good", "missing")).toBe(7);
    expect(await download("good", "bad", "missing")).toBe(8);
    expect(await download("missing", "bad")).toBe(8);
    expect(await download()).toBe(8);
  });

  test("129, 130, 143 by the signal: the first stops cleanly, and nothing half-done stays", async () => {
    const { TaskflowError } = await import("../../src/errors.ts");
    for (const exit of [129, 130, 143]) {
      const { run, json, attach, write, store } = await createWorld();
      await attach("T-0", "makes the store");
      await write("big", Buffer.alloc(8 << 20));
      const before = Object.keys(await snapshot(store));
      const controller = new AbortController();
      const uuid = (): string => {
        controller.abort(new TaskflowError("interrupted", "interrupted by a signal", { exit }));
        return "0b9c6f0e-1111-4222-8333-444455556666";
      };
      const result = await run(["attach", "upload", "T-0", "big"], { signal: controller.signal, uuid });
      expect([result.status, result.stdout]).toEqual([exit, ""]);
      expect(Object.keys(await snapshot(store))).toEqual(before);
      const aborted = { signal: AbortSignal.abort(new TaskflowError("interrupted", "by a signal", { exit })) };
      for (const argv of [["list"], ["show", "T-0", "x"], ["delete", "T-0", "--all"], ["undelete", "T-0", "--all"]]) {
        const { status, document } = await json(["attach", ...argv], aborted);
        expect([argv, status, document["errors"][0].code]).toEqual([argv, exit, "interrupted"]);
      }
      expect(await names(store)).toHaveLength(2);
    }
  });

  test("C6 a store that is / or a file is 5, a link to a folder is fine", async () => {
    const { run, write, attach, cwd } = await createWorld();
    await write("a.txt");
    await write("file");
    await attach("T-1", "a");
    await symlink("uploads", path.join(cwd, "alias"));
    expect((await run(["attach", "list", "T-1", "--store", "./alias"])).lines).toHaveLength(1);
    for (const argv of [["list"], ["upload", "T-1", "a.txt"]]) {
      expect((await run(["attach", ...argv, "--store", "/"])).status).toBe(5);
      expect((await run(["attach", ...argv, "--store", "./file"])).status).toBe(5);
    }
  });

  test("C9 a store of a newer format is 5, and nothing is touched", async () => {
    const { run, attach, store } = await createWorld();
    await attach("T-1", "a");
    await writeFile(path.join(store, ".taskflow/format"), '{"version":99,"id":"x"}\n');
    const before = await snapshot(store);
    for (const argv of [["list"], ["show", "T-1", "a"], ["delete", "T-1", "a"], ["download", "T-1"]]) {
      const { status, stderr } = await run(["attach", ...argv]);
      expect([argv, status, stderr]).toEqual([argv, 5, expect.stringContaining("newer taskflow")]);
    }
    expect((await run(["attach", "upload", "T-1", "-"], { stdin: "x" })).status).toBe(5);
    expect(await snapshot(store)).toEqual(before);
  });
});
