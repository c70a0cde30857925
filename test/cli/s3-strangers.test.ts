/** What answers at the endpoint is another kind of server: it is told so, and nothing is taken for done or for empty. */
import { createServer } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";

const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a.txt";
const HTML = { "content-type": "text/html" };
const PAGE = "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\r\n";

interface Stranger {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

const STRANGERS: Readonly<Record<string, Stranger>> = {
  "a web server that has no such page": { status: 404, headers: { server: "nginx/1.22.1", ...HTML }, body: PAGE },
  "a login page of the network": { status: 200, headers: HTML, body: "<!doctype html><title>Welcome</title>" },
  "the way to a login page": { status: 302, headers: { ...HTML, location: "http://127.0.0.1:9/" }, body: PAGE },
  "a web server that moved": { status: 301, headers: { ...HTML, location: "https://127.0.0.1:9/" }, body: PAGE },
  "a proxy that forbids it": { status: 403, headers: HTML, body: "<html><h1>Forbidden by your company</h1></html>" },
  "an API of its own": { status: 404, headers: { "content-type": "application/json" }, body: '{"detail":"Not Found"}' },
  "an API that knows no PUT": {
    status: 405,
    headers: { "content-type": "application/json" },
    body: '{"detail":"Method Not Allowed"}',
  },
  "one that says yes to everything": { status: 200, headers: {}, body: "" },
};

async function endpointOf(stranger: Stranger, toPut: Stranger = stranger): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    const { status, headers, body } = request.method === "PUT" ? toPut : stranger;
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? "" : body);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("F26 what speaks no HTTP is not S3 either: exit 6", async () => {
  const world = await createS3World();
  const server = createTcpServer((socket) => socket.on("error", () => undefined).end("SSH-2.0-OpenSSH_9.2\r\n"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const env = { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const { status, stderr } = await world.run(["attach", "list", "T-1"], { env });
  expect({ status, stderr }).toEqual({
    status: 6,
    stderr: expect.stringContaining("what answered is not S3") as string,
  });
});

test.each(Object.entries(STRANGERS))("F26 %s is not S3, whatever is asked of it: exit 6", async (_, stranger) => {
  const world = await createS3World();
  await world.write("a.txt", "hello");
  const env = { AWS_ENDPOINT_URL_S3: await endpointOf(stranger) };
  for (const words of [
    ["list", "T-1"],
    ["list", "T-1", "--deleted"],
    ["upload", "T-1", "a.txt"],
    ["show", KEY],
    ["download", KEY, "-o", "out/"],
    ["verify", KEY],
    ["presign", KEY],
    ["delete", KEY, "--yes"],
    ["delete", KEY, "--purge", "--yes"],
    ["undelete", KEY],
  ]) {
    const { status, stdout, stderr } = await world.run(["attach", ...words], { env });
    expect({ words, status, stdout, stderr }).toEqual({ words, status: 6, stdout: "", stderr });
    expect(stderr).toMatch(/^error: cannot .*: what answered is not S3 \(http:\/\/127\.0\.0\.1:\d+\)\nhint: .*proxy/);
  }
});

test("F26 a web server for reading alone is not S3, and it is the upload that fails", async () => {
  const world = await createS3World();
  await world.write("a.txt", "hello");
  const missing = { status: 404, headers: HTML, body: PAGE };
  const env = { AWS_ENDPOINT_URL_S3: await endpointOf(missing, { ...missing, status: 501 }) };
  const { status, stdout, stderr } = await world.run(["attach", "upload", "T-1", "a.txt"], { env });
  expect({ status, stdout }).toEqual({ status: 6, stdout: "" });
  expect(stderr).toMatch(/^error: cannot store tasks\/T-1\/\S+_a\.txt: what answered is not S3/m);
});

test("F26 where nothing answers, a large upload can't be stored, rather than read", async () => {
  const world = await createS3World();
  await world.write("nine.bin", Buffer.alloc(9_000_000));
  await world.s3.close();
  const { status, stderr } = await world.run(["attach", "upload", "T-1", "nine.bin", "--retry-for", "1s"]);
  expect(status).toBe(6);
  expect(stderr).toMatch(/^error: cannot store tasks\/T-1\/\S+_nine\.bin: nothing answers at 127\.0\.0\.1:\d+/m);
});

test("a proxy that can't reach S3 is a failure of S3, which may pass", async () => {
  const world = await createS3World();
  const env = {
    AWS_ENDPOINT_URL_S3: await endpointOf({ status: 502, headers: HTML, body: "<html>Bad Gateway</html>" }),
    TASKFLOW_RETRY_FOR: "1s",
  };
  const { status, stderr } = await world.run(["attach", "list", "T-1"], { env });
  expect(status).toBe(6);
  expect(stderr).toMatch(/fails \(502/);
});

describe("the hint names what the endpoint was set by", () => {
  const NOWHERE = "http://127.0.0.1:9";
  const NETWORK = (origin: string): string => `hint: check the network and ${origin}\n`;

  async function hintOf(world: S3World, words: readonly string[], env: Readonly<Record<string, string>>) {
    const unset = { AWS_ENDPOINT_URL_S3: undefined, TASKFLOW_RETRY_FOR: "1s" };
    const { stderr } = await world.run(["attach", "list", "T-1", ...words], { env: { ...unset, ...env } });
    return /^hint: .*\n/m.exec(stderr)?.[0];
  }

  test("--endpoint, either variable, a .env, the user file", async () => {
    const world = await createS3World();
    expect(await hintOf(world, ["--endpoint", NOWHERE], {})).toBe(NETWORK("--endpoint"));
    for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
      expect(await hintOf(world, [], { [name]: NOWHERE })).toBe(NETWORK(`${name} in the environment`));
    }
    await world.run(["config", "set", "endpoint", NOWHERE]);
    expect(await hintOf(world, [], {})).toMatch(/^hint: check the network and endpoint in \/.*\/config\.json\n$/);
    const file = await world.write(".env", `\nAWS_ENDPOINT_URL=${NOWHERE}\n`);
    expect(await hintOf(world, [], {})).toBe(NETWORK(`AWS_ENDPOINT_URL in ${file} line 2`));
  });

  test("where another server answers", async () => {
    const world = await createS3World();
    const endpoint = await endpointOf({ status: 404, headers: HTML, body: PAGE });
    const said = "hint: a proxy or a login page may be in the way, or --endpoint names another kind of server\n";
    expect(await hintOf(world, ["--endpoint", endpoint], {})).toBe(said);
  });

  test("where there is no such bucket, and that the endpoint has a path", async () => {
    const world = await createS3World();
    const { endpoint } = world.s3;
    const missing = { AWS_S3_BUCKET: "nosuch" };
    const plain = "hint: check the bucket's name and --endpoint";
    expect(await hintOf(world, ["--endpoint", endpoint], missing)).toBe(`${plain}\n`);
    const below = await hintOf(world, ["--endpoint", `${endpoint}/path`], {});
    expect(below).toBe(`${plain}, which has the path /path\n`);
  });
});

describe("a proxy that is set, which is not used, is told where nothing is reached", () => {
  const PROXY = "http://127.0.0.1:9";
  const PLAIN = "hint: check the network and --endpoint";
  const told = (name: string): string => `${PLAIN}; ${name} is set, but taskflow uses no proxy`;

  async function hintOf(endpoint: string, env: Readonly<Record<string, string>>) {
    const world = await createS3World();
    const words = ["attach", "list", "T-1", "--endpoint", endpoint];
    const { status, stderr } = await world.run(words, { env: { ...env, TASKFLOW_RETRY_FOR: "1s" } });
    expect({ status, stderr }).toMatchObject({ status: 6 });
    return /^hint: .*$/m.exec(stderr)?.[0];
  }

  test("where it is the one of the endpoint's protocol", async () => {
    expect(await hintOf("https://s3.nowhere.invalid", { HTTPS_PROXY: PROXY })).toBe(told("HTTPS_PROXY"));
    expect(await hintOf("https://s3.nowhere.invalid", { HTTP_PROXY: PROXY })).toBe(PLAIN);
    expect(await hintOf("http://s3.nowhere.invalid", { HTTPS_PROXY: PROXY, http_proxy: PROXY })).toBe(
      told("http_proxy"),
    );
  });

  test("not for an endpoint that it isn't meant for", async () => {
    expect(await hintOf("https://s3.nowhere.invalid", { HTTPS_PROXY: PROXY, NO_PROXY: ".invalid" })).toBe(PLAIN);
    expect(await hintOf("https://127.0.0.1:9", { HTTPS_PROXY: PROXY })).toBe(PLAIN);
  });
});
