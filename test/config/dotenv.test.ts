import { chmodSync, lchownSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDotenv, readDotenv } from "../../src/config/dotenv.ts";
import { project, UID } from "./project.ts";

describe("which .env is read", () => {
  test("the nearest one from the working directory upward", () => {
    const { write, home } = project();
    write("repo/.env", "USE_S3=true");
    const near = write("repo/a/.env", "USE_S3=false");
    expect(readDotenv(write("repo/a/b/"), home, UID).path).toBe(near);
  });

  test("looking upward stops at the repository's root", () => {
    const { write, home, repo } = project();
    write(".env", "USE_S3=true");
    expect(readDotenv(repo, home, UID).path).toBeNull();
  });

  test("a worktree's .git file ends the repository too", () => {
    const { write, home } = project();
    write("repo/.env", "USE_S3=true");
    write("repo/tree/.git", "gitdir: elsewhere");
    expect(readDotenv(path.join(home, "repo/tree"), home, UID).path).toBeNull();
  });

  test("outside a repository looking upward stops at HOME", () => {
    const { write, home } = project();
    const file = write(".env", "USE_S3=true");
    writeFileSync(path.join(path.dirname(home), ".env"), "USE_S3=false");
    expect(readDotenv(write("plain/a/"), home, UID).path).toBe(file);
  });

  test("outside a repository and HOME only the working directory is looked at", () => {
    const { write } = project();
    const folder = write("plain/a/");
    write("plain/.env", "USE_S3=true");
    expect(readDotenv(folder, "/nowhere", UID).path).toBeNull();
    expect(readDotenv(folder, null, UID).path).toBeNull();
    const file = write("plain/a/.env", "USE_S3=true");
    expect(readDotenv(folder, null, UID).path).toBe(file);
  });

  test("a HOME that is a link is HOME all the same", () => {
    const { write, home } = project();
    const file = write(".env", "USE_S3=true");
    const link = path.join(path.dirname(home), "link");
    symlinkSync(home, link);
    expect(readDotenv(write("plain/"), link, UID).path).toBe(file);
  });

  test("a folder named .env is none, which is told unless it is a Python environment", () => {
    const { write, home, repo } = project();
    write("repo/a/.env/pyvenv.cfg");
    const file = write("repo/.env", "USE_S3=true");
    expect(readDotenv(path.join(repo, "a"), home, UID)).toMatchObject({ path: file, warnings: [] });
    const folder = write("repo/b/.env/").replace(/\/$/, "");
    const warnings = [`${folder} is a folder, so no settings are read from it`];
    expect(readDotenv(path.join(repo, "b"), home, UID)).toMatchObject({ path: file, warnings });
  });
});

describe("a .env that is not to be trusted is not read, and a warning says why", () => {
  test.skipIf(UID === null)("owned by another user", () => {
    const { write, home, repo } = project();
    const file = write("repo/.env", "USE_S3=true");
    const { variables, warnings } = readDotenv(repo, home, (UID ?? 0) + 1);
    expect(variables.size).toBe(0);
    expect(warnings).toEqual([expect.stringContaining(`${file} is not read: it is owned by another user`)]);
    expect(warnings[0]).toContain("chown");
  });

  test.skipIf(UID === null)("world-writable", () => {
    const { write, home, repo } = project();
    const file = write("repo/.env", "USE_S3=true");
    chmodSync(file, 0o666);
    const { path: read, variables, warnings } = readDotenv(repo, home, UID);
    expect({ read, size: variables.size }).toEqual({ read: null, size: 0 });
    expect(warnings).toEqual([`${file} is not read: everyone may write it; chmod o-w it to use it`]);
  });

  test.skipIf(UID !== 0)("a link of another user's to a file of ours", () => {
    const { write, home, repo } = project();
    symlinkSync(write("own", "USE_S3=true"), path.join(repo, ".env"));
    expect(readDotenv(repo, home, UID).variables.size).toBe(1);
    lchownSync(path.join(repo, ".env"), 65_534, 65_534);
    expect(readDotenv(repo, home, UID).warnings[0]).toContain("owned by another user (uid 65534)");
  });

  test("and none farther up takes its place", () => {
    const { write, home } = project();
    write("repo/.env", "USE_S3=true");
    const file = write("repo/a/.env", "x".repeat(70_000));
    const { path: read, warnings } = readDotenv(path.join(home, "repo/a"), home, UID);
    expect({ read, warnings }).toEqual({ read: null, warnings: [`${file} is not read: it is larger than 64 KiB`] });
  });

  test("a link to itself, a file that is no UTF-8", () => {
    const { write, home, repo } = project();
    write("repo/utf16/.env", "U\0S\0E\0");
    write("repo/loop/");
    symlinkSync(".env", path.join(repo, "loop/.env"));
    expect(readDotenv(path.join(repo, "utf16"), home, UID).warnings[0]).toContain("save it as UTF-8");
    expect(readDotenv(path.join(repo, "loop"), home, UID).warnings[0]).toContain("ELOOP");
  });
});

describe("what is read from it", () => {
  test("only USE_S3, AWS_* and TASKFLOW_*", () => {
    const { variables } = parseDotenv(
      "USE_S3=1\nAWS_X=2\nTASKFLOW_X=3\nPATH=/evil\nNODE_OPTIONS=x\nUSE_S3X=4\nuse_s3=5\n",
    );
    expect([...variables.keys()]).toEqual(["USE_S3", "AWS_X", "TASKFLOW_X"]);
  });

  test.each([
    ["AWS_X=plain", "plain"],
    ["  export AWS_X = spaced  ", "spaced"],
    ["export  AWS_X=two-spaces", "two-spaces"],
    ['AWS_X="double # quoted" # comment', "double # quoted"],
    ["AWS_X='single'", "single"],
    ["AWS_X=value # comment", "value"],
    ["AWS_X=", ""],
    ["AWS_X=a=b", "a=b"],
    ["AWS_X=crlf\r\n", "crlf"],
    ["\uFEFFAWS_X=bom", "bom"],
    ["# comment\n \nPASSED_ON\nexport PASSED_ON\nYAML: too\nAWS_X=after", "after"],
    ["AWS_X=first\nAWS_X=last", "last"],
    ['TEXT="two\nlines"\nAWS_X=after', "after"],
  ])("%j", (text, value) => {
    expect(parseDotenv(text)).toMatchObject({ variables: new Map([["AWS_X", { value }]]), problems: [] });
  });

  test("each with its line", () => {
    const { variables } = parseDotenv('# comment\r\n\r\nAWS_A=1\r\nTEXT="a\r\nb"\r\nexport AWS_B=2\r\nAWS_A=3');
    expect([...variables]).toEqual([
      ["AWS_A", { value: "3", line: 7 }],
      ["AWS_B", { value: "2", line: 6 }],
    ]);
  });

  test.each([
    ["AWS_REGION: eu-central-1", "line 1 is not NAME=VALUE, so AWS_REGION is not read"],
    ['\nAWS_REGION="eu', "line 2: the quote is not closed, so AWS_REGION is not read"],
    ['MOTTO="oops\nAWS_REGION=eu\nEND="', "line 1: its quote is closed only in line 3"],
    ["set AWS_Y without a sign\nAWS_X=after", "line 1 is not NAME=VALUE, so it is not read"],
    ["\n- USE_S3=true\nAWS_X=after", "line 2 is not NAME=VALUE, so it is not read"],
    ["a AWS_B\n\nc TASKFLOW_D\n", "lines 1, 3 are not NAME=VALUE, so they are not read"],
    ["a AWS_B\n".repeat(9), "lines 1, 2, 3 and 6 more are not NAME=VALUE, so they are not read"],
  ])("a line that can't be read is no silent loss: %j", (text, problem) => {
    expect(parseDotenv(text).problems).toEqual([problem]);
  });

  test("what other programs read in forms of their own is none of our business", () => {
    const others =
      "set -a\n[section]\nA+=b\nNAME\nKEY: value\nMIIEpAIBAAKCAQEA+/x\n# about AWS_REGION\n=3\nAWS_X=after\n";
    expect(parseDotenv(others).problems).toEqual([]);
  });

  test("no text makes it throw, and every line is a line of the text", () => {
    const piece = fc.constantFrom(
      "AWS_X",
      "USE_S3",
      "export ",
      "=",
      "=",
      '"',
      "'",
      "`",
      "\n",
      "\r\n",
      " ",
      "#",
      "v",
      "\\",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        for (const { line } of parseDotenv(text).variables.values()) {
          expect(text.split(/\r?\n/)[line - 1]).toMatch(/AWS_X|USE_S3/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
