/** What a kill leaves in a folder store, and `doctor --fix` clears once it is old enough. */
import { readdir, utimes } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

const DAYS_AGO = new Date(Date.now() - 2 * 86_400_000);

async function finding(sandbox: Sandbox, id: string, ...words: string[]): Promise<unknown> {
  const { stdout } = await sandbox.run(["attach", "doctor", "--json", ...words]);
  const { checks } = JSON.parse(stdout) as { checks: readonly { readonly id: string }[] };
  return checks.find((check) => check.id === id);
}

test("the part of an upload that was killed is left alone while it is young, and cleared when it is old", async () => {
  const sandbox = await createSandbox();
  expect((await sandbox.run(["attach", "upload", "T-1", "-", "--name", "first"], { stdin: "first" })).status).toBe(0);
  const upload = sandbox.start(["attach", "upload", "T-1", "-", "--name", "log"], { openStdin: true });
  // So much that no look at the first bytes holds it back.
  upload.child.stdin?.write(Buffer.alloc(1024 * 1024));
  const staging = sandbox.path("uploads/.taskflow/tmp");
  const parts = async (): Promise<string[]> => await readdir(staging).catch(() => []);
  await vi.waitFor(async () => expect(await parts()).toHaveLength(1), { timeout: 10_000 });
  upload.child.kill("SIGKILL");
  await upload.finished;
  const [part = ""] = await parts();
  expect(await finding(sandbox, "leftovers", "--fix")).toMatchObject({
    status: "ok",
    message: "1 part younger than a day, perhaps under way",
  });
  await utimes(`${staging}/${part}`, DAYS_AGO, DAYS_AGO);
  expect(await finding(sandbox, "leftovers")).toMatchObject({ status: "warn" });
  expect(await finding(sandbox, "leftovers", "--fix")).toMatchObject({
    message: expect.stringMatching(/^removed 1 part /) as string,
  });
  expect(await parts()).toEqual([]);
});
