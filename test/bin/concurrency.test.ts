/** Several processes on one store at the same time, without a lock: each outcome is one that some order would give. */
import { mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { beforeEach, expect, test } from "vitest";
import { createSandbox, until } from "./support.ts";
import type { Sandbox } from "./support.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
  await writeFile(sandbox.path("a.txt"), "a");
});

interface Document {
  readonly items: readonly { readonly id: string; readonly key: string; readonly name: string }[];
}

async function listed(...options: string[]): Promise<Document["items"]> {
  const { stdout } = await sandbox.run(["attach", "list", "T-1", "--json", ...options]);
  return (JSON.parse(stdout) as Document).items;
}

test("of two deletions of one attachment at once, one is 0 and the other 3", async () => {
  const rounds = 20;
  await sandbox.bash(`for i in {1..${rounds}}; do echo $i > $i.txt; done; taskflow attach upload T-1 [0-9]*.txt`);
  for (let round = 1; round <= rounds; round += 1) {
    const both = [0, 1].map(() => sandbox.run(["attach", "delete", "T-1", `${round}.txt`]));
    const statuses = (await Promise.all(both)).map(({ status }) => String(status)).sort();
    expect(statuses).toEqual(["0", "3"]);
  }
  expect(await listed()).toEqual([]);
  expect(await listed("--deleted")).toHaveLength(rounds);
});

test("eight first uploads at once all succeed, and make one store", async () => {
  const uploads = Array.from({ length: 8 }, () => sandbox.run(["attach", "upload", "T-1", "a.txt"]));
  const finished = await Promise.all(uploads);
  expect(finished.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 0));
  expect((await listed()).map(({ key }) => key).sort()).toEqual(finished.map(({ stdout }) => stdout.trim()).sort());
  expect(finished.filter(({ stderr }) => stderr.includes("created store"))).toHaveLength(1);
  expect(JSON.parse(await readFile(sandbox.path("uploads/.taskflow/format"), "utf8"))).toBeTypeOf("object");
  expect(await sandbox.files("uploads/.taskflow/tmp")).toEqual([]);
});

test("of uploads at once with --replace exactly one stays, and each says which", async () => {
  await sandbox.run(["attach", "upload", "T-1", "a.txt"]);
  for (let round = 0; round < 4; round += 1) {
    const runs = [0, 1, 2].map(() => sandbox.run(["attach", "upload", "T-1", "a.txt", "--replace"]));
    const finished = await Promise.all(runs);
    expect(finished.map(({ status }) => status)).toEqual([0, 0, 0]);
    const stays = await listed();
    expect(stays).toHaveLength(1);
    const kept = finished.filter(({ stdout }) => stdout.trim() === stays[0]?.key);
    expect(kept).toHaveLength(1);
  }
});

test("a download that has begun gets all its verified bytes, whatever is deleted or purged meanwhile", async () => {
  await writeFile(sandbox.path("large.bin"), "begins");
  await truncate(sandbox.path("large.bin"), 8_000_000);
  for (const options of [[], ["--purge", "--yes"]]) {
    const key = (await sandbox.run(["attach", "upload", "T-1", "large.bin"])).stdout.trim();
    const reader = sandbox.start(["attach", "download", key, "-o", "-"], { unread: true });
    await until("the first bytes came", () => (reader.child.stdout?.readableLength ?? 0) > 0);
    expect((await sandbox.run(["attach", "delete", key, ...options])).status).toBe(0);
    reader.read();
    const { status, bytes } = await reader.finished;
    expect(status).toBe(0);
    expect(bytes.equals(await readFile(sandbox.path("large.bin")))).toBe(true);
  }
});

test("an undelete and a purge at once leave the attachment whole or gone", async () => {
  for (let round = 0; round < 8; round += 1) {
    const { stdout } = await sandbox.run(["attach", "upload", "T-1", "a.txt"]);
    const key = stdout.trim();
    await sandbox.run(["attach", "delete", key]);
    const [undelete, purge] = await Promise.all([
      sandbox.run(["attach", "undelete", key]),
      sandbox.run(["attach", "delete", key, "--purge", "--yes"]),
    ]);
    expect([0, 3]).toContain(undelete.status);
    expect([0, 3]).toContain(purge.status);
    const live = (await listed()).some((item) => item.key === key);
    const fetched = await sandbox.run(["attach", "download", key, "-o", "-"]);
    expect(fetched).toMatchObject(live ? { status: 0, stdout: "a" } : { status: 3, stdout: "" });
    if (purge.status === 0) expect(live).toBe(false);
    if (live) await sandbox.run(["attach", "delete", key, "--purge", "--yes"]);
  }
  expect(await sandbox.files("uploads/tasks")).toEqual([]);
});

test("a listing beside uploads and deletions never shows one twice, nor misses one that stays", async () => {
  await mkdir(sandbox.path("in"));
  await sandbox.bash("for i in {1..30}; do echo $i > in/stays-$i; echo $i > in/goes-$i; done");
  await sandbox.run(["attach", "upload", "T-1", "-r", "in"]);
  const changes = sandbox.bash(
    `taskflow attach list T-1 --name 'goes-*' | cut -f1 | taskflow attach delete - & taskflow attach upload T-1 -r in; wait`,
  );
  const during = { over: false };
  void changes.finally(() => {
    during.over = true;
  });
  do {
    const names = await listed();
    expect(new Set(names.map(({ id }) => id)).size).toBe(names.length);
    expect(names.filter(({ name }) => name.startsWith("stays-")).length).toBeGreaterThanOrEqual(30);
  } while (!during.over);
  expect((await changes).status).toBe(0);
});
