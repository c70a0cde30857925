/** The built program and a network that fails, is away for a while, or drops what it can't carry. */
import { connect, createServer } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bytesOf } from "../conformance/bodies.ts";
import { cutBody, resetBefore } from "../servers/s3-double/faults.ts";
import { startS3Double } from "../servers/s3-double/server.ts";
import type { S3Double } from "../servers/s3-double/server.ts";
import { hasTool, isRoot } from "../tools.ts";
import { createSandbox } from "./support.ts";
import type { Finished, Sandbox } from "./support.ts";

const MiB = 1024 * 1024;
const BUCKET = "acme";
const BYTES = bytesOf(20 * MiB);
const ATTEMPTS = 5;

interface Scene {
  readonly s3: S3Double;
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  upload(...options: string[]): Promise<Finished>;
}

async function scene(): Promise<Scene> {
  const s3 = await startS3Double({ buckets: { [BUCKET]: {} } });
  onTestFinished(() => s3.close());
  const sandbox = await createSandbox();
  await writeFile(sandbox.path("large.bin"), BYTES);
  const env = {
    TASKFLOW_STORE: `s3://${BUCKET}`,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  };
  const upload = (...options: string[]): Promise<Finished> =>
    sandbox.run(["attach", "upload", "T-1", "large.bin", ...options], { env });
  return { s3, sandbox, env, upload };
}

function expectWhole(s3: S3Double): void {
  const [key = ""] = s3.keys(BUCKET);
  expect(Buffer.compare(s3.bytes(BUCKET, key) ?? Buffer.alloc(0), BYTES)).toBe(0);
  expect(s3.uploads(BUCKET)).toEqual([]);
}

test("a network that is away for longer than it is tried: exit 6, and the same command sends it", async () => {
  const { s3, upload } = await scene();
  const away = s3.fault({ operation: "UploadPart" }, resetBefore(100_000));
  const { status, stdout, stderr } = await upload("--retry-for", "2s");
  expect({ status, stdout }).toEqual({ status: 6, stdout: "" });
  expect(stderr).toMatch(/^error: .*\d times/m);
  expect(stderr, "no byte is there").not.toContain("are there");
  away.remove();
  const again = await upload();
  expect(again.status).toBe(0);
  expectWhole(s3);
});

test("--retry-for outlasts it", async () => {
  const { s3, upload } = await scene();
  const away = s3.fault({ operation: "UploadPart", times: 3 * (ATTEMPTS + 1) }, resetBefore(100_000));
  const { status, stderr } = await upload("--retry-for", "5m");
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(away.hits).toBe(3 * (ATTEMPTS + 1));
  expectWhole(s3);
});

test("a download that is cut goes on where it broke, however long that takes", async () => {
  const { s3, sandbox, env } = await scene();
  const key = "tasks/T-1/abc123_large.bin";
  s3.plant(BUCKET, key, BYTES);
  s3.fault({ operation: "GetObject", nth: 1 }, cutBody(5 * MiB));
  const away = s3.fault({ operation: "GetObject", times: ATTEMPTS + 1 }, resetBefore());
  const words = ["attach", "download", key, "-o", "back.bin", "--retry-for", "5m"];
  const { status, stderr } = await sandbox.run(words, { env });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(away.hits).toBe(ATTEMPTS + 1);
  const ranges = s3.requests.filter(({ status: answer }) => answer === 206).map(({ headers }) => headers["range"]);
  expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d{6}-/)]);
  expect(Buffer.compare(await readFile(sandbox.path("back.bin")), BYTES)).toBe(0);
});

/** Carries what comes to a port on to a socket in the file system, which network namespaces share. */
const RELAY = `const net = require("node:net");
const server = net.createServer((client) => {
  const far = net.connect(process.argv[2]);
  client.pipe(far).pipe(client);
  for (const each of [client, far]) each.on("error", () => { client.destroy(); far.destroy(); });
});
server.listen(Number(process.argv[3]), "127.0.0.1", () => console.log("listening"));`;

test.skipIf(!isRoot() || !hasTool("unshare") || !hasTool("tc") || !hasTool("ip"))(
  "a narrow link that drops what it can't carry: whole in the bucket, and whole when it comes back",
  async () => {
    const { s3, sandbox, env } = await scene();
    const file = sandbox.path("far.sock");
    const far = createServer((near) => {
      const server = connect(Number(new URL(s3.endpoint).port), "127.0.0.1");
      near.pipe(server).pipe(near);
      for (const each of [near, server]) each.on("error", () => void (near.destroy(), server.destroy()));
    });
    await new Promise<void>((resolve) => void far.listen(file, resolve));
    onTestFinished(() => void far.close());
    await writeFile(sandbox.path("relay.cjs"), RELAY);
    const { status, stdout, stderr } = await sandbox.bash(
      `set -e; PATH=$PATH:/usr/sbin:/sbin
       ip link set lo mtu 1500 up
       tc qdisc add dev lo root tbf rate 60mbit burst 16kb limit 30kb
       node relay.cjs ${path.basename(file)} 8000 > said & relay=$!
       trap 'kill $relay' EXIT
       until grep -q listening said; do sleep 0.05; done
       taskflow attach upload T-1 large.bin
       taskflow attach download T-1 large.bin -o back.bin
       cmp large.bin back.bin
       tc -s qdisc show dev lo | grep -o 'dropped [0-9]*'`,
      { env: { ...env, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:8000" }, through: ["unshare", "--net"] },
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/dropped [1-9]\d*\n$/);
    expectWhole(s3);
  },
);
