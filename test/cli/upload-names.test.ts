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
