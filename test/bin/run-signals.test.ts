/** Signals while `attach run` runs a command: each reaches it once, and the log is attached all the same. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { hasTool } from "../tools.ts";
import { createSandbox, until } from "./support.ts";
import type { Sandbox } from "./support.ts";

const SIGNALS = [
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

/** Of a session of its own: else the terminal of whoever runs these tests would make a difference. */
const ALONE = hasTool("setsid") ? { through: ["setsid"] } : {};

/** Says each signal that comes; ends with 5 half a second after the first. `ready` holds its process id, `heard` the signals. */
const COUNTER = `
  const fs = require("node:fs");
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) {
    process.on(signal, () => { console.log(signal); fs.appendFileSync("heard", signal); setTimeout(() => process.exit(5), 500); });
  }
  setTimeout(() => process.exit(6), 20_000);
  console.log("begun");
  fs.writeFileSync("ready.part", String(process.pid));
  fs.renameSync("ready.part", "ready");
`;
const COUNT = ["attach", "run", "T-1", "--", "node", "-e", COUNTER];

/** The same, for a shell. */
async function writeCounter(sandbox: Sandbox): Promise<void> {
  await sandbox.bash('printf %s "$CODE" > counter.cjs', { env: { CODE: COUNTER } });
}

async function ready(sandbox: Sandbox): Promise<number> {
  await until("the command runs", () => existsSync(sandbox.path("ready")));
  return Number(readFileSync(sandbox.path("ready"), "utf8"));
}

async function logOf(sandbox: Sandbox): Promise<{ text: string; meta: Record<string, string> } | null> {
  const listed = await sandbox.run(["attach", "list", "T-1", "--json", "-l"]);
  const { items } = JSON.parse(listed.stdout) as { items: { key: string; meta: Record<string, string> }[] };
  const [item] = items;
  if (item === undefined) return null;
  return { text: await readFile(sandbox.path("uploads", item.key), "utf8"), meta: item.meta };
}

describe.each(SIGNALS)("%s to us alone", (signal, status) => {
  test("reaches the command once; its log is attached, its code is ours", async () => {
    const sandbox = await createSandbox();
    const running = sandbox.start(COUNT, ALONE);
    await ready(sandbox);
    running.child.kill(signal);
    expect(await running.finished).toMatchObject({ status: 5, stdout: `begun\n${signal}\n` });
    expect(await logOf(sandbox)).toMatchObject({ text: `begun\n${signal}\n`, meta: { "exit-code": "5" } });
  });

  test(`ends a command that does nothing about it: exit ${status}, and its log is attached`, async () => {
    const sandbox = await createSandbox();
    const script = "echo so far; : > ready; exec sleep 20";
    const running = sandbox.start(["attach", "run", "T-1", "--", "sh", "-c", script], ALONE);
    await ready(sandbox);
    running.child.kill(signal);
    expect(await running.finished).toMatchObject({ status, signal: null, stdout: "so far\n" });
    expect(await logOf(sandbox)).toMatchObject({ text: "so far\n", meta: { "exit-code": String(status), signal } });
  });
});

test("a second signal leaves at once, and the command does not outlive it", async () => {
  const sandbox = await createSandbox();
  const stubborn = COUNTER.replace("process.exit(5), 500", "process.exit(5), 15_000");
  const running = sandbox.start(["attach", "run", "T-1", "--", "node", "-e", stubborn], ALONE);
  const pid = await ready(sandbox);
  running.child.kill("SIGINT");
  await until("the command has heard it", () => existsSync(sandbox.path("heard")));
  await new Promise((resolve) => {
    setTimeout(resolve, 300);
  });
  running.child.kill("SIGINT");
  expect((await running.finished).status).toBe(130);
  await until("the command is gone", () => !isAlive(pid));
  expect(await logOf(sandbox)).toBeNull();
});

test("SIGINT and later SIGTERM, as CI sends them, both reach the command, and its log is attached", async () => {
  const sandbox = await createSandbox();
  const patient = COUNTER.replace("process.exit(5), 500", 'signal === "SIGTERM" && process.exit(5), 100');
  const running = sandbox.start(["attach", "run", "T-1", "--", "node", "-e", patient], ALONE);
  await ready(sandbox);
  running.child.kill("SIGINT");
  await until("the command has heard it", () => existsSync(sandbox.path("heard")));
  running.child.kill("SIGTERM");
  expect((await running.finished).status).toBe(5);
  expect((await logOf(sandbox))?.text).toBe("begun\nSIGINT\nSIGTERM\n");
});

test("timeout(1), which signals us and our group, gets the log attached", async () => {
  const sandbox = await createSandbox();
  const ran = await sandbox.bash("timeout 5 taskflow attach run T-1 -- sh -c 'echo so far; sleep 20'");
  expect(ran).toMatchObject({ status: 124, stdout: "so far\n" });
  expect(await logOf(sandbox)).toMatchObject({ text: "so far\n", meta: { signal: "SIGTERM" } });
});

test("a signal to the whole group ends the command, and the log is attached", async () => {
  const sandbox = await createSandbox();
  const script = "echo so far; : > ready; sleep 20; echo not reached";
  const running = sandbox.start(["attach", "run", "T-1", "--", "sh", "-c", script], ALONE);
  await ready(sandbox);
  process.kill(-running.pid, "SIGTERM");
  expect(await running.finished).toMatchObject({ status: 143, stdout: "so far\n" });
  expect((await logOf(sandbox))?.text).toBe("so far\n");
});

test("told to stop, it does not wait for a reader that takes nothing; the log has what the command wrote", async () => {
  const sandbox = await createSandbox();
  const running = sandbox.start(["attach", "run", "T-1", "-q", "--", "yes"], { ...ALONE, unread: true });
  const staging = sandbox.path("uploads/.taskflow/tmp");
  await until("output is stuck", () => existsSync(staging));
  await new Promise((resolve) => {
    setTimeout(resolve, 1000);
  });
  const begun = performance.now();
  running.child.kill("SIGTERM");
  await until("it has ended", () => running.child.exitCode !== null);
  expect(performance.now() - begun).toBeLessThan(4000);
  expect(running.child.exitCode).toBe(143);
  running.read();
  const { bytes } = await running.finished;
  const log = await logOf(sandbox);
  expect(log?.text.length).toBeGreaterThanOrEqual(bytes.length);
  expect(log?.text).toMatch(/^(?:y\n)+$/);
});

test("told to stop, it does not wait for what the command left running", async () => {
  const sandbox = await createSandbox();
  const script = "sleep 9 & echo $$ > pid; echo so far; : > ready; exec sleep 20";
  const running = sandbox.start(["attach", "run", "T-1", "--", "sh", "-c", script], ALONE);
  await ready(sandbox);
  const begun = performance.now();
  running.child.kill("SIGTERM");
  expect((await running.finished).status).toBe(143);
  expect(performance.now() - begun).toBeLessThan(4500);
  expect((await logOf(sandbox))?.text).toBe("so far\n");
});

describe.skipIf(!hasTool("script"))("on a terminal", () => {
  /**
   * Runs a command line on a terminal of its own, types Ctrl-C when the command is ready and the terminal has shown what
   * it said (Ctrl-C throws away what is still on its way), and gives what the terminal showed.
   */
  async function interrupt(sandbox: Sandbox, line: string, said: string): Promise<string> {
    const { stdout } = await sandbox.bash(
      `{ until [ -e ready ] && grep -aqs "$SAID" seen; do sleep 0.05; done; printf '\\003'
         until [ -e over ]; do sleep 0.05; done; } |
         { script -qfec "exec $LINE" seen; echo "status $?"; : > over; }`,
      { env: { LINE: line, SAID: said } },
    );
    return stdout.replaceAll("\r", "");
  }

  test("Ctrl-C reaches the command once, for the terminal sends it to the whole job", async () => {
    const sandbox = await createSandbox();
    await writeCounter(sandbox);
    const shown = await interrupt(sandbox, "taskflow attach run T-1 -- node counter.cjs", "begun");
    expect(shown).toMatch(/begun\n\^C?SIGINT\nattached node\.log .*\nstatus 5\n$/);
    expect((await logOf(sandbox))?.text).toBe("begun\nSIGINT\n");
  });

  test("Ctrl-C ends a command that does nothing about it: 130, and its log is attached", async () => {
    const sandbox = await createSandbox();
    const line = "taskflow attach run T-1 -- sh -c 'printf %s unfinished; : > ready; exec sleep 20'";
    const shown = await interrupt(sandbox, line, "unfinished");
    expect(shown).toMatch(/unfinished\^C\nattached sh\.log .*\nstatus 130\n$/);
    expect((await logOf(sandbox))?.text).toBe("unfinished");
  });

  test("one of our own within another: Ctrl-C still reaches the command once, and both logs are attached", async () => {
    const sandbox = await createSandbox();
    await writeCounter(sandbox);
    const line = "taskflow attach run T-2 -- taskflow attach run T-1 -- node counter.cjs";
    const shown = await interrupt(sandbox, line, "begun");
    expect(shown).toMatch(/status 5\n$/);
    expect((await logOf(sandbox))?.text).toBe("begun\nSIGINT\n");
    expect((await sandbox.run(["attach", "list", "T-2"])).stdout).toContain("taskflow.log");
  });

  test("a terminal that is closed is SIGHUP to the command, and its log is attached", async () => {
    const sandbox = await createSandbox();
    // No node: it aborts when its terminal is gone.
    const command = `trap "echo heard; exit 5" HUP; echo begun; : > ready; while :; do sleep 0.1; done`;
    const env = { LINE: `exec taskflow attach run T-1 -- sh -c '${command}'` };
    const closing = 'sleep 3 | script -qec "$LINE" /dev/null & until [ -e ready ]; do sleep 0.05; done; kill -KILL $!';
    await sandbox.bash(closing, { env });
    await until("the log is there", () => namesIn(sandbox.path("uploads/tasks/T-1")).length > 0);
    expect(await logOf(sandbox)).toMatchObject({ text: "begun\nheard\n", meta: { "exit-code": "5" } });
  });
});

/** None where there is no such folder. */
function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    // No such process any more.
    return false;
  }
}
