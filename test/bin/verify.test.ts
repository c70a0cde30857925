import { readFile, readdir, truncate, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { hasTool } from "../tools.ts";
import { createSandbox, keyOf } from "./support.ts";
import type { Sandbox } from "./support.ts";

async function attach(sandbox: Sandbox, name: string, content: string): Promise<string> {
  return keyOf(await sandbox.run(["attach", "upload", "T-1", "-", "--name", name], { stdin: content }));
}

/** As if 64 GiB had been attached, without the wait. */
async function makeHuge(sandbox: Sandbox, key: string): Promise<void> {
  const size = 64 * 1024 ** 3;
  await truncate(sandbox.path("uploads", key), size);
  const folder = sandbox.path("uploads/.taskflow/meta/T-1");
  for (const name of await readdir(folder)) {
    const record = JSON.parse(await readFile(`${folder}/${name}`, "utf8")) as { key: string };
    if (record.key === key) await writeFile(`${folder}/${name}`, JSON.stringify({ ...record, size }));
  }
}

describe("verify", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s stops it at once with exit %i, and it says nothing of what it has not read",
    async (signal, status) => {
      const sandbox = await createSandbox();
      const key = await attach(sandbox, "big.img", "x");
      await makeHuge(sandbox, key);
      const running = sandbox.start(["attach", "verify", "--json"]);
      await new Promise((resolve) => running.child.stderr?.once("data", resolve));
      const begun = performance.now();
      running.child.kill(signal);
      const { status: ended, stdout, stderr } = await running.finished;
      expect(ended).toBe(status);
      expect(performance.now() - begun).toBeLessThan(3000);
      expect(stderr).toContain("verifying 1 attachment, up to 64.0 GiB to read\n");
      expect(JSON.parse(stdout)).toMatchObject({ items: [], errors: [{ code: "interrupted" }], ok: false });
    },
  );

  test.skipIf(!hasTool("strace"))("what can't be read is listed as such, the others are verified: exit 7", async () => {
    const sandbox = await createSandbox();
    const key = await attach(sandbox, "a.txt", "hello");
    await attach(sandbox, "b.txt", "world");
    const through = ["strace", "-f", "-qq", "-o", "trace", "-P", sandbox.path("uploads", key)];
    const failing = { through: [...through, "-e", "inject=pread64,read:error=EIO"], env: { UV_USE_IO_URING: "0" } };
    const { status, stdout, stderr } = await sandbox.run(["attach", "verify"], failing);
    expect(await readFile(sandbox.path("trace"), "utf8")).toContain("(INJECTED)");
    expect([status, stdout]).toEqual([7, `unreadable\t${key}\n`]);
    expect(stderr).toContain("I/O error");
    expect(stderr).toMatch(/\n1 ok, 1 could not be read\n$/);
    const { stdout: json } = await sandbox.run(["attach", "verify", "--json"], failing);
    expect(JSON.parse(json)).toMatchObject({ summary: { verified: 1, unreadable: 1, mismatched: 0 }, ok: false });
  });

  test("a reader that goes after the first line changes nothing of the verdict", async () => {
    const sandbox = await createSandbox();
    for (const name of ["a", "b", "c"]) {
      const key = await attach(sandbox, `${name}.txt`, "hello");
      await writeFile(sandbox.path("uploads", key), "HELLO");
    }
    const { stdout, stderr } = await sandbox.bash("taskflow attach verify | head -1; echo ${PIPESTATUS[0]}");
    expect(stdout).toMatch(/^mismatch\t.*\n8\n$/);
    expect(stderr).toMatch(/\n0 ok, 3 differ\n$/);
  });
});
