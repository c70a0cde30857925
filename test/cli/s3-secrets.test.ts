/** Secrets that are given, or made of those, never come out: not in an error, not with --debug, not in JSON. */
import { expect, test } from "vitest";
import { flipByte, reply, silent } from "../servers/s3-double/faults.ts";
import type { FaultAction } from "../servers/s3-double/faults.ts";
import { BUCKET, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";

const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a.txt";
const GONE = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000002_gone.txt";
const USER = {
  accessKeyId: "ASIACANARY0000000001",
  secretAccessKey: "canary-secret/Zq8+Wd4",
  sessionToken: "canary-token//b3JpZ2luX2Vj+EXAMPLE==",
};
const SERVE_TOKEN = "canary-of-serve-4711";

async function scene(): Promise<S3World> {
  const world = await createS3World({ users: [USER] });
  await world.write("a.txt", "hello");
  world.s3.plant(BUCKET, KEY, "hello");
  world.s3.plant(BUCKET, GONE, "gone");
  world.s3.delete(BUCKET, GONE);
  world.s3.clear();
  return world;
}

const ENV = { AWS_SESSION_TOKEN: USER.sessionToken, TASKFLOW_TOKEN: SERVE_TOKEN, TASKFLOW_RETRY_FOR: "1s" };

const COMMANDS: readonly (readonly string[])[] = [
  ["list", "T-1", "-l"],
  ["upload", "T-1", "a.txt"],
  ["show", KEY],
  ["download", KEY, "-o", "out/", "--if-exists", "overwrite"],
  ["verify", KEY],
  ["undelete", GONE],
  ["delete", KEY, "--yes"],
  ["delete", GONE, "--purge", "--yes"],
  ["list", "nowhere", "--deleted"],
];

/** What a server may say that was sent all of it, and a library that quotes what it was given. */
const ECHO = [
  `token ${USER.sessionToken} secret ${USER.secretAccessKey} serve ${SERVE_TOKEN}`,
  `Authorization: AWS4-HMAC-SHA256 Credential=${USER.accessKeyId}/x, Signature=${"a".repeat(64)}`,
  `https://x/?X-Amz-Signature=${"b".repeat(64)}&X-Amz-Security-Token=${encodeURIComponent(USER.sessionToken)}`,
].join(" ");

const TROUBLES: Readonly<Record<string, FaultAction | null>> = {
  "nothing is wrong": null,
  "a refusal that repeats all of it": reply({ status: 403, code: "AccessDenied", message: ECHO }),
  "a code that nobody knows": reply({ status: 400, code: "Odd", message: ECHO }),
  "a signature that is wrong": reply({
    status: 403,
    body: `<Error><Code>SignatureDoesNotMatch</Code><Message>${ECHO.replaceAll("&", "&amp;")}</Message><AWSAccessKeyId>${USER.accessKeyId}</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256 x</StringToSign><SignatureProvided>${"c".repeat(64)}</SignatureProvided></Error>`,
  }),
  "a session that has ended": reply({ status: 400, code: "ExpiredToken", message: ECHO }),
  "a body that is no XML": reply({ status: 200, headers: { "content-type": "application/xml" }, body: `<${ECHO}` }),
  "bytes that change": flipByte(1),
};

test.each(Object.entries(TROUBLES))("F44 %s", async (_, action) => {
  const world = await scene();
  if (action !== null) world.s3.fault({}, action);
  for (const options of [["--debug"], ["--debug", "--json"], ["--ndjson"], []]) {
    for (const words of COMMANDS) {
      const { stdout, stderr } = await world.run(["attach", ...words, ...options], { env: ENV });
      expectNoSecret(world, `${stdout}\n${stderr}`, [...words, ...options]);
    }
  }
});

test("F44 a link is on stdout and nowhere else", async () => {
  const world = await scene();
  const { stdout, stderr } = await world.run(["attach", "presign", KEY, "--debug"], { env: ENV });
  expect(stdout).toMatch(/X-Amz-Signature=[0-9a-f]{64}/);
  expect(stdout).not.toContain(USER.secretAccessKey);
  expectNoSecret(world, stderr, ["presign"]);
});

test("F44 a server that is silent", async () => {
  const world = await scene();
  world.s3.fault({}, silent());
  const stop = new AbortController();
  const running = world.run(["attach", "list", "T-1", "--debug"], { env: ENV, signal: stop.signal });
  await world.s3.arrival({});
  stop.abort();
  const { stdout, stderr } = await running;
  expectNoSecret(world, stdout + stderr, ["list"]);
});

test("F44 what the settings say of secrets", async () => {
  const world = await scene();
  for (const words of [
    ["config", "list", "--origin"],
    ["config", "list", "--json"],
    ["config", "get", "AWS_SESSION_TOKEN"],
  ]) {
    const { stdout, stderr } = await world.run(words, { env: ENV });
    expectNoSecret(world, stdout + stderr, words);
  }
});

function expectNoSecret({ s3 }: S3World, text: string, words: readonly string[]): void {
  const signatures = s3.requests.map(
    ({ headers }) => /Signature=(\w+)/.exec(headers["authorization"] ?? "")?.[1] ?? "",
  );
  const secrets = [
    USER.secretAccessKey,
    USER.sessionToken,
    encodeURIComponent(USER.sessionToken),
    SERVE_TOKEN,
    ...["a", "b", "c"].map((letter) => letter.repeat(64)),
    ...signatures.filter((signature) => signature !== ""),
  ];
  const found = secrets.filter((secret) => text.includes(secret));
  expect({ words, found, text: found.length === 0 ? "" : text }).toEqual({ words, found: [], text: "" });
}
