/** Memory doesn't grow with what is moved or listed. Not timed: the process itself tells its peak as it ends. */
import { readFile, truncate, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

const MIB = 1024 * 1024;

/** Runs taskflow; gives the most memory that it had at once, in bytes. */
async function peakOf(sandbox: Sandbox, argv: readonly string[]): Promise<number> {
  const hook = `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(sandbox.path("peak"))},
    String(process.resourceUsage().maxRSS)));`;
  await writeFile(sandbox.path("hook.cjs"), hook);
  const { status, stderr } = await sandbox.run(argv, {
    env: { NODE_OPTIONS: `--require=${sandbox.path("hook.cjs")}` },
  });
  expect(status, stderr).toBe(0);
  return Number(await readFile(sandbox.path("peak"), "utf8")) * 1024;
}

test("an upload and a download of 1 GiB stay below 200 MiB", async () => {
  const sandbox = await createSandbox();
  await writeFile(sandbox.path("big.img"), "");
  await truncate(sandbox.path("big.img"), 1024 * MIB);
  expect(await peakOf(sandbox, ["attach", "upload", "T-1", "big.img"])).toBeLessThan(200 * MIB);
  expect(await peakOf(sandbox, ["attach", "download", "T-1", "big.img", "-o", "copy.img"])).toBeLessThan(200 * MIB);
});

test("a list of 20,000 takes hardly more memory than one of 1,000", async () => {
  const sandbox = await createSandbox();
  await sandbox.bash(
    `mkdir -p few/tasks/T-1 many/tasks/T-1
     (cd few/tasks/T-1; for i in {100000..100999}; do : > \${i}_f.txt; done)
     (cd many/tasks/T-1; for i in {100000..119999}; do : > \${i}_f.txt; done)`,
  );
  for (const form of [[], ["--json"]]) {
    const few = await peakOf(sandbox, ["attach", "list", "--store", "./few", ...form]);
    const many = await peakOf(sandbox, ["attach", "list", "--store", "./many", ...form]);
    expect(many - few).toBeLessThan(48 * MIB);
  }
});
