/** The built program and a bucket: what only a process of its own shows. */
import { createSocket } from "node:dgram";
import { readdirSync, readlinkSync } from "node:fs";
import { mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as later } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { hasTool, isRoot } from "../tools.ts";
import { silent } from "../servers/s3-double/faults.ts";
import { startS3Double } from "../servers/s3-double/server.ts";
import type { S3Double } from "../servers/s3-double/server.ts";
import { createSandbox, sizeOf, until } from "./support.ts";
import type { Running, Sandbox } from "./support.ts";

const MIB = 1024 * 1024;
const BUCKET = "acme";

interface Scene extends Sandbox {
  readonly s3: S3Double;
  readonly s3Env: Readonly<Record<string, string>>;
}

async function scene(): Promise<Scene> {
  const s3 = await startS3Double({ buckets: { [BUCKET]: { versioning: "Enabled" } } });
  onTestFinished(() => s3.close());
  const s3Env = {
    USE_S3: "true",
    AWS_S3_BUCKET: BUCKET,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  };
  return { ...(await createSandbox()), s3, s3Env };
}

/** Whatever is below HOME and in the folder for temporary files, but folders. */
async function leftOf(sandbox: Sandbox): Promise<string[]> {
  const below = async (folder: string): Promise<string[]> =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => !entry.isDirectory())
      .map(({ parentPath, name }) => path.join(parentPath, name));
  return [...(await below(sandbox.home)), ...(await below(sandbox.cwd))].filter((file) => !file.includes("/.git/"));
}

describe.skipIf(process.platform !== "linux")("stdin that is kept until it is whole", () => {
  /** Files that the process has open and nobody can open any more. */
  function unnamedFilesOf(pid: number): string[] {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        const file = readlinkSync(`/proc/${pid}/fd/${fd}`);
        return file.endsWith(" (deleted)") ? [file] : [];
      } catch {
        // Closed meanwhile.
        return [];
      }
    });
  }

  async function spooling(sandbox: Scene): Promise<Running> {
    // Under the widest umask there is: modes are our own.
    const through = ["sh", "-c", 'umask 0; exec "$@"', "sh"];
    const running = sandbox.start(["attach", "upload", "T-1", "-", "--name", "piped.log"], {
      env: { ...sandbox.s3Env, TMPDIR: sandbox.cwd },
      openStdin: true,
      through,
    });
    running.child.stdin?.write(Buffer.alloc(20 * MIB, "x"));
    await vi.waitFor(() => expect(unnamedFilesOf(running.pid)).toHaveLength(1), { timeout: 20_000 });
    return running;
  }

  test("is in a file that has no name, in a folder that is the user's alone", async () => {
    const sandbox = await scene();
    const running = await spooling(sandbox);
    const [file = ""] = unnamedFilesOf(running.pid);
    expect(path.dirname(file)).toBe(path.join(sandbox.home, ".local/state/taskflow/spool"));
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    expect(await leftOf(sandbox)).toEqual([]);
    running.child.stdin?.end();
    expect(await running.finished).toMatchObject({ status: 0 });
    expect(await leftOf(sandbox)).toEqual([]);
  });

  test.each(["SIGKILL", "SIGTERM"] as const)("leaves nothing after %s, here or in the bucket", async (signal) => {
    const sandbox = await scene();
    const running = await spooling(sandbox);
    running.child.kill(signal);
    expect((await running.finished).status).toBe(signal === "SIGTERM" ? 143 : null);
    expect(await leftOf(sandbox)).toEqual([]);
    expect(sandbox.s3.uploads(BUCKET)).toEqual([]);
    expect(sandbox.s3.versions(BUCKET)).toEqual([]);
  });

  test("that doesn't fit on the disk is exit 6, which names the place, and nothing is attached", async () => {
    const sandbox = await scene();
    await writeFile(sandbox.path("big.log"), Buffer.alloc(20 * MIB));
    const { status, stdout, stderr } = await sandbox.bash(
      "ulimit -f 12000; taskflow attach upload T-1 - --name piped.log < big.log",
      { env: sandbox.s3Env },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 6, stdout: "", stderr });
    expect(stderr).toMatch(/^error: cannot keep the input in .*\/taskflow\/spool\/.*: EFBIG/);
    expect(sandbox.s3.requests).toEqual([]);
  });

  test.skipIf(!isRoot() || !hasTool("unshare") || !hasTool("mount"))(
    "that fills the disk is exit 6, which says what to do, and leaves the disk as it was",
    async () => {
      const sandbox = await scene();
      await writeFile(sandbox.path("big.log"), Buffer.alloc(20 * MIB));
      const { status, stdout, stderr } = await sandbox.bash(
        `mkdir state; mount -t tmpfs -o size=12m tmpfs state
         taskflow attach upload T-1 - --name piped.log < big.log; echo "status $?"; find state -type f; df --output=used state | tail -1`,
        {
          env: { ...sandbox.s3Env, XDG_STATE_HOME: sandbox.path("state") },
          through: ["unshare", "--mount", "--propagation=private"],
        },
      );
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^status 6\n +0\n$/) as unknown });
      expect(stderr).toMatch(/^error: cannot keep the input in .*ENOSPC.*\nhint: make room there, or write the input/);
      expect(sandbox.s3.requests).toEqual([]);
    },
  );
});

test("a delete that is interrupted after it has deleted tells what is gone, and how it comes back", async () => {
  const sandbox = await scene();
  const { s3, s3Env: env } = sandbox;
  const keys = [1, 2].map((n) => `tasks/T-1/0b9c6f0e-0000-4000-8000-00000000000${n}_a`);
  for (const key of keys) s3.plant(BUCKET, key, "x");
  s3.fault({ operation: "GetBucketLifecycleConfiguration" }, silent());
  const deleted = s3.arrival({ operation: "DeleteObjects" });
  const running = sandbox.start(["attach", "delete", "T-1", "--all"], { env });
  await deleted;
  await vi.waitFor(() => expect(s3.keys(BUCKET)).toEqual([]), { timeout: 10_000 });
  await later(500);
  running.child.kill("SIGINT");
  const { status, stdout, stderr } = await running.finished;
  expect({ status, stdout }).toEqual({ status: 130, stdout: `${keys.join("\n")}\n` });
  expect(stderr).toMatch(/^deleted 2 attachments in s3:\/\/acme$/m);
  const undo = /^undo, limit unknown \(.*\): taskflow (attach undelete T-1 \S+ \S+)$/m.exec(stderr)?.[1] ?? "";
  expect((await sandbox.run(undo.split(" "), { env })).status).toBe(0);
  expect(s3.keys(BUCKET)).toEqual(keys);
});

test("a signal ends the wait for a server that is silent", async () => {
  const sandbox = await scene();
  sandbox.s3.fault({}, silent());
  const running = sandbox.start(["attach", "list", "T-1"], { env: sandbox.s3Env });
  await sandbox.s3.arrival({});
  running.child.kill("SIGINT");
  expect(await running.finished).toMatchObject({ status: 130, stdout: "" });
});

test.each([["list", "T-1"], ["presign", "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a"], ["doctor"]])(
  "a signal ends the wait for a program that gives no credentials: %s",
  async (...words) => {
    const sandbox = await scene();
    const pidFile = sandbox.path("pid");
    await mkdir(path.join(sandbox.home, ".aws"));
    await writeFile(
      path.join(sandbox.home, ".aws/config"),
      `[profile slow]\ncredential_process = sh -c 'echo $$ > ${pidFile}; exec sleep 600'\n`,
    );
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...env } = sandbox.s3Env;
    const running = sandbox.start(["attach", ...words], { env: { ...env, AWS_PROFILE: "slow" } });
    await until("the program was asked", () => sizeOf(pidFile) > 0);
    const pid = Number(await readFile(pidFile, "utf8"));
    onTestFinished(() => void process.kill(pid));
    running.child.kill("SIGINT");
    expect(await running.finished).toMatchObject({ status: 130 });
    expect(sandbox.s3.requests).toEqual([]);
  },
);

describe.skipIf(!isRoot() || !hasTool("unshare") || !hasTool("mount"))("names that nobody resolves", () => {
  test("F39 a resolver that is dead: exit 6 with the name, long before anybody gives up", async () => {
    const resolver = createSocket("udp4");
    await new Promise<void>((resolve) => void resolver.bind(53, "127.9.9.9", resolve));
    onTestFinished(() => void resolver.close());
    const sandbox = await scene();
    await writeFile(sandbox.path("resolv.conf"), "nameserver 127.9.9.9\noptions attempts:1\n");
    const begin = performance.now();
    const { status, stdout, stderr } = await sandbox.bash(
      "mount --bind resolv.conf /etc/resolv.conf && taskflow attach list T-1",
      {
        env: { ...sandbox.s3Env, AWS_ENDPOINT_URL_S3: "http://s3.example.test", TASKFLOW_RETRY_FOR: "1s" },
        through: ["unshare", "--mount", "--propagation=private"],
      },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 6, stdout: "", stderr });
    expect(stderr).toMatch(/^error: cannot list .*s3\.example\.test.*\nhint: check the network/m);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});
