/** What becomes of names: reliability table B. */
import path from "node:path";
import { describe, expect, test } from "vitest";
import { names } from "./snapshot.ts";
import { createWorld, firstOf, itemsOf, matching } from "./support.ts";

const ESC = "\u001b";

describe("the true name goes into the record, a cleaned one into the key", () => {
  const cases: [string, string, string][] = [
    ["B1 a path upward", "../../etc/passwd", "___.._etc_passwd"],
    ["B1 an absolute path", "/etc/passwd", "_etc_passwd"],
    ["B4 a newline, a return and ESC", `a\nb\rc${ESC}[31m.txt`, "a_b_c_[31m.txt"],
    ["B5 a mark that turns the text", "cod\u202egpj.exe", "cod_gpj.exe"],
    ["B6 a device of Windows", "CON", "_CON"],
    ["B6 one with an extension", "aux.txt", "_aux.txt"],
    ["B6 one with a dot", "COM1.", "_COM1_"],
    ["B6 one with a superscript", "COM\u00b9", "_COM\u00b9"],
    ["B7 a trailing dot and space", "report. ", "report__"],
    ["a leading dot, dash, space", ".- x", "___x"],
    ["B9 a lone surrogate", "a\ud800b", "a_b"],
    ["B10 decomposed letters", "Pru\u0308fung", "Prüfung"],
    ["B11 a leading dash", "-rf", "_rf"],
    ["B12 what URLs escape", "a+b c%2F#?.txt", "a+b c%2F#_.txt"],
    ["B13 a formula", "=cmd()", "=cmd()"],
    ["B14 a shell command", '"; rm -rf ~; "', "_; rm -rf ~; _"],
    ["B17 what ends a header", 'x\r\nSet-Cookie: "日本".txt', "x__Set-Cookie_ _日本_.txt"],
    ["zero width and Windows' marks", '<a>:|\u200b*\\"', "_a_______"],
    ["nothing that is left as it is", "\u0001", "_"],
  ];
  test.each(cases)("%s", async (_name, given, cleaned) => {
    const { json, run, attach, store } = await createWorld();
    const key = await attach("T-1", given, "bytes");
    expect(key.slice(key.indexOf("_") + 1)).toBe(cleaned);
    expect(await names(store)).toEqual([".gitignore", key]);
    expect(firstOf((await json(["attach", "list", "T-1"])).document)).toMatchObject({ key, name: cleaned });
    // Both names find it, and `show` tells the true one.
    for (const item of [given, cleaned]) {
      const { document } = await json(["attach", "show", "--task", "T-1", "--", item]);
      expect(document["items"]).toMatchObject([{ key, name: given.normalize("NFC") }]);
    }
    expect((await run(["attach", "list", "T-1"])).lines).toHaveLength(1);
  });

  test("B2 no name, . and .. are refused, and nothing is made", async () => {
    const { run, write, cwd } = await createWorld();
    await write("a.txt");
    for (const name of ["", ".", "..", "a\0b"]) {
      const { status, stderr } = await run(["attach", "upload", "T-1", "a.txt", `--name=${name}`]);
      expect([name, status, stderr]).toEqual([name, 2, expect.stringMatching(/invalid file name|NUL/)]);
    }
    expect((await names(cwd)).filter((name) => name.includes("tasks/"))).toEqual([]);
  });

  test.each([
    ["256 bytes", "x".repeat(256)],
    ["256 bytes of two-byte letters", "é".repeat(128)],
    ["emoji of many code points", "👨‍👩‍👧".repeat(20)],
  ])("B8 %s are cut at a code point to 200, the extension kept, and the true name stays whole", async (_name, long) => {
    const { json, attach } = await createWorld();
    const key = await attach("T-1", `${long}.tar.gz`);
    const base = key.slice("tasks/T-1/".length);
    expect(base).toMatch(/\.tar\.gz$/);
    expect(base).not.toContain("\ufffd");
    const bytes = Buffer.byteLength(base) - "00000000-0000-0000-0000-000000000000_".length;
    expect(bytes).toBeGreaterThan(190);
    expect(bytes).toBeLessThanOrEqual(200);
    expect((await json(["attach", "show", key])).document["items"][0].name).toBe(`${long}.tar.gz`);
  });

  test("B10 what was stored decomposed is found composed, and the other way round", async () => {
    const { json, attach } = await createWorld();
    await attach("T-1", "Pru\u0308fung.txt");
    for (const name of ["Pr\u00fcfung.txt", "Pru\u0308fung.txt"]) {
      expect((await json(["attach", "show", "T-1", name])).document["items"]).toHaveLength(1);
    }
  });

  test("B16 names that differ by case only are two attachments", async () => {
    const { json, attach } = await createWorld();
    await attach("T-1", "readme");
    await attach("T-1", "README");
    expect((await json(["attach", "show", "T-1", "readme", "README"])).document["items"]).toMatchObject([
      { name: "readme" },
      { name: "README" },
    ]);
  });

  test("B11 after -- a file may begin with a dash", async () => {
    const { run, write } = await createWorld();
    await write("-n", "a file");
    expect((await run(["attach", "upload", "T-1", "--", "-n"])).lines).toEqual([expect.stringMatching(/__?n$/)]);
  });

  test("--name is for a single file", async () => {
    const { run, write } = await createWorld();
    await write("a");
    await write("b");
    expect((await run(["attach", "upload", "T-1", "a", "b", "--name", "c"])).status).toBe(2);
    expect((await run(["attach", "upload", "T-1", "-r", ".", "--name", "c"])).status).toBe(2);
  });
});

describe("-r", () => {
  test("attaches what is in folders: the true name is the relative path, / is _ in the key", async () => {
    const { json, write } = await createWorld();
    await write("build/index.html", "<html>");
    await write("build/js/deep/app.js", "1");
    await write("single.txt", "2");
    const { document } = await json(["attach", "upload", "T-1", "-r", "build/", "single.txt"]);
    expect(document["items"]).toMatchObject([
      { name: "index.html", source: path.join("build", "index.html") },
      { name: "js/deep/app.js", key: matching(/_js_deep_app\.js$/) },
      { name: "single.txt" },
    ]);
  });

  test("download writes it back under the folder", async () => {
    const { run, write, cwd } = await createWorld();
    await write("build/index.html", "<html>");
    await write("build/js/deep/app.js", "1");
    await run(["attach", "upload", "T-1", "-r", "build"]);
    const { status, lines } = await run(["attach", "download", "T-1", "-o", "back/"]);
    expect([status, lines.toSorted()]).toEqual([0, ["back/index.html", "back/js/deep/app.js"]]);
    expect(await names(path.join(cwd, "back"))).toEqual(["index.html", "js/deep/app.js"]);
  });

  test("follows no links, and says what it left out", async () => {
    const { json, write, cwd } = await createWorld();
    await write("secret", "not for others");
    await write("d/plain.txt");
    const { symlink } = await import("node:fs/promises");
    await symlink("../secret", path.join(cwd, "d/link"));
    await symlink("/etc", path.join(cwd, "d/etc"));
    const { document } = await json(["attach", "upload", "T-1", "-r", "d"]);
    expect(document["items"]).toMatchObject([{ name: "plain.txt" }]);
    expect(document["warnings"]).toEqual(["2 links or special files left out: etc, link"]);
  });

  test("of the project itself leaves the store out", async () => {
    const { json, write } = await createWorld();
    await write("a.txt");
    for (const expected of [1, 1]) {
      const { document } = await json(["attach", "upload", "T-1", "-r", "."]);
      expect(itemsOf(document).map(({ name }) => name)).toEqual(["a.txt"]);
      expect(document["summary"].done).toBe(expected);
    }
  });

  test("a folder with nothing in it is no failure", async () => {
    const { run, cwd } = await createWorld();
    const { mkdir } = await import("node:fs/promises");
    await mkdir(path.join(cwd, "empty"));
    const { status, stdout, stderr } = await run(["attach", "upload", "T-1", "-r", "empty"]);
    expect([status, stdout, stderr]).toEqual([0, "", expect.stringContaining("nothing was attached to T-1")]);
  });
});

describe("--replace", () => {
  test("deletes older ones of that name once the new one is stored, undoably", async () => {
    const { run, json, attach } = await createWorld();
    const old = [await attach("T-1", "a.txt", "1"), await attach("T-1", "a.txt", "2")];
    const other = await attach("T-1", "b.txt");
    const elsewhere = await attach("T-2", "a.txt");
    const { document, stderr } = await json(["attach", "upload", "T-1", "-", "--name", "a.txt", "--replace"], {
      stdin: "3",
    });
    expect(document["items"][0].replaced.toSorted()).toEqual(old.toSorted());
    expect(stderr).toContain("deleted 2 older attachments of that name");
    const { key } = firstOf(document);
    expect((await run(["attach", "list"])).lines.map((line) => line.split("\t")[0] ?? "").toSorted()).toEqual(
      [key, other, elsewhere].toSorted(),
    );
    expect((await run(["attach", "undelete", ...old])).status).toBe(0);
  });

  test("takes names for the same where they are, not where their keys look alike", async () => {
    const { run, write, json } = await createWorld();
    await write("photos/a/b.txt", "deep");
    await write("photos/a_b.txt", "flat");
    for (const round of [1, 2]) {
      const { document } = await json(["attach", "upload", "T-1", "-r", "photos", "--replace"]);
      expect(document["items"]).toHaveLength(2);
      expect(document["items"].map(({ replaced }: { replaced: string[] }) => replaced.length)).toEqual(
        round === 1 ? [0, 0] : [1, 1],
      );
      const { document: listed } = await json(["attach", "list", "T-1", "-l"]);
      expect(listed["items"].map(({ name }: { name: string }) => name).toSorted()).toEqual(["a/b.txt", "a_b.txt"]);
    }
    // What nothing is recorded of has its key's name.
    await write("uploads/tasks/T-1/abc123_a_b.txt", "foreign");
    const { document } = await json(["attach", "upload", "T-1", "-r", "photos", "--replace"]);
    const replaced = document["items"].flatMap((item: { replaced: string[] }) => item.replaced) as string[];
    expect(replaced).toHaveLength(3);
    expect(replaced).toContain("tasks/T-1/abc123_a_b.txt");
    expect((await run(["attach", "list", "T-1"])).lines).toHaveLength(2);
  });

  test("with nothing to replace replaces nothing, and a failed upload deletes nothing", async () => {
    const { run, json, attach } = await createWorld();
    const old = await attach("T-1", "a.txt");
    const argv = ["attach", "upload", "T-1", "missing", "--name", "a.txt", "--replace"];
    expect((await run(argv)).status).toBe(3);
    expect((await json(["attach", "list"])).document["items"]).toMatchObject([{ key: old }]);
    await run(["attach", "delete", old]);
    const { document } = await json(["attach", "upload", "T-1", "-", "--name=a.txt", "--replace"], { stdin: "x" });
    expect(document["items"][0].replaced).toEqual([]);
  });

  test("of several such runs at once exactly one file stays", async () => {
    const { run, write } = await createWorld();
    await write("a.txt");
    for (let round = 0; round < 8; round += 1) {
      const task = `T-${round}`;
      const argv = ["attach", "upload", task, "a.txt", "--replace"];
      // The second half begins while the first is under way.
      const first = Array.from({ length: 2 }, () => run(argv));
      await new Promise((resolve) => setImmediate(resolve));
      const all = await Promise.all([...first, run(argv)]);
      expect(all.map(({ status }) => status)).toEqual([0, 0, 0]);
      expect((await run(["attach", "list", task])).lines).toHaveLength(1);
    }
  });
});
