import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { names, snapshot } from "./snapshot.ts";
import { createWorld, itemsOf, matching, nextMillisecond } from "./support.ts";
import type { RunResult, World } from "./support.ts";

/** Runs a command as it is printed, through the words a POSIX shell would make of it. */
function runPrinted({ run }: World, command: string): Promise<RunResult> {
  const words = [...command.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ""));
  expect(words.shift()).toBe("taskflow");
  return run(words);
}

describe("delete", () => {
  test("prints the keys, asks nothing, and answers with the count, the store and the exact undo", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a.txt");
    await world.attach("T-1", "b.txt");
    const { status, stdout, stderr } = await world.run(["attach", "delete", "T-1", "a.txt"]);
    expect([status, stdout]).toEqual([0, `${key}\n`]);
    const [told, undo = ""] = stderr.trimEnd().split("\n");
    expect(told).toBe(`deleted 1 attachment in ${world.store}`);
    expect(await names(world.store)).not.toContain(key);
    const command = undo.replace(/^undo, until [\d-]+: /, "");
    expect(command).toBe(`taskflow attach undelete T-1 ${path.basename(key).slice(0, 36)}`);
    expect((await runPrinted(world, command)).lines).toEqual([key]);
    expect(await readFile(path.join(world.store, key), "utf8")).toBe("content of a.txt");
  });

  test("--all takes everything on the task, without asking; its undo brings back exactly that", async () => {
    const world = await createWorld();
    await world.run(["attach", "delete", await world.attach("T-1", "gone before")]);
    const keys = [await world.attach("T-1", "a"), await world.attach("T-1", "b")].toSorted();
    const other = await world.attach("T-2", "a");
    const { status, lines, stderr } = await world.run(["attach", "rm", "T-1", "--all"]);
    expect([status, lines]).toEqual([0, keys]);
    const [, undo = ""] = /^undo, until [\d-]+: (.*)$/m.exec(stderr) ?? [];
    expect(undo).toBe(`taskflow attach undelete T-1 ${keys.map((key) => path.basename(key).slice(0, 36)).join(" ")}`);
    expect((await world.run(["attach", "list"])).lines).toEqual([expect.stringContaining(other)]);
    expect((await runPrinted(world, undo)).lines).toEqual(keys);
    expect((await world.run(["attach", "delete", "--task", "T-1", "--all"])).lines).toEqual(keys);
    expect((await world.run(["attach", "delete", "T-1", "--all"])).stderr).toContain("nothing was deleted in ");
  });

  test("the undo of more than ten is by time, of each task from the first on that went", async () => {
    const world = await createWorld();
    const keys: string[] = [];
    await world.run(["attach", "delete", await world.attach("T-1", "gone before")]);
    await nextMillisecond();
    for (let n = 0; n < 10; n += 1) keys.push(await world.attach("T-1", `${n}`));
    const other = await world.attach("T-2", "a");
    const { stderr } = await world.run(["attach", "delete", ...keys, other]);
    const undo = stderr.match(/taskflow attach undelete .*/g) ?? [];
    expect(undo).toEqual([
      expect.stringMatching(/^taskflow attach undelete T-1 --since \d{4}-\d\d-\d\dT[\d:.]+Z$/),
      expect.stringMatching(/^taskflow attach undelete T-2 --since \S+$/),
    ]);
    expect((await runPrinted(world, undo[0] ?? "")).lines).toEqual(keys.toSorted());
    expect((await runPrinted(world, undo[1] ?? "")).lines).toEqual([other]);
    const { stderr: ofTen } = await world.run(["attach", "delete", "T-1", "--all"]);
    expect(
      (await runPrinted(world, /taskflow attach undelete T-1( [0-9a-f-]{36}){10}$/m.exec(ofTen)?.[0] ?? "")).lines,
    ).toHaveLength(10);
  });

  test("on a bucket too, whose times are whole seconds, the undo leaves what was deleted in the same one", async () => {
    const world = await createS3World();
    await world.run(["attach", "delete", await world.attach("T-1", "gone before")]);
    const keys = [await world.attach("T-1", "a"), await world.attach("T-1", "b")].toSorted();
    const { stderr } = await world.run(["attach", "delete", "T-1", "--all"]);
    expect((await runPrinted(world, /taskflow attach undelete .*/.exec(stderr)?.[0] ?? "")).lines.toSorted()).toEqual(
      keys,
    );
  });

  test("the undo of several tasks is a line each, and of a named store names it", async () => {
    const world = await createWorld();
    const store = ["--store", "./my store/"];
    const keys = [await world.attach("T-1", "a", "x", ...store), await world.attach("T-2", "b", "x", ...store)];
    const { stderr } = await world.run(["attach", "delete", ...keys, ...store]);
    const undo = stderr.match(/taskflow attach undelete .*/g) ?? [];
    expect(undo).toEqual([
      expect.stringMatching(/ T-1 [0-9a-f-]{36} --store '\.\/my store\/'$/),
      expect.stringMatching(/ T-2 [0-9a-f-]{36} --store '\.\/my store\/'$/),
    ]);
    expect((await Promise.all(undo.map((command) => runPrinted(world, command)))).map(({ lines }) => lines)).toEqual(
      keys.map((key) => [key]),
    );
  });

  test("a JSON item says that it is deleted, when, and how to undo that", async () => {
    const world = await createWorld();
    const key = await world.attach("T-1", "a");
    const { document } = await world.json(["attach", "delete", "T-1", "a"]);
    expect(document["items"]).toMatchObject([
      {
        key,
        deleted: true,
        deletedAt: matching(/^/),
        undo: { command: matching(/^/), until: matching(/T00:00:00\.000Z$/) },
      },
    ]);
    expect((await runPrinted(world, document["items"][0].undo.command)).status).toBe(0);
  });

  test("the undo of foreign files whose ids are not their own works as printed too", async () => {
    const world = await createWorld();
    for (const name of ["abc123_a's.pdf", "abc123_b.pdf", "evil\u001b[2J\n.pdf"]) {
      await world.write(`uploads/tasks/1/${name}`);
    }
    const { document } = await world.json(["attach", "delete", "1", "--all"]);
    const commands = document["items"].map(({ undo }: { undo: { command: string } }) => undo.command) as string[];
    expect(commands[1]).toBe("taskflow attach undelete tasks/1/abc123_b.pdf");
    expect(commands[2]).toMatch(/^taskflow attach undelete 1 --since /);
    expect((await runPrinted(world, commands[1] ?? "")).lines).toEqual(["tasks/1/abc123_b.pdf"]);
    expect((await runPrinted(world, commands[2] ?? "")).lines).toHaveLength(2);
  });

  test("a missing item is exit 3, with --ignore-missing none", async () => {
    const { run, json, attach } = await createWorld();
    await attach("T-1", "a");
    const { status, stdout, stderr } = await run(["attach", "delete", "T-1", "missing"]);
    expect([status, stdout, stderr]).toEqual([3, "", expect.stringContaining('no attachment "missing" on T-1')]);
    expect((await run(["attach", "delete", "T-1", "a", "missing"])).status).toBe(7);
    const { document } = await json(["attach", "delete", "T-1", "a", "missing", "--ignore-missing"]);
    expect(document).toMatchObject({ ok: true, items: [], summary: { done: 0, skipped: 2, failed: 0 } });
  });

  test("--all and items contradict each other: exit 2, and nothing is deleted", async () => {
    const { run, attach } = await createWorld();
    const key = await attach("T-1", "a");
    await attach("T-1", "b");
    for (const argv of [["T-1", "a"], [key], ["T-1/a"], ["-"]]) {
      expect([argv, (await run(["attach", "delete", "--all", ...argv])).status]).toEqual([argv, 2]);
    }
    expect((await run(["attach", "delete", "T-1"])).stderr).toContain("hint: --all takes everything on the task");
    expect((await run(["attach", "list", "T-1"])).lines).toHaveLength(2);
  });

  test("a dry run prints what would be done, in the same form, and changes nothing at all", async () => {
    const { run, json, attach, cwd } = await createWorld();
    const keys = [await attach("T-1", "a"), await attach("T-1", "b")].toSorted();
    await run(["attach", "delete", "T-1", "a"]);
    await run(["attach", "undelete", "T-1", "a"]);
    const before = await snapshot(cwd);
    for (const argv of [
      ["--all", "-n"],
      ["--all", "--purge", "-n"],
      ["a", "b", "--dry-run", "--yes"],
    ]) {
      const { status, lines, stderr } = await run(["attach", "delete", "T-1", ...argv]);
      expect([status, lines.toSorted()]).toEqual([0, keys]);
      expect(stderr).toMatch(/^would (delete|purge) 2 attachments in /);
    }
    expect((await json(["attach", "delete", "T-1", "--all", "-n"])).document).toMatchObject({ dryRun: true });
    expect((await run(["attach", "delete", "T-1", "missing", "-n"])).status).toBe(3);
    expect(await snapshot(cwd)).toEqual(before);
  });

  test("E5 of two deletes of one attachment at once exactly one wins", async () => {
    const { run, attach } = await createWorld();
    for (let round = 0; round < 10; round += 1) {
      const key = await attach("T-1", "a");
      const both = await Promise.all([run(["attach", "delete", key]), run(["attach", "delete", key])]);
      expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([0, 3]);
      expect(both.map(({ stdout }) => stdout).toSorted()).toEqual(["", `${key}\n`]);
    }
  });

  test("E7 E8 delete, undelete and purge at once leave one whole state", async () => {
    const { run, json, attach } = await createWorld();
    for (let round = 0; round < 10; round += 1) {
      const key = await attach("T-1", "a");
      if (round % 2 === 0) await run(["attach", "delete", key]);
      const statuses = await Promise.all(
        [["delete"], ["undelete"], ["delete", "--purge", "--yes"]].map(async ([command = "", ...more]) => {
          const { status } = await run(["attach", command, key, ...more]);
          return status;
        }),
      );
      expect(statuses.filter((status) => ![0, 3, 9].includes(status))).toEqual([]);
      const live = itemsOf((await json(["attach", "list", "T-1", "-l"])).document);
      const deleted = itemsOf((await json(["attach", "list", "T-1", "--deleted", "-l"])).document);
      expect(live.length + deleted.length).toBeLessThanOrEqual(1);
      for (const one of [...live, ...deleted]) expect(one["sha256"]).not.toBeNull();
      await run(["attach", "delete", key, "--purge", "--yes", "--ignore-missing"]);
    }
  });
});

describe("--purge", () => {
  const QUESTION = "This can't be undone. [y/N] ";

  test.each(["y\n", "yes\n", "Y\r\n", "YES"])("asks on a terminal; %j is yes", async (answer) => {
    const { run, attach, store } = await createWorld();
    const key = await attach("T-1", "a.txt");
    const { status, stdout, stderr } = await run(["attach", "delete", "T-1", "a.txt", "--purge"], {
      terminal: true,
      stdin: answer,
    });
    expect([status, stdout]).toEqual([0, `${key}\n`]);
    expect(stderr).toContain(`purge T-1 a.txt in ${store}? ${QUESTION}`);
    expect(stderr).toContain(`purged 1 attachment in ${store}, for good\n`);
    expect(await names(store)).toEqual([".gitignore"]);
    expect((await run(["attach", "undelete", "T-1", "a.txt"])).status).toBe(3);
  });

  test.each(["n\n", "\n", "", "yess\n", "\u0004", "no y\n"])("%j is no: exit 9, nothing done", async (answer) => {
    const { run, attach, cwd } = await createWorld();
    await attach("T-1", "a.txt");
    const before = await snapshot(cwd);
    const options = { terminal: true, stdin: answer };
    const { status, stdout } = await run(["attach", "delete", "T-1", "a.txt", "--purge"], options);
    expect([status, stdout]).toEqual([9, ""]);
    expect(await snapshot(cwd)).toEqual(before);
  });

  test("asks nothing in CI, in a pipe, or without a terminal to ask on: exit 9, nothing done", async () => {
    const { run, json, attach, cwd } = await createWorld();
    const key = await attach("T-1", "a.txt");
    const before = await snapshot(cwd);
    const argv = ["attach", "delete", "T-1", "a.txt", "--purge"];
    for (const options of [
      {},
      { terminal: true, env: { CI: "true" } },
      { terminal: { stdin: true, stdout: true } },
      { terminal: { stderr: true, stdout: true } },
    ]) {
      const { status, stderr } = await run(argv, options);
      expect([status, stderr]).toEqual([9, expect.stringMatching(/^error: not confirmed: .*\nhint: add --yes/)]);
    }
    expect((await json(argv)).document["errors"]).toMatchObject([{ code: "not_confirmed", exit: 9 }]);
    expect((await run(["attach", "delete", "-", "--purge"], { stdin: key })).status).toBe(9);
    expect(await snapshot(cwd)).toEqual(before);
    // A variable that says no CI leaves the terminal to ask.
    const asked = await run(argv, { terminal: true, env: { CI: "false" }, stdin: "y\n" });
    expect(asked.status).toBe(0);
  });

  test("a prompt gives way to a signal", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a.txt");
    const controller = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      controller.abort();
      await new Promise(() => undefined);
      yield Buffer.from("y\n");
    }
    const options = { terminal: true, stdin: silent(), signal: controller.signal };
    expect((await run(["attach", "delete", "T-1", "a.txt", "--purge"], options)).status).toBe(130);
    expect((await run(["attach", "list", "T-1"])).lines).toHaveLength(1);
  });

  test("with --yes reaches live and deleted ones; --all reaches everything on the task", async () => {
    const { run, json, attach, store } = await createWorld();
    const live = await attach("T-1", "live", "x", "--storage-class", "GLACIER");
    const gone = await attach("T-1", "gone");
    const other = await attach("T-2", "other");
    await run(["attach", "delete", gone]);
    expect((await run(["attach", "delete", "T-1", "gone", "--purge", "-y"])).lines).toEqual([gone]);
    const more = await attach("T-1", "more");
    await run(["attach", "delete", more]);
    const { document } = await json(["attach", "delete", "T-1", "--all", "--purge", "--yes"]);
    expect(itemsOf(document).map(({ key }) => key)).toEqual([live, more]);
    expect(document["items"][0].undo).toBeUndefined();
    const left = Object.keys(await snapshot(store)).filter((name) => name.includes("T-1") && !name.endsWith("/"));
    expect([left, await names(store)]).toEqual([[], [".gitignore", other]]);
    expect((await run(["attach", "delete", "T-1", "gone", "--purge", "-y"])).status).toBe(3);
  });

  test("a question shows hostile names as text", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a\u001b[2J");
    const { stderr } = await run(["attach", "delete", "T-1", "a\u001b[2J", "--purge"], {
      terminal: true,
      stdin: "n\n",
    });
    expect(stderr).toContain("a\\x1b[2J");
    expect(stderr).not.toContain("\u001b");
  });
});

describe.each(["Unversioned", "Suspended"] as const)("a bucket that is %s: what is deleted is gone", (versioning) => {
  const A = "tasks/T-d/0b9c6f0e-0000-4000-8000-000000000001_a";
  const B = "tasks/T-d/0b9c6f0e-0000-4000-8000-000000000002_b";

  async function bucket(): Promise<S3World> {
    const world = await createS3World({ buckets: { [BUCKET]: { versioning } } });
    for (const key of [A, B]) world.s3.plant(BUCKET, key, "x");
    return world;
  }

  test("nobody is asked about what isn't there, on a terminal or off it", async () => {
    const { run, s3 } = await bucket();
    for (const purge of [[], ["--purge"]]) {
      for (const terminal of [false, true]) {
        const statusOf = async (...argv: string[]): Promise<unknown> => {
          const { status, stdout, stderr } = await run(["attach", "delete", ...argv, ...purge], { terminal });
          return [status, stdout, stderr.includes("can't be undone")];
        };
        expect(await statusOf("T-d", "nope")).toEqual([3, "", false]);
        expect(await statusOf("T-nothing", "nope", "--ignore-missing")).toEqual([0, "", false]);
        expect(await statusOf("T-nothing", "--all")).toEqual([0, "", false]);
      }
    }
    expect(s3.keys(BUCKET)).toEqual([A, B]);
  });

  test("where there is something, nothing is gone before the answer: exit 9 without one", async () => {
    const { run, s3 } = await bucket();
    for (const argv of [["T-d", "nope", "a"], ["T-d", "b", "a", "--ignore-missing"], ["T-d", "--all"], [A]]) {
      const { status, stdout, stderr } = await run(["attach", "delete", ...argv]);
      expect([argv, status, stdout]).toEqual([argv, 9, ""]);
      expect(stderr).toContain("This can't be undone.\nhint: add --yes to confirm\n");
      expect((await run(["attach", "delete", ...argv], { terminal: true, stdin: "n\n" })).status).toBe(9);
    }
    expect(s3.keys(BUCKET)).toEqual([A, B]);
    const yes = await run(["attach", "delete", "T-d", "nope", "a"], { terminal: true, stdin: "y\n" });
    expect([yes.status, yes.stdout, s3.keys(BUCKET)]).toEqual([7, `${A}\n`, [B]]);
    expect((await run(["attach", "delete", "-"], { stdin: B })).status).toBe(9);
    expect((await run(["attach", "delete", "-", "-y"], { stdin: B })).lines).toEqual([B]);
  });

  test("the question for a whole task says what goes: deleted ones with a purge only", async () => {
    const { run } = await bucket();
    const where = `in s3://${BUCKET}? This can't be undone.`;
    const all = ["attach", "delete", "T-d", "--all"];
    expect((await run(all)).stderr).toContain(`delete everything on T-d ${where}`);
    expect((await run([...all, "--purge"])).stderr).toContain(`purge everything on T-d, deleted ones too, ${where}`);
  });
});
