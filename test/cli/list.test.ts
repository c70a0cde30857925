import { mkdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { snapshot } from "./snapshot.ts";
import { createS3World } from "./s3-support.ts";
import { createWorld, firstOf, itemsOf, matching } from "./support.ts";
import type { Document, World } from "./support.ts";

/** Puts foreign files of these ages in hours on a task, so that the store's times are known. */
async function aged(world: World, task: string, ages: Record<string, number>): Promise<void> {
  for (const [name, hours] of Object.entries(ages)) {
    const file = await world.write(`uploads/tasks/${task}/${name}`);
    const time = NOW.getTime() / 1000 - hours * 3600;
    await utimes(file, time, time);
  }
}

const NOW = new Date("2026-11-23T12:00:00Z");

async function listed(world: World, ...argv: string[]): Promise<string[]> {
  const { lines } = await world.run(["attach", "list", ...argv], { now: NOW });
  return lines.map((line) => line.split("\t").at(-1) ?? "");
}

describe("list", () => {
  test("off a terminal: key, id, bytes, UTC time, class, name between tabs, no header", async () => {
    const { run, attach } = await createWorld();
    const key = await attach("T-1", "a b.txt", "12345", "--storage-class", "GLACIER");
    const { stdout, stderr } = await run(["attach", "list", "T-1"]);
    const [first = "", ...others] = stdout.split("\n");
    const id = key.slice("tasks/T-1/".length, key.indexOf("_"));
    expect(first.split("\t")).toEqual([key, id, "5", expect.stringMatching(ISO), "GLACIER", "a b.txt"]);
    expect([others, stderr]).toEqual([[""], ""]);
  });

  test("on a terminal: a table with a header, and nothing else", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a.txt", "x".repeat(1536));
    const { stdout, stderr } = await run(["attach", "ls", "T-1"], { terminal: true });
    expect(stdout).toMatch(/^ID +NAME +SIZE +ATTACHED +CLASS\n[0-9a-f]{8} +a\.txt +1\.5 KiB +\d{4}-.* +STANDARD\n$/);
    expect(stderr).toBe("");
  });

  test("C2 nothing attached is no failure: exit 0, nothing on stdout", async () => {
    const { run, json, attach } = await createWorld();
    await attach("T-1", "a.txt");
    const { status, stdout, stderr } = await run(["attach", "list", "T-404"]);
    expect([status, stdout, stderr]).toEqual([0, "", "nothing attached to T-404\n"]);
    expect((await run(["attach", "list", "T-404"], { terminal: true })).stdout).toBe("");
    expect((await json(["attach", "list", "T-404"])).document).toMatchObject({ items: [], next: null, ok: true });
  });

  test("where a filter leaves nothing it says that nothing matches, not that there is nothing", async () => {
    const { run, attach } = await createWorld();
    const key = await attach("T-1", "a.txt");
    await attach("T-1", "gone");
    await run(["attach", "delete", "T-1", "gone"]);
    for (const filter of [
      ["--name", "zzz*"],
      ["--since", "2127-01-01"],
      ["--sort", "key", "--after", key],
    ]) {
      expect([filter, (await run(["attach", "list", "T-1", ...filter])).stderr]).toEqual([
        filter,
        "nothing on T-1 matches\n",
      ]);
      expect((await run(["attach", "list", ...filter])).stderr).toBe("nothing matches\n");
    }
    const deleted = await run(["attach", "list", "T-1", "--deleted", "--name", "a*"]);
    expect([deleted.status, deleted.stderr]).toEqual([0, "nothing deleted on T-1 matches\n"]);
    expect((await run(["attach", "list", "T-2", "-l", "--limit", "1"])).stderr).toBe("nothing attached to T-2\n");
  });

  test("newest first within a task, by key where two are as old", async () => {
    const world = await createWorld();
    await aged(world, "1", { "b.txt": 2, "c.txt": 1, "a.txt": 3, "z.txt": 2 });
    expect(await listed(world, "1")).toEqual(["c.txt", "b.txt", "z.txt", "a.txt"]);
  });

  test("the whole store in key order, S3's: as the tasks' names with a slash sort, and says so", async () => {
    const world = await createWorld();
    for (const task of ["1", "1-a", "10", "B", "a", "1.x"]) await aged(world, task, { "f.txt": 1, "A.txt": 2 });
    const { lines, stderr } = await world.run(["attach", "list"]);
    const keys = lines.map((line) => line.split("\t")[0] ?? "");
    expect(keys).toEqual(keys.toSorted());
    expect(keys[0]).toBe("tasks/1-a/A.txt");
    expect(stderr).toBe("the whole store: in key order, not newest first\n");
    expect((await world.run(["attach", "list", "--sort", "key"])).stderr).toBe("");
  });

  test("a plain JSON item has id, task, name, key, size, createdAt, storageClass; -l fills the rest", async () => {
    const { json, attach } = await createWorld();
    const key = await attach("T-1", "dir/a.txt", "12345", "--note", "n");
    const plain = firstOf((await json(["attach", "list", "T-1"])).document);
    expect(Object.keys(plain)).toEqual(["id", "task", "name", "key", "size", "createdAt", "storageClass", "deleted"]);
    expect(plain).toMatchObject({ name: "dir_a.txt", key, size: 5, deleted: false });
    const full = firstOf((await json(["attach", "list", "T-1", "-l"])).document);
    expect(full).toMatchObject({ name: "dir/a.txt", type: "text/plain", note: "n", uploadedBy: "ada", meta: {} });
    const shown = firstOf((await json(["attach", "show", key])).document);
    expect(shown, "show tells all of that, and more").toMatchObject(full);
  });

  test("createdAt is the store's time in a plain list, the recorded one with -l", async () => {
    const { json, attach, store } = await createWorld();
    const key = await attach("T-1", "a.txt");
    await utimes(path.join(store, key), 1_000_000_000, 1_000_000_000);
    const createdAt = async (...more: string[]): Promise<string> =>
      (await json(["attach", "list", "T-1", ...more])).document["items"][0].createdAt;
    expect(await createdAt()).toBe("2001-09-09T01:46:40.000Z");
    expect(await createdAt("-l")).not.toContain("2001");
  });

  test("--sort newest, oldest, name, size, key", async () => {
    const world = await createWorld();
    await aged(world, "1", { "b-bb": 2, "c-cccc": 1, "a-a": 3 });
    const order = (sort: string): Promise<string[]> => listed(world, "1", "--sort", sort);
    expect(await order("newest")).toEqual(["c-cccc", "b-bb", "a-a"]);
    expect(await order("oldest")).toEqual(["a-a", "b-bb", "c-cccc"]);
    expect(await order("name")).toEqual(["a-a", "b-bb", "c-cccc"]);
    expect((await order("size"))[0]).toBe("c-cccc");
    expect(await order("key")).toEqual(["a-a", "b-bb", "c-cccc"]);
    expect((await world.run(["attach", "list", "--sort", "date"])).status).toBe(2);
  });

  test("other sorts of the whole store need --limit", async () => {
    const world = await createWorld();
    await aged(world, "1", { old: 3 });
    await aged(world, "2", { new: 1 });
    expect(await world.run(["attach", "list", "--sort", "newest"])).toMatchObject({
      status: 2,
      stderr: matching(/hint: add --limit 100, or take --sort key/),
    });
    expect(await listed(world, "--sort", "newest", "--limit", "10")).toEqual(["new", "old"]);
  });

  test.each([
    ["a folder", createWorld],
    ["a bucket", createS3World],
  ])("-l --name GLOB matches the true name that it shows, as well as the key's, on %s", async (_, create) => {
    const world: World = await create();
    const { run, json, attach } = world;
    const dashed = await attach("T-1", "-dash.txt");
    for (const name of ["a.txt", "_dash.txt", "b:c.txt", "-dash 2.txt"]) await attach("T-1", name);
    const named = async (...argv: string[]): Promise<unknown> => {
      const { document } = await json(["attach", "list", "T-1", "-l", "--sort", "key", ...argv]);
      return itemsOf(document)
        .map(({ name }) => name)
        .toSorted();
    };
    expect(await named("--name=-dash*")).toEqual(["-dash 2.txt", "-dash.txt"]);
    expect(await named("--name=_dash.*")).toEqual(["-dash.txt", "_dash.txt"]);
    expect(await named("--name=[bc]:*")).toEqual(["b:c.txt"]);
    expect(await named("--name=zzz*")).toEqual([]);
    expect((await run(["attach", "list", "T-1", "--name=-dash*"])).stdout).toBe("");
    // A limit counts what matches, and the list goes on behind it.
    const page = async (...argv: string[]): Promise<Document> =>
      (await json(["attach", "list", "T-1", "-l", "--name=-dash*", "--limit=1", ...argv])).document;
    const first = await page();
    const second = await page(`--after=${first["next"] as string}`);
    const both = [...itemsOf(first), ...itemsOf(second)].map(({ name }) => name);
    expect([both.toSorted(), second["next"]]).toEqual([["-dash 2.txt", "-dash.txt"], null]);
    await run(["attach", "delete", dashed]);
    expect(await named("--deleted", "--name=-dash.*")).toEqual(["-dash.txt"]);
  });

  test("--name GLOB matches the whole name, case counts", async () => {
    const world = await createWorld();
    await aged(world, "1", { "a.pdf": 1, "b.PDF": 2, "aa.pdf": 3, "x[1].txt": 4 });
    expect(await listed(world, "1", "--name", "*.pdf")).toEqual(["a.pdf", "aa.pdf"]);
    expect(await listed(world, "1", "--name", "?.[pP][dD][fF]")).toEqual(["a.pdf", "b.PDF"]);
    expect(await listed(world, "1", "--name", "x\\[1\\].*")).toEqual(["x[1].txt"]);
    expect(await listed(world, "--name", "pdf")).toEqual([]);
    for (const bad of ["", "[", "a\\", "[z-a]"]) {
      expect([bad, (await world.run(["attach", "list", "--name", bad])).status]).toEqual([bad, 2]);
    }
  });

  test("--since a date or an age", async () => {
    const world = await createWorld();
    await aged(world, "1", { hour: 1, day: 23, week: 160 });
    expect(await listed(world, "1", "--since", "2h")).toEqual(["hour"]);
    expect(await listed(world, "1", "--since", "1d")).toEqual(["hour", "day"]);
    expect(await listed(world, "1", "--since", "2026-11-23")).toEqual(["hour"]);
    expect(await listed(world, "1", "--since", "2026-11-22T13:00:00Z")).toEqual(["hour", "day"]);
    expect(await listed(world, "--since", "7d", "--name", "w*")).toEqual(["week"]);
    for (const bad of ["", "yesterday", "2026-02-30", "0d", "1w", "-1d", "2026-11-22T13:00"]) {
      expect([bad, (await world.run(["attach", "list", `--since=${bad}`])).status]).toEqual([bad, 2]);
    }
  });

  test("--deleted lists what can be undeleted, and only that", async () => {
    const { json, run, attach } = await createWorld();
    const gone = await attach("T-1", "gone.txt", "123");
    await attach("T-1", "live.txt");
    expect((await run(["attach", "list", "--deleted"])).stderr).toContain("nothing deleted that can be undeleted\n");
    await run(["attach", "delete", gone]);
    const { document } = await json(["attach", "list", "T-1", "--deleted"]);
    expect(document["items"]).toMatchObject([{ key: gone, deleted: true, size: 3, deletedAt: matching(ISO) }]);
    const detailed = firstOf((await json(["attach", "list", "--deleted", "-l"])).document);
    expect(detailed).toMatchObject({ key: gone, uploadedBy: "ada", deleted: true });
    expect((await run(["attach", "list", "T-1", "--deleted"], { terminal: true })).stdout).toMatch(
      /^ID +NAME.*DELETED/,
    );
    expect((await run(["attach", "list", "T-1"])).lines).toEqual([expect.stringContaining("live.txt")]);
  });

  test("takes one TASK at most, and shows the way", async () => {
    const { run, attach } = await createWorld();
    await attach("T-1", "a");
    for (const argv of [
      ["T-1", "a"],
      ["T-1", "--task", "T-1"],
    ]) {
      expect(await run(["attach", "list", ...argv])).toMatchObject({
        status: 2,
        stderr: matching(/one TASK at most\nhint: show TASK ITEM/),
      });
    }
    expect((await run(["attach", "list", "--task", "T-1"])).lines).toHaveLength(1);
  });

  test("makes nothing: with no store it is exit 5 and names where it looked", async () => {
    const { run, json, cwd, store } = await createWorld();
    const { status, stdout, stderr } = await run(["attach", "list"]);
    expect([status, stdout]).toEqual([5, ""]);
    expect(stderr).toContain(`error: no store: looked for ${store}\n`);
    expect((await json(["attach", "list"])).document["errors"]).toMatchObject([{ code: "no_store", exit: 5 }]);
    expect(Object.keys(await snapshot(cwd))).toEqual([".git/"]);
  });
});

describe("a folder that only an old back end filled", () => {
  test("D20 everything directly under tasks/<task>/ is an attachment, but dot names; the rest is ignored", async () => {
    const world = await createWorld();
    for (const name of [
      "1/abc123_document.pdf",
      "1/file1.pdf",
      "1/.hidden",
      "1/deeper/x.txt",
      "1/no-hex_part.txt",
      "1/0B9C6F0E-1111-4222-8333-444455556666_up.txt",
      "1/abcdef_",
      "not a task/x",
    ]) {
      await world.write(`uploads/tasks/${name}`);
    }
    await world.write("uploads/beside.txt");
    const { document } = await world.json(["attach", "list", "1"]);
    const items = document["items"] as { key: string; id: string; name: string }[];
    const rows = items.map(({ key, id, name }) => [key, id, name]);
    expect(rows.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1))).toEqual([
      ["tasks/1/0B9C6F0E-1111-4222-8333-444455556666_up.txt", "0B9C6F0E-1111-4222-8333-444455556666", "up.txt"],
      ["tasks/1/abc123_document.pdf", "abc123", "document.pdf"],
      ["tasks/1/abcdef_", "abcdef", "abcdef_"],
      ["tasks/1/file1.pdf", expect.stringMatching(/^[0-9a-f]{8}$/), "file1.pdf"],
      ["tasks/1/no-hex_part.txt", expect.stringMatching(/^[0-9a-f]{8}$/), "no-hex_part.txt"],
    ]);
    expect((await world.run(["attach", "list"])).lines).toHaveLength(5);
  });

  test("is read, deleted from and restored as any other; what was not recorded is null", async () => {
    const world = await createWorld();
    await world.write("uploads/tasks/1/abc123_document.pdf", "%PDF-1.4");
    await world.write("uploads/tasks/1/file1.pdf", "x");
    const before = await snapshot(world.store);
    const { document } = await world.json(["attach", "show", "1", "abc123", "file1.pdf"]);
    expect(document["items"]).toMatchObject([
      { name: "document.pdf", type: null, sha256: null, uploadedBy: null, note: null, meta: {}, tags: {} },
      { name: "file1.pdf" },
    ]);
    expect((await world.run(["attach", "download", "1", "document.pdf", "-o", "-"])).stdout).toBe("%PDF-1.4");
    expect(await snapshot(world.store)).toEqual(before);
    expect((await world.run(["attach", "delete", "1", "file1.pdf"])).lines).toEqual(["tasks/1/file1.pdf"]);
    expect((await world.run(["attach", "undelete", "1", "file1.pdf"])).lines).toEqual(["tasks/1/file1.pdf"]);
    expect((await world.run(["attach", "list", "1"])).lines).toHaveLength(2);
    await world.write("new.txt");
    const { status, stderr } = await world.run(["attach", "upload", "1", "new.txt"]);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining("created store")]);
  });

  test("C7 a link planted among the tasks is refused, nothing outside is listed", async () => {
    const world = await createWorld();
    const { symlink } = await import("node:fs/promises");
    await world.attach("T-0", "a");
    await symlink("/etc", path.join(world.store, "tasks/T-1"));
    for (const argv of [["list", "T-1"], ["list"], ["show", "T-1", "passwd"], ["download", "T-1", "-o", "out/"]]) {
      const { status, stdout } = await world.run(["attach", ...argv]);
      expect([argv, status, stdout]).toEqual([argv, 5, ""]);
    }
    await writeFile(path.join(world.cwd, "f"), "x");
    expect((await world.run(["attach", "upload", "T-1", "f"])).status).toBe(5);
    await mkdir(path.join(world.store, "tasks/T-2"));
    await symlink("/etc/passwd", path.join(world.store, "tasks/T-2/leaf"));
    expect((await world.run(["attach", "list", "T-2"])).lines).toEqual([]);
    expect((await world.run(["attach", "download", "T-2", "leaf"])).status).toBe(3);
  });
});

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
