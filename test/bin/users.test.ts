/** What another user, or nobody, may do: root is above file modes, so these run as a user without any rights. */
import { chmod, chown, copyFile, cp, mkdir, mkdtemp, realpath, rm, stat, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hasTool, isRoot } from "../tools.ts";
import { ROOT, createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

const NOBODY = 65_534;
const AS_NOBODY = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

/** taskflow and node where everybody may read them: a checkout or a Node under /root is closed to others. */
let open: string;
beforeAll(async () => {
  open = await realpath(await mkdtemp(path.join(tmpdir(), "taskflow-open-")));
  await cp(path.join(ROOT, "bin"), path.join(open, "bin"), { recursive: true });
  await cp(path.join(ROOT, "dist"), path.join(open, "dist"), { recursive: true });
  await chmod(open, 0o755);
  const mayRun = spawnSync("setpriv", [...AS_NOBODY.slice(1), process.execPath, "--version"]).status === 0;
  if (!mayRun) await copyFile(process.execPath, path.join(open, "bin/node"));
});
afterAll(() => rm(open, { recursive: true, force: true }));

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
  await chmod(path.dirname(sandbox.cwd), 0o755);
  for (const folder of [sandbox.cwd, path.join(sandbox.cwd, ".git"), sandbox.home]) await chown(folder, NOBODY, NOBODY);
  await writeFile(sandbox.path("a.txt"), "a");
});

function asNobody(script: string) {
  const PATH = `${open}/bin:${sandbox.env.PATH ?? ""}`;
  return sandbox.bash(script, { through: AS_NOBODY, env: { PATH } });
}

async function modes(folder: string): Promise<string[]> {
  const { stdout } = await sandbox.bash(`find ${folder} -printf '%y %m\\n' | sort -u`);
  return stdout.trim().split("\n");
}

describe.skipIf(!hasTool("setpriv") || !isRoot())("a user without rights", () => {
  test("gets exit 5 for a file that may not be read, and no store is made for it", async () => {
    await chmod(sandbox.path("a.txt"), 0);
    const { status, stderr } = await asNobody("taskflow attach upload T-1 a.txt");
    expect(status).toBe(5);
    expect(stderr).toMatch(/^error: permission denied: .*a\.txt\nhint: /);
    expect(await sandbox.files()).toEqual(["a.txt"]);
  });

  test("gets exit 7 where one of several may not be read", async () => {
    await writeFile(sandbox.path("secret.txt"), "s", { mode: 0 });
    const { status, stdout } = await asNobody("taskflow attach upload T-1 secret.txt a.txt");
    expect(status).toBe(7);
    expect(stdout).toMatch(/_a\.txt\n$/);
  });

  test.each(["tasks", "tasks/T-1", ".taskflow/tmp", ".taskflow/meta/T-1"])(
    "gets exit 5 where %s of the store may not be written, and nothing is changed",
    async (folder) => {
      await asNobody("taskflow attach upload T-1 a.txt");
      const before = await sandbox.files("uploads");
      await chmod(sandbox.path("uploads", folder), 0o500);
      const upload = await asNobody(`taskflow attach upload ${folder === "tasks" ? "T-2" : "T-1"} a.txt`);
      expect(upload.status).toBe(5);
      expect(upload.stderr).toContain("permission denied");
      expect(await sandbox.files("uploads")).toEqual(before);
      expect((await asNobody("taskflow attach download T-1 a.txt -o copy.txt")).status).toBe(0);
    },
  );

  test("gets exit 5 for a delete that the store's folder does not allow", async () => {
    await asNobody("taskflow attach upload T-1 a.txt");
    const before = await sandbox.files("uploads");
    await chmod(sandbox.path("uploads/tasks/T-1"), 0o500);
    expect((await asNobody("taskflow attach delete T-1 a.txt")).status).toBe(5);
    expect((await sandbox.files("uploads")).filter((name) => name.startsWith("tasks/"))).toEqual(
      before.filter((name) => name.startsWith("tasks/")),
    );
  });

  test("gets exit 5 where the store may not be looked into, or not be made", async () => {
    await asNobody("taskflow attach upload T-1 a.txt");
    await chmod(sandbox.path("uploads"), 0);
    expect((await asNobody("taskflow attach list")).status).toBe(5);
    await mkdir(sandbox.path("closed"), { mode: 0o755 });
    const upload = await asNobody("taskflow attach upload T-1 a.txt --store closed/store");
    expect(upload.status).toBe(5);
    expect(upload.stderr).toContain("permission denied");
  });

  test("gets exit 5 for a download into a folder that may not be written, and the file is not begun", async () => {
    await asNobody("taskflow attach upload T-1 a.txt");
    await mkdir(sandbox.path("closed"), { mode: 0o755 });
    const { status, stderr } = await asNobody("taskflow attach download T-1 a.txt -o closed/");
    expect(status).toBe(5);
    expect(stderr).toContain("closed");
    expect(await sandbox.files("closed")).toEqual([]);
  });

  test("is warned of a store that others may write to, or that is another's", async () => {
    await asNobody("taskflow attach upload T-1 a.txt");
    await chmod(sandbox.path("uploads"), 0o777);
    const open = await asNobody("taskflow attach list T-1");
    expect(open).toMatchObject({ status: 0 });
    expect(open.stderr).toContain("can be written by others (mode 0777): chmod 700");
    await chmod(sandbox.path("uploads"), 0o700);
    const foreign = await sandbox.run(["attach", "list", "T-1"]);
    expect(foreign).toMatchObject({ status: 0 });
    expect(foreign.stderr).toContain(`belongs to another user (uid ${NOBODY})`);
  });

  test.each(["000", "022", "077", "0777"])("makes a store of 0700 and 0600 whatever the umask: %s", async (umask) => {
    const upload = await asNobody(`umask ${umask}; taskflow attach upload T-1 a.txt`);
    expect(upload.status).toBe(0);
    expect(await modes("uploads")).toEqual(["d 700", "f 600"]);
    expect((await asNobody(`umask ${umask}; taskflow attach delete T-1 a.txt`)).status).toBe(0);
    expect(await modes("uploads")).toEqual(["d 700", "f 600"]);
  });

  test("writes downloads as open as the umask says", async () => {
    await asNobody("taskflow attach upload T-1 a.txt");
    await asNobody("umask 027; taskflow attach download T-1 a.txt -o copy.txt");
    expect((await stat(sandbox.path("copy.txt"))).mode & 0o777).toBe(0o640);
  });
});
