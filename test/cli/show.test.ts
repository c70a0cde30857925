import { rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { sha256, snapshot } from "./snapshot.ts";
import { createWorld, itemsOf } from "./support.ts";

describe("show", () => {
  test("tells everything known: a field a line, label and value between a tab", async () => {
    const { run, attach } = await createWorld();
    const more = ["--note", "n\tt", "--meta", "a=1", "--tag", "t=2", "--storage-class", "GLACIER"];
    const key = await attach("T-1", "dir/a.txt", "hello", ...more);
    const { status, stdout, stderr } = await run(["attach", "show", "T-1", "dir/a.txt"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.replace(/^created\t.*$/m, "created\tTIME")).toBe(
      [
        "name\tdir/a.txt",
        `id\t${key.slice("tasks/T-1/".length, key.indexOf("_"))}`,
        "task\tT-1",
        `key\t${key}`,
        "size\t5",
        "created\tTIME",
        "storage class\tGLACIER",
        "type\ttext/plain",
        `sha256\t${sha256("hello")}`,
        "uploaded by\tada",
        "note\tn\\tt",
        "meta a\t1",
        "tag t\t2",
        "",
      ].join("\n"),
    );
  });

  test("on a terminal is aligned, with sizes for people", async () => {
    const { run, attach, write } = await createWorld();
    await attach("T-1", "a.bin", Buffer.alloc(2048));
    const { stdout } = await run(["attach", "show", "T-1", "a.bin"], { terminal: true });
    expect(stdout).toContain("name           a.bin\n");
    expect(stdout).toContain("size           2.0 KiB (2048 bytes)\n");
    await write("uploads/tasks/T-1/foreign.txt");
    const { stdout: foreign } = await run(["attach", "show", "T-1", "foreign.txt"], { terminal: true });
    expect(foreign).toContain("sha256         not recorded\n");
  });

  test("several in the order given, in one document", async () => {
    const { json, attach } = await createWorld();
    await attach("T-1", "a");
    await attach("T-1", "b");
    const { document } = await json(["attach", "show", "T-1", "b", "a"]);
    expect(itemsOf(document).map(({ name }) => name)).toEqual(["b", "a"]);
  });

  test("without items is exit 2, store or no store", async () => {
    const { run, attach } = await createWorld();
    expect((await run(["attach", "show", "T-1"])).status).toBe(2);
    await attach("T-1", "a");
    const { status, stderr } = await run(["attach", "show", "T-1"]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/name the items\nhint: taskflow attach list TASK/)]);
    expect((await run(["attach", "show"])).status).toBe(2);
  });

  test("D18 a record that is missing is null; one that can't be read is said", async () => {
    const { json, attach, store } = await createWorld();
    const key = await attach("T-1", "a.txt");
    const record = path.join(store, ".taskflow/meta/T-1", `${path.basename(key)}.json`);
    await truncate(record, 10);
    const { status, document } = await json(["attach", "show", key]);
    expect(status).toBe(0);
    expect(document["warnings"]).toEqual([
      expect.stringMatching(/the record of tasks\/T-1\/.* is damaged: .*not JSON/),
    ]);
    expect(document["items"]).toMatchObject([{ sha256: null, type: null }]);
    await writeFile(record, "[]");
    expect((await json(["attach", "show", key])).document["warnings"]).toHaveLength(1);
    await rm(record);
    expect((await json(["attach", "show", key])).document).toMatchObject({ warnings: [], items: [{ sha256: null }] });
  });

  test("tells what lies in the trash under its key", async () => {
    const { json, run, attach, write } = await createWorld();
    const key = await attach("T-1", "a.txt", "first");
    await run(["attach", "delete", key]);
    await write(`uploads/${key}`, "put there again");
    const { document } = await json(["attach", "show", key]);
    expect(itemsOf(document)).toMatchObject([
      {
        archive: null,
        encryption: null,
        checksum: null,
        versions: [
          { kind: "version", id: null, latest: true, size: 15, storageClass: "STANDARD" },
          { kind: "delete-marker", id: null, latest: false, size: 0, storageClass: null },
          { kind: "version", id: null, latest: false, size: 5, storageClass: "STANDARD" },
        ],
      },
    ]);
    expect((await run(["attach", "show", key])).stdout).toMatch(
      /^latest\t\S+ 15 bytes STANDARD\nversion\t\S+ deleted\n/m,
    );
  });

  test("changes nothing", async () => {
    const { run, attach, cwd } = await createWorld();
    await attach("T-1", "a.txt");
    const before = await snapshot(cwd);
    await run(["attach", "show", "T-1", "a.txt"]);
    await run(["attach", "list", "-l"]);
    await run(["attach", "show", "T-1", "missing"]);
    expect(await snapshot(cwd)).toEqual(before);
  });
});
