import { readdirSync } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { hasTool } from "../tools.ts";
import { createSandbox, sizeOf, until } from "./support.ts";
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
  await until("the upload is under way", () =>
    partsIn(staging).some((name) => sizeOf(`${staging}/${name}`) >= bytes),
  );
}

function partsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith("part"));
  } catch {
    // Not made yet.
    return [];
  }
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
    const running = sandbox.start(["attach", "upload", "T-1", "-"], { stdin: "open" });
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
    await until("the download is under way", () =>
      partsIn(sandbox.cwd).some((name) => sizeOf(sandbox.path(name)) >= MIB),
    );
    const stopped = await stop(running, signal);
    expect(stopped).toMatchObject({ status, signal: null, stdout: "" });
    expect(stopped.stderr).toBe(`error: interrupted by ${signal}\n`);
    expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
    expect(readdirSync(sandbox.cwd).sort()).toEqual([".git", "uploads"]);
  });
});

test("a signal stops an upload whose pipe has not brought a byte yet", async () => {
  const sandbox = await createSandbox();
  const running = sandbox.start(["attach", "upload", "T-1", "-"], { stdin: "open" });
  await until("the store is made", () => running.stderr().includes("created store"));
  const stopped = await stop(running, "SIGTERM");
  expect(stopped.status).toBe(143);
  expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
});

test("a signal stops a command that waits for keys on stdin", async () => {
  const sandbox = await withBigAttachment();
  const running = sandbox.start(["attach", "show", "-"], { stdin: "open" });
  running.child.stdin?.write("tasks/T-1/abc123_big.img\n");
  await until("the first key was answered", () => running.child.stdout?.readableFlowing === true);
  const stopped = await stop(running, "SIGINT");
  expect(stopped.status).toBe(130);
  expect(stopped.milliseconds).toBeLessThan(AT_MOST_MS);
});

test.each([["list"], ["list", "--json"], ["list", "-l"]])(
  "a signal stops `%s %s` even where nobody reads what it prints",
  async (...argv) => {
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
    expect(stderr).toBe("error: interrupted by SIGINT\n");
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
  expect(JSON.parse(stopped.stdout)).toMatchObject({ items: [], ok: false, errors: [{ code: "interrupted", exit: 143 }] });
  expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
});

test("signals that follow each other at once, as timeout(1) and npm send them, are one signal", async () => {
  const sandbox = await withBigFile();
  const running = sandbox.start(["attach", "upload", "T-1", "big.img"]);
  await uploadUnderWay(sandbox, MIB);
  for (let count = 0; count < 20; count += 1) running.child.kill("SIGTERM");
  expect(await measured(running)).toMatchObject({ status: 143, signal: null });
  expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
});

test.skipIf(!hasTool("strace"))("a second signal leaves at once, whatever the first one still waits for", async () => {
  const sandbox = await withBigFile();
  // The clean-up's first unlink takes half a minute.
  const slow = "strace -f -qq -o /dev/null -e trace=unlink,unlinkat -e inject=unlink,unlinkat:delay_enter=30s";
  const running = sandbox.start(["attach", "upload", "T-1", "big.img"], { through: ["setsid", ...slow.split(" ")] });
  await uploadUnderWay(sandbox, MIB);
  const [, own = ""] = /^(\d+)/m.exec((await sandbox.bash(`cat /proc/${running.pid}/task/*/children`)).stdout) ?? [];
  const pid = Number(own);
  process.kill(pid, "SIGINT");
  const staging = sandbox.path("uploads/.taskflow/tmp");
  let before = -1;
  await until("it has stopped writing", () => {
    const [part = ""] = partsIn(staging);
    const now = sizeOf(`${staging}/${part}`);
    const still = now === before;
    before = now;
    return still;
  });
  const begun = performance.now();
  await until("it is gone", () => {
    // Signals closer together than 200 ms count as one.
    if (running.child.exitCode === null) process.kill(pid, "SIGINT");
    return running.child.exitCode !== null;
  });
  expect(performance.now() - begun).toBeLessThan(2000);
  expect((await running.finished).status).toBe(130);
});

test("a fault of ours shows no stack trace, exits with 1 and leaves nothing behind", async () => {
  const sandbox = await withBigFile();
  await writeFile(sandbox.path("fault.cjs"), 'process.once("SIGUSR2", () => { throw new Error("never seen before"); });');
  const running = sandbox.start(["attach", "upload", "T-1", "big.img"], {
    env: { NODE_OPTIONS: `--require=${sandbox.path("fault.cjs")}` },
    traces: true,
  });
  await uploadUnderWay(sandbox, MIB);
  const { status, stderr } = await stop(running, "SIGUSR2");
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: unexpected: never seen before\nhint: this is a fault of taskflow.*\n$/m);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
});
