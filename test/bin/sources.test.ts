/** Files that something else changes while a real process reads them: stopped midway, changed, and let go on. */
import { createHash } from "node:crypto";
import { appendFile, open, rename, truncate, writeFile } from "node:fs/promises";
import { beforeEach, expect, test } from "vitest";
import { createSandbox, partsIn, sizeOf, until } from "./support.ts";
import type { Finished, Sandbox } from "./support.ts";

const MIB = 1024 * 1024;
const SIZE = 96 * MIB;

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
  await writeFile(sandbox.path("source.bin"), "");
  await truncate(sandbox.path("source.bin"), SIZE);
});

/** Uploads source.bin; when some of it has been read, the process stands still while `change` is made. */
async function uploadWith(change: (file: string) => Promise<void>): Promise<Finished> {
  const running = sandbox.start(["attach", "upload", "T-1", "source.bin"]);
  const staging = sandbox.path("uploads/.taskflow/tmp");
  let part = "";
  await until("the upload is under way", () => {
    [part = ""] = partsIn(staging);
    return sizeOf(part) >= MIB;
  });
  running.child.kill("SIGSTOP");
  expect(sizeOf(part), "stopped too late to prove anything").toBeLessThan(SIZE);
  await change(sandbox.path("source.bin"));
  running.child.kill("SIGCONT");
  return await running.finished;
}

async function expectChanged({ status, stdout, stderr }: Finished): Promise<void> {
  expect({ status, stdout }).toEqual({ status: 6, stdout: "" });
  expect(stderr).toContain("changed while it was read");
  expect(stderr).toContain("hint: run the same command again when nothing writes to it");
  expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
}

test("a file that grows while it is read is exit 6, and nothing of it stays", async () => {
  await expectChanged(await uploadWith((file) => appendFile(file, "more")));
});

test("a file that shrinks while it is read is exit 6, and nothing of it stays", async () => {
  await expectChanged(await uploadWith((file) => truncate(file, MIB)));
});

test("a file that is rewritten in its size while it is read is exit 6, and nothing of it stays", async () => {
  const rewritten = await uploadWith(async (path) => {
    const file = await open(path, "r+");
    await file.write("other bytes, where it has been read already", 0);
    await file.close();
  });
  await expectChanged(rewritten);
});

test("a file that is replaced while it is read is stored as it was opened", async () => {
  const { status } = await uploadWith(async (file) => {
    await writeFile(`${file}.new`, "the new one");
    await rename(`${file}.new`, file);
  });
  expect(status).toBe(0);
  const { items } = JSON.parse((await sandbox.run(["attach", "show", "T-1", "source.bin", "--json"])).stdout) as {
    items: { size: number; sha256: string }[];
  };
  expect(items[0]?.size).toBe(SIZE);
  expect(items[0]?.sha256).toBe(createHash("sha256").update(Buffer.alloc(SIZE)).digest("hex"));
});

test("a name that is not UTF-8 is exit 3 and says how the file is attached all the same", async () => {
  const upload = await sandbox.bash("printf x > $'caf\\xe9.txt'; taskflow attach upload T-1 $'caf\\xe9.txt'");
  expect(upload.status).toBe(3);
  expect(upload.stderr).toContain("the name of this file is not UTF-8");
  expect(upload.stderr).toContain("hint: pipe it in: taskflow attach upload TASK - --name NAME < FILE");
  const piped = await sandbox.bash("taskflow attach upload T-1 - --name café.txt < $'caf\\xe9.txt'");
  expect(piped.status).toBe(0);
});

test("of a folder with such a name, the others are attached: exit 7", async () => {
  await sandbox.bash("mkdir in; printf x > in/$'caf\\xe9.txt'; printf y > in/fine.txt");
  const { status, stdout } = await sandbox.run(["attach", "upload", "T-1", "-r", "in"]);
  expect(status).toBe(7);
  expect(stdout).toMatch(/^tasks\/T-1\/[0-9a-f-]{36}_fine\.txt\n$/);
});
