/** Disks that are full or read-only, and limits of the process: exit 6, nothing half there, the rest untouched. */
import { writeFile } from "node:fs/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { resetBefore } from "../servers/s3-double/faults.ts";
import { startS3Double } from "../servers/s3-double/server.ts";
import type { S3Double } from "../servers/s3-double/server.ts";
import { hasTool, isRoot } from "../tools.ts";
import { createSandbox } from "./support.ts";
import type { Sandbox } from "./support.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox();
  await writeFile(sandbox.path("a.txt"), "a");
  await writeFile(sandbox.path("large.bin"), Buffer.alloc(6_000_000));
});

/** Runs a script where mounts are its own and end with it. */
function withMounts(script: string, env: Readonly<Record<string, string>> = {}) {
  return sandbox.bash(`set -e; mkdir -p disk; ${script}`, {
    env,
    through: ["unshare", "--mount", "--propagation=private"],
  });
}

const STATUS = 'taskflow attach "$@" && status=0 || status=$?; echo "status $status"';

describe.skipIf(!hasTool("unshare") || !hasTool("mount") || !isRoot())("a disk", () => {
  test("that gets full during an upload is exit 6; what was stored before, and what fits, is stored", async () => {
    const { stdout, stderr } = await withMounts(`
      mount -t tmpfs -o size=4m tmpfs disk
      try() { ${STATUS}; }
      try upload T-1 a.txt --store disk/store
      try upload T-1 large.bin --store disk/store
      try upload T-1 large.bin a.txt --store disk/store
      try download T-1 --store disk/store -o out/ --if-exists rename
      find disk -name '*.part'
      find disk/store/tasks disk/store/.taskflow/meta -type f | wc -l`);
    expect(stdout.match(/^status \d+$/gm)).toEqual(["status 0", "status 6", "status 7", "status 0"]);
    expect(stderr).toMatch(/^error: cannot store tasks\/T-1\/[^ ]*_large\.bin: disk full .*\nhint: make room/m);
    expect(stdout).not.toContain(".part");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("4");
  });

  test("that gets full during a download is exit 6, and the file is not there", async () => {
    const { stdout, stderr } = await withMounts(`
      mount -t tmpfs -o size=4m tmpfs disk
      try() { ${STATUS}; }
      try upload T-1 large.bin
      try download T-1 large.bin -o disk/
      find disk -type f | wc -l`);
    expect(stdout).toMatch(/status 0\nstatus 6\n0\n$/);
    expect(stderr).toContain("the disk is full");
  });

  test("without inodes is exit 6 wherever they run out, and no attachment is half there", async () => {
    const { stdout } = await withMounts(`
      for inodes in 2 3 4 5 6 7 8 9 10 11 12 13 14; do
        mount -t tmpfs -o size=4m,nr_inodes=$inodes tmpfs disk
        taskflow attach upload T-1 a.txt --store disk/store > /dev/null 2> said && status=0 || status=$?
        parts=$(find disk -name '*.part' | wc -l)
        named=$(find disk -path '*/tasks/T-1/*' | wc -l)
        recorded=$(find disk -path '*/meta/T-1/*' | wc -l)
        echo "$status: $parts parts, $named named, $recorded recorded, $(grep -c 'disk full' said) said"
        umount disk
      done`);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(13);
    expect(new Set(lines)).toEqual(
      new Set(["6: 0 parts, 0 named, 0 recorded, 1 said", "0: 0 parts, 1 named, 1 recorded, 0 said"]),
    );
  });

  test("that is read-only is exit 6 for changes; listing and downloading go on", async () => {
    const { stdout, stderr } = await withMounts(`
      try() { ${STATUS}; }
      try upload T-1 a.txt
      mount --bind uploads uploads; mount -o remount,ro,bind uploads
      try upload T-1 a.txt; try delete T-1 a.txt
      try list T-1; try show T-1 a.txt; try download T-1 a.txt -o copy.txt; cmp a.txt copy.txt`);
    expect(stdout.match(/^status \d+$/gm)?.join(" ")).toBe("status 0 status 6 status 6 status 0 status 0 status 0");
    expect(stderr.match(/the file system is read-only/g)).toHaveLength(2);
  });
});

describe.skipIf(!hasTool("unshare") || !hasTool("mount") || !isRoot())("a disk under the state folder", () => {
  async function bucket(): Promise<{ s3: S3Double; env: Readonly<Record<string, string>> }> {
    const s3 = await startS3Double({ buckets: { acme: {} } });
    onTestFinished(() => s3.close());
    await writeFile(sandbox.path("nine.bin"), Buffer.alloc(9_000_000));
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = s3.credentials;
    return {
      s3,
      env: {
        TASKFLOW_STORE: "s3://acme",
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY,
        XDG_STATE_HOME: sandbox.path("disk/state"),
      },
    };
  }

  const FULL = `mount -t tmpfs -o size=64k tmpfs disk
    cat /dev/zero > disk/filler 2> filled || true`;
  const READ_ONLY = "mount -t tmpfs -o ro tmpfs disk";

  test.each([
    ["full", FULL, /can't be noted at \/\S+\/disk\/state\/taskflow\/uploads: ENOSPC$/m],
    ["read-only", READ_ONLY, /can't be noted at \/\S+\/disk\/state: EROFS$/m],
  ])("that is %s: a large upload is stored, with a warning that tells why it can't be noted", async (_, disk, said) => {
    const { s3, env } = await bucket();
    const script = `${disk}; taskflow attach upload T-1 nine.bin; find disk -path '*uploads/*'`;
    const { status, stdout, stderr } = await withMounts(script, env);
    expect({ status, stdout, stderr }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\S+\n$/) as unknown,
    });
    expect(stderr).toMatch(said);
    expect(s3.keys("acme")).toEqual([stdout.trimEnd()]);
  });

  test.each([
    ["full", FULL],
    ["read-only", READ_ONLY],
  ])("that is %s: a large upload that fails leaves no parts, for none could go on with it", async (_, disk) => {
    const { s3, env } = await bucket();
    s3.fault({ operation: "UploadPart" }, resetBefore());
    const script = `${disk}; taskflow attach upload T-1 nine.bin --retry-for 1s`;
    const { status, stderr } = await withMounts(script, env);
    expect({ status, stderr }).toMatchObject({ status: 6 });
    expect(stderr).not.toContain("are there");
    expect(s3.uploads("acme")).toEqual([]);
  });

  test.each([
    ["full", FULL, /: ENOSPC.*\nhint: make room there/],
    ["read-only", READ_ONLY, /\/disk\/state\/.*: EROFS: read-only file system.*\nhint: /],
  ])("that is %s: stdin that has to be kept there is exit 6, which names the place", async (_, disk, said) => {
    const { s3, env } = await bucket();
    const script = `${disk}; taskflow attach upload T-1 - --name nine.bin < nine.bin`;
    const { status, stderr } = await withMounts(script, env);
    expect({ status, stderr }).toMatchObject({ status: 6 });
    expect(stderr).toMatch(/^error: cannot keep the input in \/\S+\/disk\/state\/taskflow\/spool\//);
    expect(stderr).toMatch(said);
    expect(s3.requests).toEqual([]);
  });
});

describe("limits of the process", () => {
  test("a file larger than `ulimit -f` is exit 6 on its way in and on its way out", async () => {
    const upload = await sandbox.bash("ulimit -f 100; taskflow attach upload T-1 large.bin");
    expect(upload.status).toBe(6);
    expect(upload.stderr).toContain("hint: raise ulimit -f");
    expect(await sandbox.files("uploads")).toEqual([".gitignore", ".taskflow/format"]);
    await sandbox.run(["attach", "upload", "T-1", "large.bin"]);
    const download = await sandbox.bash("ulimit -f 100; taskflow attach download T-1 large.bin -o copy.bin");
    expect(download.status).toBe(6);
    expect(download.stderr).toContain("`ulimit -f`");
    expect(await sandbox.files()).not.toContain("copy.bin");
  });

  test.each([22, 24, 28])(
    "%i descriptors are too few for many files at once: exit 6 or 7, never a fault",
    async (most) => {
      await sandbox.bash("mkdir in; for i in {1..40}; do echo $i > in/$i; done");
      const { status, stderr, stdout } = await sandbox.bash(`ulimit -n ${most}; taskflow attach upload T-1 in/*`);
      expect([6, 7]).toContain(status);
      expect(stderr).toContain("too many open files");
      // What was acknowledged is there, and nothing else.
      const keys = stdout.trim().split("\n").filter(Boolean).sort();
      const there = (await sandbox.files("uploads/tasks")).map((name) => `tasks/${name}`);
      expect(there).toEqual(keys);
      expect(await sandbox.files("uploads/.taskflow/tmp")).toEqual([]);
      expect(await sandbox.files("uploads/.taskflow/meta")).toHaveLength(keys.length);
    },
  );

  test("24 descriptors are enough for a single file, in and out", async () => {
    const script = "ulimit -n 24; taskflow attach upload T-1 large.bin && taskflow attach download T-1 -o out/";
    expect((await sandbox.bash(script)).status).toBe(0);
  });
});
