/** Large files of a local file system are read without the thread pool, until a read has been slow. */
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { trace } from "../storage/fs/strace.ts";
import type { Traced } from "../storage/fs/strace.ts";
import { hasTool } from "../tools.ts";
import { ROOT, createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

/** Of memory: whatever the other folders are on, this is a local file system. */
const FILE = `/dev/shm/taskflow-cached-reads-${process.pid}.bin`;
const SIZE = 24 * 1024 * 1024;
const LOG = "trace";

afterAll(() => rm(FILE, { force: true }));

/** Uploads the file; which threads read it, read by read. */
async function readers(sandbox: Sandbox, fault: string, when = "1+"): Promise<{ traced: Traced; threads: string[] }> {
  await writeFile(FILE, Buffer.alloc(SIZE, "0123456789abcdef, and so on. "));
  const words = ["--store", sandbox.path("uploads"), "attach", "upload", "T-1", FILE];
  const traced = await trace([process.execPath, path.join(ROOT, "bin/taskflow"), ...words], sandbox.path(LOG), {
    calls: ["pread64"],
    env: sandbox.env,
    injection: { call: "pread64", fault, when },
  });
  const threads = traced.calls.filter(({ text }) => text.includes(FILE)).map(({ thread }) => thread);
  return { traced, threads };
}

test.skipIf(!hasTool("strace"))("the first slow read hands the rest of the file to the thread pool", async () => {
  const sandbox = await createSandbox();
  const { traced, threads } = await readers(sandbox, "delay_enter=20000");
  expect(traced).toMatchObject({ status: 0 });
  const byMain = threads.filter((thread) => thread === "main");
  expect(byMain).toHaveLength(1);
  expect(threads.length).toBeGreaterThan(20);
  const [stored = ""] = (await sandbox.files("uploads/tasks")).slice(0, 1);
  const bytes = await readFile(sandbox.path("uploads/tasks", stored));
  expect(bytes.equals(await readFile(FILE))).toBe(true);
});

test.skipIf(!hasTool("strace"))(
  "a read that fails is told with the byte where it was, and nothing is stored",
  async () => {
    const sandbox = await createSandbox();
    // The dynamic linker's own reads come first.
    const { traced } = await readers(sandbox, "error=EIO", "12+");
    expect(traced.status).toBe(6);
    expect(traced.stderr).toMatch(/^error: cannot read \/dev\/shm\/\S+ at byte \d+: EIO/m);
    expect(await sandbox.files("uploads/tasks")).toEqual([]);
  },
);
