/** Full, read-only and split file systems: real mounts, in a mount namespace that ends with its process. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildChild } from "./build-child.ts";
import { freshPaths } from "./folders.ts";
import { need } from "./needs.ts";
import { run } from "./strace.ts";
import type { Ran } from "./strace.ts";
import { makeTemplate } from "./sweep-state.ts";

const fresh = freshPaths("mounts");
const NEW = "tasks/T-5/new";
const LIVE = "tasks/T-1/live";
const DELETED = "tasks/T-1/dead";

let template = "";
let child = "";

beforeAll(async () => {
  const parent = await fresh();
  await mkdir(parent);
  ({ child } = await buildChild(path.join(parent, "bin")));
  template = path.join(parent, "template");
  await makeTemplate(template, { live: [LIVE], deleted: [DELETED] });
});

beforeEach((context) => need(context, "root", "mounts"));

/** Runs shell lines in a namespace of their own, with `$store` an empty mount point, `$child` the program. */
async function inNamespace(...lines: readonly string[]): Promise<Ran> {
  const store = await fresh();
  await mkdir(store);
  const variables = [`store='${store}'`, `template='${template}'`, `child='${process.execPath} ${child}'`];
  return await run("unshare", ["-m", "sh", "-c", [...variables, ...lines].join("\n")]);
}

/** What is in staging, and what is visible of the new one. */
const LOOK = "find $store/.taskflow/tmp -type f; ls $store/tasks/T-5 2>/dev/null; true";

describe("a full disk", () => {
  test("while the bytes are written: exit 6, nothing stays, and there is room again", async () => {
    const { stdout, stderr } = await inNamespace(
      "mount -t tmpfs -o size=2m,mode=700 none $store && cp -r $template/. $store",
      // All but 32 KiB, less than the upload has.
      "head -c $(( $(df --output=avail -B1 $store | tail -1) - 32768 )) /dev/zero > $store/fill",
      `$child $store put ${NEW}; echo "exit $?"`,
      LOOK,
      `rm $store/fill; $child $store put ${NEW} ${LIVE}-2; echo "exit $?"`,
    );
    expect(stderr).toMatch(/^io: cannot store tasks\/T-5\/new: disk full \(\/.*\)\n$/);
    const lines = stdout.trim().split("\n");
    expect([lines[0], lines.at(-1), lines.slice(1, -1).toSorted()]).toEqual(["exit 6", "exit 0", [`${LIVE}-2`, NEW]]);
  });

  test("without inodes: exit 6 wherever they end, nothing stays, and what is there is whole", async () => {
    const results: string[] = [];
    for (let spare = 0; spare < 7; spare += 1) {
      const { stdout, stderr } = await inNamespace(
        `mount -t tmpfs -o mode=700,nr_inodes=$(( $(find $template | wc -l) + 1 + ${spare} )) none $store && cp -r $template/. $store`,
        `$child $store put ${NEW}; echo "exit $?"`,
        LOOK,
        `$child $store get ${LIVE} > /dev/null; echo "exit $?"`,
      );
      if (stdout.startsWith("exit 6")) expect(stderr).toMatch(/^io: cannot store tasks\/T-5\/new: disk full/);
      results.push(stdout.trim().replaceAll("\n", ", "));
    }
    const failed = results.filter((result) => result.startsWith("exit 6"));
    expect([...new Set(failed)]).toEqual(["exit 6, exit 0"]);
    expect(failed.length).toBeGreaterThanOrEqual(3);
    expect([...new Set(results)].filter((result) => !failed.includes(result))).toEqual([`${NEW}, exit 0, new, exit 0`]);
  });

  test("deleting and undeleting need only a directory", async () => {
    const { stdout, stderr } = await inNamespace(
      "mount -t tmpfs -o size=2m,mode=700 none $store && cp -r $template/. $store",
      "head -c 4000000 /dev/zero > $store/fill 2>/dev/null",
      `$child $store purge ${LIVE}; echo "exit $?"`,
      `$child $store undelete ${DELETED}; echo "exit $?"`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: `${LIVE}\nexit 0\n${DELETED}\nexit 0\n`, stderr: "" });
  });
});

describe("a read-only file system", () => {
  test("reads as ever; every change is exit 6 and says so", async () => {
    const { stdout, stderr } = await inNamespace(
      "mount --bind $template $store && mount -o remount,ro,bind $store",
      `$child $store get ${LIVE} > /dev/null; echo "get $?"`,
      ...[`put ${NEW}`, `delete ${LIVE}`, `undelete ${DELETED}`, `purge ${LIVE}`].map(
        (operation) => `$child $store ${operation}; echo "${operation.split(" ")[0] ?? ""} $?"`,
      ),
      "$child $store/more create; echo create $?",
    );
    expect(stdout).toBe("get 0\nput 6\ndelete 6\nundelete 6\npurge 6\ncreate 6\n");
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line).toMatch(/^io: cannot .*: the file system is read-only \(\/.*\)$/);
  });
});

describe("another file system mounted inside the store", () => {
  test.each(["tasks", ".taskflow"])(
    "at %s: changes are exit 6 with the reason, and nothing is half-done",
    async (inside) => {
      const outer = await fresh();
      await mkdir(outer);
      const { stdout, stderr } = await inNamespace(
        "mount -t tmpfs -o mode=700 none $store && cp -r $template/. $store",
        `mkdir $store/aside && mount -t tmpfs none $store/aside && mv $store/${inside} $store/aside/ && mkdir $store/${inside}`,
        `mount --bind $store/aside/${inside} $store/${inside}`,
        ...[`put ${NEW}`, `delete ${LIVE}`, `undelete ${DELETED}`].map(
          (operation) => `$child $store ${operation}; echo "${operation.split(" ")[0] ?? ""} $?"`,
        ),
        LOOK,
        `$child $store get ${LIVE} > /dev/null; echo "get $?"`,
      );
      expect(stdout).toBe("put 6\ndelete 6\nundelete 6\nget 0\n");
      const lines = stderr.trim().split("\n");
      expect(lines).toHaveLength(3);
      for (const line of lines)
        expect(line).toMatch(/^io: cannot .*: tasks and \.taskflow are on different file systems/);
    },
  );
});
