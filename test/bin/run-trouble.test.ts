/** `attach run` when something goes wrong that is not the command's fault. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasTool, isRoot } from "../tools.ts";
import { logOf, sh, textOf } from "./run-support.ts";
import { createSandbox } from "./support.ts";

describe("what is wrong with the command line or the store is found before the command runs:", () => {
  const refused: readonly [string, string[], number, Record<string, string>?][] = [
    ["--json, for stdout is the command's", ["--json", "T-1", "--"], 2],
    ["--ndjson", ["--ndjson", "T-1", "--"], 2],
    ["a task that is none", ["T..1", "--"], 2],
    ["an empty task", ["", "--"], 2],
    ["a name that is none", ["--name", "..", "T-1", "--"], 2],
    ["an empty name", ["--name", "", "T-1", "--"], 2],
    ["a type that is not allowed", ["T-1", "--"], 9, { TASKFLOW_ALLOWED_TYPES: "image/*" }],
    ["a store that can't be", ["T-1", "--"], 5, { TASKFLOW_STORE: "/dev/null/x" }],
    ["a setting that is none", ["T-1", "--"], 5, { TASKFLOW_MAX_SIZE: "much" }],
  ];

  test.each(refused)("%s", async (_what, words, status, env = {}) => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(["attach", "run", ...words, "touch", "ran"], { env });
    expect(ran.status).toBe(status);
    expect(await sandbox.files()).not.toContain("ran");
  });

  test("no command at all", async () => {
    const sandbox = await createSandbox();
    for (const words of [[], ["T-1"], ["T-1", "--"], ["T-1", "--", ""], ["--task", "T-1", "--"]]) {
      expect([words, (await sandbox.run(["attach", "run", ...words])).status]).toEqual([words, 2]);
    }
    expect(await sandbox.files()).toEqual([]);
  });

  test.skipIf(!isRoot() || !hasTool("unshare"))("a store that takes nothing, for its disk is full", async () => {
    const sandbox = await createSandbox();
    const script = `mkdir uploads && mount -t tmpfs -o size=1m,nr_inodes=40 none uploads &&
      taskflow attach upload T-1 /etc/hostname -q >/dev/null && cat /dev/zero > uploads/filler 2>/dev/null
      for n in $(seq 50); do : > uploads/$n; done 2>/dev/null
      taskflow attach run T-1 -- touch ran; echo "status $?"; ls ran`;
    const ran = await sandbox.bash(`unshare -m bash -c '${script}'`);
    expect(ran.stdout).toBe("status 6\n");
    expect(ran.stderr).toContain("the command was not run\n");
  });
});

describe("while the command runs, our own trouble is none of its own:", () => {
  test("a reader of stdout that goes ends nothing; the log has it all, and the code is the command's", async () => {
    const sandbox = await createSandbox();
    const script = "taskflow attach run T-1 -- sh -c 'seq 20000; exit 5' | head -1; echo ${PIPESTATUS[0]}";
    const ran = await sandbox.bash(script);
    expect(ran.stdout).toBe("1\n5\n");
    expect((await textOf(sandbox))?.split("\n")).toHaveLength(20_001);
  });

  test("a full stdout is exit 6, told once, if the command succeeded; the log has it all", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.bash("taskflow attach run T-1 -- seq 20000 > /dev/full");
    expect(ran.status).toBe(6);
    expect(ran.stderr.match(/^error: /gm)).toHaveLength(1);
    expect((await textOf(sandbox))?.split("\n")).toHaveLength(20_001);
    expect((await sandbox.bash("taskflow attach run T-2 -- sh -c 'echo x; exit 3' > /dev/full")).status).toBe(3);
  });

  test("closed streams are no reason to stop", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.bash("taskflow attach run T-1 -- sh -c 'echo out; echo err >&2; exit 3' <&- >&- 2>&-");
    expect(ran.status).toBe(3);
    expect((await textOf(sandbox))?.split("\n").sort()).toEqual(["", "err", "out"]);
  });

  test("a log that is too large is 9 in the end, if the command succeeded; nothing of it is kept", async () => {
    const sandbox = await createSandbox();
    const env = { TASKFLOW_MAX_SIZE: "1K" };
    const ran = await sandbox.run(sh("seq 100000; echo the end"), { env });
    expect(ran.status).toBe(9);
    expect(ran.stdout.length).toBe(588_903);
    expect(ran.stdout).toMatch(/\n100000\nthe end\n$/);
    expect((await sandbox.run(sh("seq 100000; exit 3"), { env })).status).toBe(3);
    expect(await logOf(sandbox)).toBeNull();
  });

  test.skipIf(!isRoot() || !hasTool("unshare"))(
    "a store whose disk gets full is 6 in the end, if the command succeeded; the output comes through",
    async () => {
      const sandbox = await createSandbox();
      const script = `mkdir uploads && mount -t tmpfs -o size=4m none uploads
        taskflow attach run T-1 -- sh -c "seq 2000000; exit $1" | sha256sum; echo \${PIPESTATUS[0]}
        taskflow attach list T-1; find uploads -name "*.part"`;
      const expected = (await sandbox.bash("seq 2000000 | sha256sum")).stdout;
      for (const [own, told] of [
        [0, 6],
        [3, 3],
      ]) {
        const ran = await sandbox.bash(`unshare -m bash -c '${script}' x ${own}; rm -rf uploads`);
        expect(ran.stdout).toBe(`${expected}${told}\n`);
        expect(ran.stderr).toContain("disk full");
      }
    },
  );

  test("100 MB of output cost no memory", async () => {
    const sandbox = await createSandbox();
    const running = sandbox.start(["attach", "run", "T-1", "-q", "--", "head", "-c", "100000000", "/dev/zero"], {
      unread: true,
    });
    let bytes = 0;
    let peak = 0;
    running.child.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes % 10_000_000 < chunk.length) peak = Math.max(peak, peakMemory(running.pid));
    });
    expect((await running.finished).status).toBe(0);
    expect(bytes).toBe(100_000_000);
    expect(peak).toBeGreaterThan(10);
    expect(peak).toBeLessThan(150);
    expect((await logOf(sandbox))?.content).toHaveLength(100_000_000);
  });

  test("a command waits for a reader that is slow, and no output is lost", async () => {
    const sandbox = await createSandbox();
    const script = "taskflow attach run T-1 -- seq 300000 | { sleep 1; sha256sum; }; seq 300000 | sha256sum";
    const [through, plain] = (await sandbox.bash(script)).stdout.split("\n");
    expect(through).toBe(plain);
    expect((await textOf(sandbox))?.length).toBe(1_988_895);
  });
});

/** MiB, of a process that is still there. */
function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

describe("what a command leaves running", () => {
  test("is not waited for once nothing comes from it; the log ends there, and that is said", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(sh("sleep 8 & echo done; exit 4"));
    expect([ran.status, ran.stdout]).toEqual([4, "done\n"]);
    expect(ran.stderr).toContain("warning: something that the command left running still has its output");
    expect(await textOf(sandbox)).toBe("done\n");
  });

  test("is waited for as long as it ends soon", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(sh("(sleep 1; echo later) & echo done"));
    expect([ran.status, ran.stdout]).toEqual([0, "done\nlater\n"]);
    expect(ran.stderr).not.toContain("warning");
    expect(await textOf(sandbox)).toBe("done\nlater\n");
  });
});
