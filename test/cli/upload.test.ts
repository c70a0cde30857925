import { chmod, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { names, sha256, snapshot } from "./snapshot.ts";
import { createWorld, matching } from "./support.ts";

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

describe("upload", () => {
  test("prints one line a file, in the order given: the key, and the bytes are at that key", async () => {
    const { run, write, store } = await createWorld();
    await write("b.txt", "bee");
    await write("sub/a.txt", "ay");
    const { status, lines, stderr } = await run(["attach", "upload", "T-42", "b.txt", "./sub/a.txt"]);
    expect(status).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^tasks/T-42/${UUID}_b\\.txt$`)),
      expect.stringMatching(new RegExp(`^tasks/T-42/${UUID}_a\\.txt$`)),
    ]);
    expect(await Promise.all(lines.map((key) => readFile(path.join(store, key), "utf8")))).toEqual(["bee", "ay"]);
    expect(stderr).toBe(`created store ${store}\nattached 2 files (5 B) to T-42 in ${store}\n`);
  });

  test("prints a table on a terminal", async () => {
    const { run, write } = await createWorld();
    await write("a.txt", "hello");
    const { stdout } = await run(["attach", "upload", "T-42", "a.txt"], { terminal: true });
    expect(stdout).toMatch(/^ID +NAME +SIZE +ATTACHED +CLASS\n[0-9a-f]{8} {2}a\.txt +5 B .*STANDARD\n$/);
  });

  test("creates the store once and says so, with a .gitignore of * in it, 0700 and 0600 whatever the umask", async () => {
    const { run, write, store } = await createWorld();
    await write("a.txt");
    expect((await run(["attach", "upload", "T-1", "a.txt"])).stderr).toContain(`created store ${store}\n`);
    expect((await run(["attach", "upload", "T-1", "a.txt"])).stderr).not.toContain("created");
    expect(await readFile(path.join(store, ".gitignore"), "utf8")).toBe("*\n");
    expect((await stat(store)).mode & 0o777).toBe(0o700);
    for (const file of Object.keys(await snapshot(store))) {
      const mode = (await stat(path.join(store, file))).mode & 0o777;
      if (file.includes("tasks/")) expect([file, mode]).toEqual([file, file.endsWith("/") ? 0o700 : 0o600]);
    }
  });

  test("the same name twice is two attachments, and so is the same file (A20)", async () => {
    const { run, write } = await createWorld();
    await write("a.txt", "same");
    const { lines } = await run(["attach", "upload", "T-1", "a.txt", "a.txt"]);
    expect(new Set(lines).size).toBe(2);
    expect((await run(["attach", "list", "T-1"])).lines).toHaveLength(2);
  });

  test("several files: all are tried, failed ones are absent on stdout, and that is 7", async () => {
    const { run, json, write } = await createWorld();
    await write("a.txt", "a");
    await write("c.txt", "ccc");
    const argv = ["attach", "upload", "T-1", "a.txt", "missing.txt", "c.txt"];
    const { status, lines, stderr } = await run(argv);
    expect([status, lines.length]).toEqual([7, 2]);
    expect(stderr).toContain("error: no such file: ");
    const { document } = await json(argv);
    expect(document).toMatchObject({
      command: "upload",
      items: [
        { name: "a.txt", source: "a.txt" },
        { name: "c.txt", source: "c.txt" },
      ],
      errors: [{ code: "not_found", exit: 3, index: 1, item: "missing.txt" }],
      summary: { done: 2, skipped: 0, failed: 1, bytes: 4 },
    });
  });

  test("all failed: the status is that of the first in order", async () => {
    const { run, write, store } = await createWorld();
    await write("dir/x");
    expect((await run(["attach", "upload", "T-1", "missing", "dir"])).status).toBe(3);
    expect((await run(["attach", "upload", "T-1", "dir", "missing"])).status).toBe(2);
    expect(await snapshot(store)).toEqual({});
  });

  test("a JSON item tells everything that was recorded", async () => {
    const { json, write, store } = await createWorld();
    await write("Prüfbericht.txt", "text of it");
    const argv = ["attach", "upload", "T-42", "./Prüfbericht.txt", "--note", "from the lab", "--meta", "Build=7"];
    const { document } = await json([...argv, "--tag", "team=qa", "--storage-class", "standard_ia"], {
      now: new Date("2026-11-23T20:14:05.123Z"),
    });
    expect(document).toMatchObject({ schema: "taskflow.attach/v1", store, warnings: [], next: null, ok: true });
    expect(document["items"]).toEqual([
      {
        id: matching(new RegExp(`^${UUID}$`)),
        task: "T-42",
        name: "Prüfbericht.txt",
        key: matching(/_Prüfbericht\.txt$/),
        size: 10,
        createdAt: "2026-11-23T20:14:05.123Z",
        storageClass: "STANDARD_IA",
        type: "text/plain",
        sha256: sha256("text of it"),
        uploadedBy: "ada",
        note: "from the lab",
        meta: { build: "7" },
        tags: { team: "qa" },
        deleted: false,
        source: "./Prüfbericht.txt",
      },
    ]);
  });

  test("--task makes all operands files", async () => {
    const { run, write } = await createWorld();
    await write("T-9", "a file named like a task");
    const { status, lines } = await run(["attach", "upload", "T-9", "--task", "T-1"]);
    expect(status).toBe(0);
    expect(lines).toEqual([expect.stringMatching(/^tasks\/T-1\/.*_T-9$/)]);
  });

  test("a FILE may contain / anywhere, and TASK never does", async () => {
    const { run, write } = await createWorld();
    const file = await write("deep/er/a.txt");
    expect((await run(["attach", "upload", "T-1", file])).lines).toEqual([expect.stringMatching(/_a\.txt$/)]);
    expect(await run(["attach", "upload", "deep/er/a.txt"])).toMatchObject({
      status: 2,
      stderr: matching('invalid task id "deep/er/a.txt"'),
    });
  });

  test("relative files are relative to the working directory", async () => {
    const { run, write, cwd } = await createWorld();
    await write("sub/a.txt", "in sub");
    expect((await run(["attach", "upload", "T-1", "a.txt"], { cwd: path.join(cwd, "sub") })).status).toBe(0);
  });

  test("a dry run tells what would be attached and changes nothing at all", async () => {
    const { run, json, write, cwd, store } = await createWorld();
    await write("a.txt", "hello");
    const before = await snapshot(cwd);
    const { status, lines, stderr } = await run(["attach", "upload", "T-1", "a.txt", "-n"]);
    expect([status, lines.length]).toEqual([0, 1]);
    expect(stderr).toBe(`would attach 1 file (5 B) to T-1 in ${store}\n`);
    const argv = ["attach", "upload", "T-1", "a.txt", "-n", "--storage-class", "glacier-ir", "--meta", "A=b"];
    const { document } = await json(argv);
    expect(document).toMatchObject({ dryRun: true, items: [{ storageClass: "GLACIER_IR", meta: { a: "b" } }] });
    expect(await snapshot(cwd)).toEqual(before);
    await run(["attach", "upload", "T-1", "a.txt"]);
    const stored = await snapshot(cwd);
    await run(["attach", "upload", "T-1", "a.txt", "--replace", "--dry-run"]);
    expect((await run(["attach", "upload", "T-1", "missing", "-n"])).status).toBe(3);
    expect(await snapshot(cwd)).toEqual(stored);
  });

  test("names who attached: TASKFLOW_USER, else CI's actor in CI, else the login name, else nobody", async () => {
    const { json, write } = await createWorld();
    await write("a.txt");
    const by = async (env: Record<string, string>, loginName: string | null = "ada"): Promise<unknown> =>
      (await json(["attach", "upload", "T-1", "a.txt"], { env, loginName })).document["items"][0].uploadedBy;
    expect(await by({})).toBe("ada");
    expect(await by({ TASKFLOW_USER: "grace" })).toBe("grace");
    expect(await by({ CI: "true", GITHUB_ACTOR: "octo" })).toBe("octo");
    expect(await by({ CI: "1", GITLAB_USER_LOGIN: "fox" })).toBe("fox");
    expect(await by({ CI: "true", GITHUB_ACTOR: "octo", TASKFLOW_USER: "grace" })).toBe("grace");
    expect(await by({ GITHUB_ACTOR: "octo" })).toBe("ada");
    expect(await by({ CI: "false", GITHUB_ACTOR: "octo" })).toBe("ada");
    expect(await by({ CI: "", GITHUB_ACTOR: "octo" })).toBe("ada");
    expect(await by({}, null)).toBeNull();
  });

  test("a store that may not be written is no store half made", async () => {
    const { run, write, cwd } = await createWorld();
    await write("a.txt");
    await write("uploads", "a file, not a folder");
    const { status, stderr } = await run(["attach", "upload", "T-1", "a.txt"]);
    expect([status, stderr]).toEqual([5, expect.stringMatching(/^error: .*uploads is a file; a store is a folder/)]);
    await chmod(path.join(cwd, "uploads"), 0o600);
    expect(await names(cwd)).toEqual(["a.txt", "uploads"]);
  });
});
