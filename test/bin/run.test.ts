/** `attach run` with real processes: what passes through, what is attached, with which code it ends. */
import { readFileSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { hasTool, isRoot } from "../tools.ts";
import { createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

interface Log {
  readonly name: string;
  readonly content: Buffer;
  readonly type: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** What is attached to the task, one log at most; also that nothing is left in the store's staging. */
async function logOf(sandbox: Sandbox, task = "T-1"): Promise<Log | null> {
  const listed = await sandbox.run(["attach", "list", task, "--json", "-l"]);
  const { items } = JSON.parse(listed.stdout) as { items: (Omit<Log, "content"> & { key: string })[] };
  expect(items.length).toBeLessThan(2);
  expect((await sandbox.files("uploads")).filter((file) => file.endsWith(".part"))).toEqual([]);
  const [item] = items;
  return item === undefined ? null : { ...item, content: await readFile(sandbox.path("uploads", item.key)) };
}

async function textOf(sandbox: Sandbox, task?: string): Promise<string | undefined> {
  return (await logOf(sandbox, task))?.content.toString();
}

const sh = (script: string): string[] => ["attach", "run", "T-1", "--", "sh", "-c", script];

describe("run", () => {
  test("passes the output through, attaches both streams as one log, and exits 0", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(sh("echo out; sleep 0.1; echo err >&2; sleep 0.1; echo more"));
    expect([ran.status, ran.stdout]).toEqual([0, "out\nmore\n"]);
    expect(ran.stderr).toMatch(/^created store .*\nerr\nattached sh\.log \(13 B\) to T-1: tasks\/T-1\/\S+_sh\.log\n$/);
    const log = await logOf(sandbox);
    expect(log?.content.toString()).toBe("out\nerr\nmore\n");
    expect(log).toMatchObject({ name: "sh.log", type: "text/plain" });
  });

  test("attaches the log of a command that fails too, and exits with the command's code", async () => {
    const sandbox = await createSandbox();
    expect((await sandbox.run(sh("echo broken; exit 3"))).status).toBe(3);
    const log = await logOf(sandbox);
    expect(log?.content.toString()).toBe("broken\n");
    expect(log?.meta).toEqual({
      command: "sh -c 'echo broken; exit 3'",
      "exit-code": "3",
      "duration-seconds": expect.stringMatching(/^\d+\.\d{3}$/) as unknown,
    });
  });

  test("exits with 128 and the signal's number where a signal ended the command", async () => {
    const sandbox = await createSandbox();
    expect(await sandbox.run(sh("echo so far; kill -9 $$"))).toMatchObject({ status: 137, signal: null });
    expect(await logOf(sandbox)).toMatchObject({ meta: { "exit-code": "137", signal: "SIGKILL" } });
    expect(await textOf(sandbox)).toBe("so far\n");
  });

  test("records how long the command ran", async () => {
    const sandbox = await createSandbox();
    await sandbox.run(sh("sleep 0.5"));
    const seconds = Number((await logOf(sandbox))?.meta["duration-seconds"]);
    expect(seconds).toBeGreaterThanOrEqual(0.5);
    expect(seconds).toBeLessThan(5);
  });

  test("every byte comes through as it is, on both streams", async () => {
    const sandbox = await createSandbox();
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 31 + (n >> 8)) & 0xff));
    await writeFile(sandbox.path("bytes"), bytes);
    const { bytes: stdout } = await sandbox.run(["attach", "run", "T-1", "-q", "--", "cat", "bytes"]);
    expect(stdout.equals(bytes)).toBe(true);
    expect((await logOf(sandbox))?.content.equals(bytes)).toBe(true);
    const script =
      "taskflow attach run T-2 -q -- sh -c 'cat bytes >&2' 2>err; cmp err bytes && cmp err uploads/tasks/T-2/*";
    expect((await sandbox.bash(script)).status).toBe(0);
  });

  test("the words after -- are the command's, whatever they look like", async () => {
    const sandbox = await createSandbox();
    const words = ["--json", "-q", "--store", "s3://b", "--", "--help", "", "a b", "upload"];
    const ran = await sandbox.run(["attach", "run", "T-1", "--", "printf", "[%s]", ...words]);
    expect([ran.status, ran.stdout]).toEqual([0, words.map((word) => `[${word}]`).join("")]);
    expect(ran.stderr).toContain("attached printf.log");
    const missing = await sandbox.run(["attach", "run", "T-1", "--bogus", "--", "make", "--json"]);
    expect(missing).toMatchObject({ status: 2, stdout: "" });
  });

  test("with --task all operands are the command; --name names the log", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(["attach", "run", "--task", "T-1", "--name", "nightly.log", "--", "echo", "a", "b"]);
    expect([ran.status, ran.stdout]).toEqual([0, "a b\n"]);
    expect((await logOf(sandbox))?.name).toBe("nightly.log");
  });

  test("stdin is the command's", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(["attach", "run", "T-1", "--", "tr", "a-z", "A-Z"], { stdin: "hello\n" });
    expect([ran.status, ran.stdout]).toEqual([0, "HELLO\n"]);
    const shared = "printf '1\\n2\\n3\\n' | { taskflow attach run T-2 -q -- sh -c 'read line; echo got $line'; cat; }";
    expect((await sandbox.bash(shared)).stdout).toBe("got 1\n2\n3\n");
  });

  test("a command without output has an empty log", async () => {
    const sandbox = await createSandbox();
    expect((await sandbox.run(["attach", "run", "T-1", "--", "true"])).status).toBe(0);
    expect(await logOf(sandbox)).toMatchObject({ name: "true.log", content: Buffer.alloc(0) });
  });

  test("the command may open /dev/stdout and /dev/stderr, as it could without us", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(sh("echo out >/dev/stdout; echo err >/dev/stderr"));
    expect([ran.status, ran.stdout]).toEqual([0, "out\n"]);
    expect(ran.stderr).toContain("\nerr\n");
    expect((await textOf(sandbox))?.split("\n").sort()).toEqual(["", "err", "out"]);
  });

  test("where no named pipes can be made, the output comes through all the same", async () => {
    const sandbox = await createSandbox();
    const env = { TMPDIR: sandbox.path("none") };
    expect(await sandbox.run(sh("echo out; exit 4"), { env })).toMatchObject({ status: 4, stdout: "out\n" });
    expect(await textOf(sandbox)).toBe("out\n");
  });

  test("no file stays in the temporary folder", async () => {
    const sandbox = await createSandbox();
    const { stdout } = await sandbox.bash(
      "mkdir tmp; TMPDIR=$PWD/tmp taskflow attach run T-1 -q -- ls -A tmp; ls -A tmp",
    );
    expect(stdout).toBe("");
  });

  test("a long command line is cut so that the metadata fits, and the command gets all of it", async () => {
    const sandbox = await createSandbox();
    const word = "ü".repeat(5000);
    const ran = await sandbox.run(["attach", "run", "T-1", "--", "printf", "%s", word]);
    expect([ran.status, ran.stdout]).toEqual([0, word]);
    const { command = "" } = (await logOf(sandbox))?.meta ?? {};
    expect(command).toMatch(/^printf %s 'ü{200,400}…$/);
  });

  test("secrets on the command line don't get into the metadata", async () => {
    const sandbox = await createSandbox();
    await sandbox.run(["attach", "run", "T-1", "--", "true", "Authorization: Bearer abcdefgh12345678"]);
    expect(JSON.stringify((await logOf(sandbox))?.meta)).not.toContain("abcdefgh12345678");
  });
});

describe("a command that can't be started", () => {
  test("is 127 where there is none, and nothing is attached", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(["attach", "run", "T-1", "--", "no-such-command"]);
    expect([ran.status, ran.stdout]).toEqual([127, ""]);
    expect(ran.stderr).toContain(
      "error: no such command: no-such-command\nhint: nothing was run, so nothing was attached\n",
    );
    expect(await logOf(sandbox)).toBeNull();
  });

  test("is 127 where its interpreter is missing, and says so", async () => {
    const sandbox = await createSandbox();
    await writeFile(sandbox.path("script"), "#!/no/such/interpreter\r\n", { mode: 0o755 });
    const ran = await sandbox.run(["attach", "run", "T-1", "--", "./script"]);
    expect(ran.status).toBe(127);
    expect(ran.stderr).toContain("not the interpreter that its first line names");
  });

  test("is 126 where it can't be run", async () => {
    const sandbox = await createSandbox();
    await writeFile(sandbox.path("notes.txt"), "no program");
    await chmod(sandbox.path("notes.txt"), 0o600);
    for (const command of ["./notes.txt", "/"]) {
      expect((await sandbox.run(["attach", "run", "T-1", "--", command])).status).toBe(126);
    }
    expect(await logOf(sandbox)).toBeNull();
  });
});

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
