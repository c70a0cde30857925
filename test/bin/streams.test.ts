import { mkdir, truncate, writeFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { hasTool } from "../tools.ts";
import { createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
});

/** Things of an old back end: no record, so that many are there at once. */
async function attachments(number: number): Promise<void> {
  await mkdir(sandbox.path("uploads/tasks/T-1"), { recursive: true });
  const script = `cd uploads/tasks/T-1; for ((i = 100000; i < 100000 + ${number}; i++)); do : > \${i}_f.txt; done`;
  await sandbox.bash(script);
}

/** Runs a pipeline; the last line of stdout tells the status of each of its parts. */
async function pipeline(text: string): Promise<{ statuses: string; stdout: string; stderr: string }> {
  const { stdout, stderr } = await sandbox.bash(`${text}; printf '\\n%s\\n' "\${PIPESTATUS[*]}"`);
  const lines = stdout.trimEnd().split("\n");
  return { statuses: lines.pop() ?? "", stdout: lines.join("\n").trimEnd(), stderr };
}

const FULL = /^(?:.*key order, .*\n)?error: cannot write the output: ENOSPC[^\n]*\nhint: [^\n]*\n$/;

describe("a reader that goes away", () => {
  test("ends a listing of 5,000 rows quietly, with 0", async () => {
    await attachments(5000);
    const { statuses, stdout, stderr } = await pipeline("taskflow attach list T-1 | head -1");
    expect(statuses).toBe("0 0");
    expect(stdout.split("\t")).toHaveLength(6);
    expect(stderr).toBe("");
    expect((await pipeline("taskflow attach list T-1 --json | head -c 1")).statuses).toBe("0 0");
    expect((await pipeline("taskflow attach list T-1 --ndjson | head -1")).statuses).toBe("0 0");
  });

  test("ends a download to stdout quietly, with 0", async () => {
    await mkdir(sandbox.path("uploads/tasks/T-1"), { recursive: true });
    await writeFile(sandbox.path("uploads/tasks/T-1/abc123_big.img"), "");
    await truncate(sandbox.path("uploads/tasks/T-1/abc123_big.img"), 64 * 1024 ** 3);
    const { statuses, stderr } = await pipeline("taskflow attach download T-1 big.img -o - | head -c 1");
    expect(statuses).toBe("0 0");
    expect(stderr).toBe("");
  });

  test("changes nothing of what a mutating command does", async () => {
    await sandbox.bash("mkdir in; for i in {1..40}; do echo $i > in/$i.txt; done");
    // The pipe's other end is closed before the command begins.
    const upload = await sandbox.bash("exec 3> >(:); wait $!; taskflow attach upload T-1 in/* >&3");
    expect(upload.status).toBe(0);
    expect((await sandbox.run(["attach", "list", "T-1"])).stdout.trim().split("\n")).toHaveLength(40);
    const deletion = await sandbox.bash("exec 3> >(:); wait $!; taskflow attach delete T-1 --all >&3");
    expect(deletion.status).toBe(0);
    expect((await sandbox.run(["attach", "list", "T-1"])).stdout).toBe("");
    const undeletion = await sandbox.bash("exec 3> >(:); wait $!; taskflow attach undelete T-1 --all --json >&3");
    expect(undeletion.status).toBe(0);
    expect((await sandbox.run(["attach", "list", "T-1"])).stdout.trim().split("\n")).toHaveLength(40);
  });
});

describe("a full disk behind stdout", () => {
  test.each([
    ["", FULL],
    ["--json", FULL],
    ["--ndjson", FULL],
    ["-q", /^error: cannot write the output: ENOSPC/],
  ])("is exit 6 and one error for `list %s`", async (option, expected) => {
    await attachments(3);
    const { status, stderr } = await sandbox.bash(`taskflow attach list ${option} > /dev/full`);
    expect(status).toBe(6);
    expect(stderr).toMatch(expected);
  });

  test("is exit 6 for a help text and for the version", async () => {
    for (const command of ["--help", "--version", "attach upload --help", "help exit-codes", "config list"]) {
      expect((await sandbox.bash(`taskflow ${command} > /dev/full`)).status, command).toBe(6);
    }
  });

  test("is exit 6 for a download, and for the key of an upload that is stored all the same", async () => {
    await writeFile(sandbox.path("a.txt"), "a");
    const upload = await sandbox.bash("taskflow attach upload T-1 a.txt > /dev/full");
    expect(upload.status).toBe(6);
    expect(upload.stderr.match(/^error: .*/gm)).toHaveLength(1);
    expect(upload.stderr).toMatch(/^not in the output: tasks\/T-1\/[0-9a-f-]{36}_a\.txt\nattached 1 file /m);
    expect(upload.stderr).not.toContain("again");
    expect((await sandbox.bash("taskflow attach download T-1 a.txt -o - > /dev/full")).status).toBe(6);
    expect((await sandbox.bash("taskflow attach download T-1 a.txt -o -")).stdout).toBe("a");
  });

  test("keeps the status of what failed before", async () => {
    await attachments(1);
    const { status, stderr } = await sandbox.bash("taskflow attach show T-1 nothing.txt --json > /dev/full");
    expect(status).toBe(6);
    expect(stderr).toContain('error: no attachment "nothing.txt" on T-1');
  });
});

describe("closed streams", () => {
  test("a closed stdout is no failure", async () => {
    await attachments(3);
    const { status, stderr } = await sandbox.bash("taskflow attach list T-1 >&-");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("what can't be said on stderr changes nothing", async () => {
    await writeFile(sandbox.path("a.txt"), "a");
    for (const [number, redirection] of ["2>&-", "2>/dev/full"].entries()) {
      const upload = await sandbox.bash(`taskflow attach upload T-${number} a.txt ${redirection}`);
      expect(upload.status).toBe(0);
      expect(upload.stdout).toMatch(/^tasks\/T-\d\/[0-9a-f-]{36}_a\.txt\n$/);
      expect((await sandbox.bash(`taskflow attach show T-9 nothing ${redirection}`)).status).toBe(3);
    }
  });

  test("a closed stdin is an empty one, and of no interest to a command that doesn't read it", async () => {
    await attachments(1);
    expect((await sandbox.bash("taskflow attach list T-1 <&-")).status).toBe(0);
    const { status, stderr } = await sandbox.bash("taskflow attach upload T-1 - <&-");
    expect(status).toBe(2);
    expect(stderr).toContain("--allow-empty");
  });
});

describe("upload of stdin", () => {
  test("takes a pipe that brings its bytes in pieces", async () => {
    const running = sandbox.start(["attach", "upload", "T-1", "-", "--name", "slow.log"], { openStdin: true });
    const { stdin } = running.child;
    for (let line = 1; line <= 5; line += 1) {
      // Each in a write of its own, the first ones shorter than what the type is looked for in.
      await new Promise<void>((resolve) => {
        stdin?.write(`line ${line}\n`, () => resolve());
      });
    }
    stdin?.end();
    expect((await running.finished).status).toBe(0);
    const { stdout } = await sandbox.run(["attach", "download", "T-1", "slow.log", "-o", "-"]);
    expect(stdout).toBe("line 1\nline 2\nline 3\nline 4\nline 5\n");
  });

  test("refuses an empty pipe with 2, and makes nothing; --allow-empty takes it", async () => {
    const refused = await sandbox.bash(": | taskflow attach upload T-1 -");
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain("there are no bytes");
    expect((await sandbox.bash(": | taskflow attach upload T-1 - --allow-empty --name empty.txt")).status).toBe(0);
    expect((await sandbox.run(["attach", "list", "T-1"])).stdout.trim().split("\n")).toHaveLength(1);
  });

  test("leaves at once when the policy refuses what an endless pipe brings", async () => {
    const { statuses, stderr } = await pipeline("yes | TASKFLOW_MAX_SIZE=1M taskflow attach upload T-1 -");
    expect(statuses).toBe("141 9");
    expect(stderr).toContain("more than the 1048576");
    expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
  });

  test.skipIf(!hasTool("script"))("refuses a terminal with 2", async () => {
    const { status, stdout } = await sandbox.bash('script -qec "taskflow attach upload T-1 -" /dev/null < /dev/null');
    expect(status).toBe(2);
    expect(stdout).toContain("`-` reads stdin, which is a terminal");
  });
});
