import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { createSandbox, partsIn, sizeOf, until } from "./support.ts";
import type { Running, Sandbox } from "./support.ts";

const SIGNALS = [
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

const AT_MOST_MS = 3000;
const MIB = 1024 * 1024;

async function stop(running: Running, signal: NodeJS.Signals): ReturnType<typeof measured> {
  running.child.kill(signal);
  return await measured(running);
}

async function measured(running: Running) {
  const begun = performance.now();
  const finished = await running.finished;
  return { ...finished, milliseconds: performance.now() - begun };
}

/** The part of an upload, once so many bytes are in it. */
async function uploadUnderWay(sandbox: Sandbox, bytes: number): Promise<void> {
  const staging = sandbox.path("uploads/.taskflow/tmp");
  await until("the upload is under way", () => partsIn(staging).some((part) => sizeOf(part) >= bytes));
}

/** Whether a process has a handler for SIGHUP; Node itself has none. */
function catchesHangup(pid: number): boolean {
  const [, mask = "0"] = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return (BigInt(`0x${mask}`) & 1n) === 1n;
}

/** Whether a process has a file open whose name ends so. */
function opens(pid: number, end: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith(end);
    } catch {
      // Closed since.
      return false;
    }
  });
}

async function withBigFile(): Promise<Sandbox> {
  const sandbox = await createSandbox();
  await writeFile(sandbox.path("big.img"), "");
  await truncate(sandbox.path("big.img"), 64 * 1024 * MIB);
  return sandbox;
}

async function withBigAttachment(): Promise<Sandbox> {
  const sandbox = await createSandbox();
  await mkdir(sandbox.path("uploads/tasks/T-1"), { recursive: true });
  await writeFile(sandbox.path("uploads/tasks/T-1/abc123_big.img"), "");
  await truncate(sandbox.path("uploads/tasks/T-1/abc123_big.img"), 64 * 1024 * MIB);
  return sandbox;
}

describe.each(SIGNALS)("the first %s", (signal, status) => {
  test(`stops the upload of a pipe that stays open: exit ${status}, and nothing of it stays`, async () => {
    const sandbox = await createSandbox();
    const running = sandbox.start(["attach", "upload", "T-1", "-"], { openStdin: true });
    running.child.stdin?.write(Buffer.alloc(MIB));
    await uploadUnderWay(sandbox, MIB);
    const stopped = await stop(running, signal);
    expect(stopped).toMatchObject({ status, signal: null, stdout: "" });
    expect(stopped.stderr).toContain(`error: interrupted by ${signal}\n`);
    expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
    expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
  });

  test(`stops the upload of a large file: exit ${status}, and nothing of it stays`, async () => {
    const sandbox = await withBigFile();
    const running = sandbox.start(["attach", "upload", "T-1", "big.img"]);
    await uploadUnderWay(sandbox, MIB);
    const stopped = await stop(running, signal);
    expect(stopped).toMatchObject({ status, signal: null, stdout: "" });
    expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
    expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
  });

  test(`stops a download: exit ${status}, and neither the file nor a part of it is there`, async () => {
    const sandbox = await withBigAttachment();
    const running = sandbox.start(["attach", "download", "T-1", "big.img"]);
    await until("the download is under way", () => partsIn(sandbox.cwd).some((part) => sizeOf(part) >= MIB));
    const stopped = await stop(running, signal);
    expect(stopped).toMatchObject({ status, signal: null, stdout: "" });
    expect(stopped.stderr).toBe(`error: interrupted by ${signal}\n`);
    expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
    expect(readdirSync(sandbox.cwd).sort()).toEqual([".git", "uploads"]);
  });
});

test("a signal stops an upload whose pipe has not brought a byte yet", async () => {
  const sandbox = await createSandbox();
  const running = sandbox.start(["attach", "upload", "T-1", "-"], { openStdin: true });
  await until("the store is made", () => running.stderr().includes("created store"));
  const stopped = await stop(running, "SIGTERM");
  expect(stopped.status).toBe(143);
  expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
});

test("a signal stops a command that waits for keys on stdin", async () => {
  const sandbox = await withBigAttachment();
  const running = sandbox.start(["attach", "show", "-"], { openStdin: true });
  running.child.stdin?.write("tasks/T-1/abc123_big.img\n");
  await until("it looks after signals", () => catchesHangup(running.pid));
  const stopped = await stop(running, "SIGHUP");
  expect(stopped.status).toBe(129);
  expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
});

test.each(["list", "list --json", "list -l"])(
  "a signal stops `%s` even where nobody reads what it prints",
  async (command) => {
    const argv = command.split(" ");
    const sandbox = await createSandbox();
    await mkdir(sandbox.path("uploads/tasks/T-1"), { recursive: true });
    await sandbox.bash("cd uploads/tasks/T-1; for i in {100000..104000}; do : > ${i}_a-name-of-some-length.txt; done");
    const running = sandbox.start(["attach", ...argv], { unread: true });
    await until("the pipe is full", () => (running.child.stdout?.readableLength ?? 0) > 0);
    const stopped = stop(running, "SIGINT");
    await until("it is gone", () => running.child.exitCode !== null);
    running.read();
    const { status, stderr, milliseconds } = await stopped;
    expect(status).toBe(130);
    expect(stderr).toContain("error: interrupted by SIGINT\n");
    expect(milliseconds).toBeLessThan(AT_MOST_MS);
  },
);

test("eight uploads at once are all cleaned up after one signal", async () => {
  const sandbox = await withBigFile();
  await sandbox.bash("for i in 1 2 3 4 5 6 7 8; do truncate -s 8G file-$i; done");
  const files = Array.from({ length: 8 }, (_, at) => `file-${at + 1}`);
  const running = sandbox.start(["attach", "upload", "T-1", ...files, "--json"]);
  const staging = sandbox.path("uploads/.taskflow/tmp");
  await until("all are under way", () => partsIn(staging).length === 8);
  const stopped = await stop(running, "SIGTERM");
  expect(stopped.status).toBe(143);
  expect(JSON.parse(stopped.stdout)).toMatchObject({
    items: [],
    ok: false,
    errors: [{ code: "interrupted", exit: 143 }],
  });
  expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
});

describe("what was done beside what is interrupted is told", () => {
  const SMALL = ["1.txt", "2.txt", "3.txt", "4.txt", "5.txt"];

  async function attachSmall(sandbox: Sandbox): Promise<void> {
    await sandbox.bash(`for name in ${SMALL.join(" ")}; do echo $name > $name; done`);
    await sandbox.run(["attach", "upload", "T-1", ...SMALL]);
  }

  test("by upload", async () => {
    const sandbox = await withBigFile();
    await sandbox.bash(`for name in ${SMALL.join(" ")}; do echo $name > $name; done`);
    const running = sandbox.start(["attach", "upload", "T-1", "big.img", ...SMALL]);
    const attached = async (): Promise<string[]> => await sandbox.files("uploads/tasks");
    await expect.poll(attached, { timeout: 30_000 }).toHaveLength(SMALL.length);
    const { status, stdout, stderr } = await stop(running, "SIGINT");
    expect(status).toBe(130);
    const keys = (await attached()).map((file) => `tasks/${file}`);
    expect(stdout.trim().split("\n").toSorted()).toEqual(keys);
    expect(stderr).toMatch(
      /^error: interrupted by SIGINT\nattached 5 files \(30 B\) to T-1 in \S+; the same command would attach them again$/m,
    );
  });

  test("by download", async () => {
    const sandbox = await withBigAttachment();
    await attachSmall(sandbox);
    const running = sandbox.start(["attach", "download", "T-1", "-o", "out/"]);
    const written = async (): Promise<string[]> =>
      (await sandbox.files("out")).filter((file) => SMALL.includes(file)).map((file) => `out/${file}`);
    await expect.poll(written, { timeout: 30_000 }).toHaveLength(SMALL.length);
    const { status, stdout, stderr } = await stop(running, "SIGINT");
    expect(status).toBe(130);
    expect(stdout.trim().split("\n").toSorted()).toEqual(await written());
    expect(stderr).toMatch(/^error: interrupted by SIGINT\ndownloaded 5 files \(30 B\)$/m);
  });

  test("by copy", async () => {
    const sandbox = await withBigAttachment();
    await attachSmall(sandbox);
    // Its key is the first.
    await sandbox.bash("mv uploads/tasks/T-1/abc123_big.img uploads/tasks/T-1/000000_big.img");
    const running = sandbox.start(["attach", "copy", "--from", "./uploads", "--to", "./backup"]);
    const copied = async (): Promise<string[]> => (await sandbox.files("backup/tasks")).map((file) => `tasks/${file}`);
    await expect.poll(copied, { timeout: 30_000 }).toHaveLength(SMALL.length);
    const { status, stdout, stderr } = await stop(running, "SIGINT");
    expect(status).toBe(130);
    expect(stdout.trim().split("\n")).toEqual(await copied());
    expect(stderr).toMatch(/^copied 5 attachments \(30 B\) to \S+; the same command copies the rest$/m);
  });
});

test("signals that follow each other at once, as timeout(1) and npm send them, are one signal", async () => {
  const sandbox = await withBigFile();
  const running = sandbox.start(["attach", "upload", "T-1", "big.img"]);
  await uploadUnderWay(sandbox, MIB);
  for (let count = 0; count < 20; count += 1) running.child.kill("SIGTERM");
  expect(await measured(running)).toMatchObject({ status: 143, signal: null });
  expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
});

test("a second signal leaves at once, whatever the first one still waits for", async () => {
  const sandbox = await withBigFile();
  await sandbox.bash("mkfifo never-opened; : > empty; taskflow attach upload T-1 empty");
  // The clean-up hangs in the thread pool, as on a network file system whose server is gone.
  const hang = `const fs = require("node:fs");
    fs.promises.unlink = () => fs.promises.open(${JSON.stringify(sandbox.path("never-opened"))});`;
  await writeFile(sandbox.path("hang.cjs"), hang);
  const running = sandbox.start(["attach", "upload", "T-1", "big.img"], {
    env: { NODE_OPTIONS: `--require=${sandbox.path("hang.cjs")}` },
  });
  await uploadUnderWay(sandbox, MIB);
  running.child.kill("SIGINT");
  await until("it has closed the part", () => !opens(running.pid, "part"));
  const begun = performance.now();
  await until("it is gone", () => {
    // Signals closer together than 200 ms count as one.
    if (running.child.signalCode === null) running.child.kill("SIGINT");
    return running.child.signalCode !== null;
  });
  expect(performance.now() - begun).toBeLessThan(2000);
  // Which a shell tells as 130.
  expect(await running.finished).toMatchObject({ status: null, signal: "SIGINT" });
});

test("a fault of ours shows no stack trace, exits with 1 and leaves nothing behind", async () => {
  const sandbox = await withBigFile();
  await writeFile(
    sandbox.path("fault.cjs"),
    'process.once("SIGUSR2", () => { throw new Error("never seen before"); });',
  );
  const running = sandbox.start(["attach", "upload", "T-1", "big.img"], {
    env: { NODE_OPTIONS: `--require=${sandbox.path("fault.cjs")}` },
    traces: true,
  });
  await uploadUnderWay(sandbox, MIB);
  const { status, stderr } = await stop(running, "SIGUSR2");
  expect(status).toBe(1);
  expect(stderr.match(/^error: .*/gm)).toEqual(["error: unexpected: never seen before"]);
  expect(stderr).toMatch(/^hint: this is a fault of taskflow/m);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
});
