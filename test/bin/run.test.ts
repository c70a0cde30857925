/** `attach run` with real processes: what passes through, what is attached, with which code it ends. */
import { chmod, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { logOf, sh, textOf } from "./run-support.ts";
import { createSandbox } from "./support.ts";

describe("run", () => {
  test("passes the output through, attaches both streams as one log, and exits 0", async () => {
    const sandbox = await createSandbox();
    const ran = await sandbox.run(sh("echo out; sleep 0.5; echo err >&2; sleep 0.5; echo more"));
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
    // Counted from when it had started, so a little less may be seen.
    expect(seconds).toBeGreaterThan(0.3);
    expect(seconds).toBeLessThan(60);
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
