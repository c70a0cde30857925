/** When links end under credentials that end themselves, whichever way those were come by. */
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { startCredentialServer } from "../servers/credential-server.ts";
import type { CredentialServer } from "../servers/credential-server.ts";
import { NO_KEYS, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { firstOf } from "./support.ts";
import type { Item } from "./support.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KEYS = { accessKeyId: "ASIATEMPORARY0000001", secretAccessKey: "a-secret/for+a-while" };
const TOKEN = "the-token-of-a-session";
const KEY = "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a.txt";

let world: S3World;

/** In whole seconds, as some who hand out credentials have it. */
function inMs(ms: number): Date {
  return new Date(Math.floor((Date.now() + ms) / 1000) * 1000);
}

async function open(sessionToken?: string): Promise<void> {
  world = await createS3World({ users: [{ ...KEYS, ...(sessionToken === undefined ? {} : { sessionToken }) }] });
  world.s3.plant("acme", KEY, "hello");
}

type Env = Readonly<Record<string, string | undefined>>;

/** The end of a link, in minutes from now; `null` where nobody knows. */
async function endOf(
  expires: string,
  env: Env,
): Promise<{ minutes: number | null; limitedBy: unknown; warned: boolean }> {
  const { status, document } = await world.json(["attach", "presign", KEY, "--expires", expires], { env });
  expect({ status, errors: document["errors"] as unknown }).toEqual({ status: 0, errors: [] });
  const { expiresAt, limitedBy, url } = firstOf(document) as Item & { url: string; expiresAt: string | null };
  expect((await fetch(url)).status).toBe(200);
  return {
    minutes: expiresAt === null ? null : Math.round((Date.parse(expiresAt) - Date.now()) / MINUTE),
    limitedBy,
    warned: document["warnings"].length > 0,
  };
}

async function exactly(expires: string, env: Env): Promise<number> {
  return (await world.run(["attach", "presign", KEY, "--expires", expires, "--exact"], { env })).status;
}

describe("keys of the environment", () => {
  test.each([
    ["never end", null, false, "7d", { minutes: 7 * 24 * 60, limitedBy: "request" }],
    ["end in 10 minutes", 10 * MINUTE, true, "1h", { minutes: 10, limitedBy: "credentials" }],
    ["end in 10 minutes", 10 * MINUTE, true, "5m", { minutes: 5, limitedBy: "request" }],
    ["end in 12 hours", 12 * HOUR, true, "1h", { minutes: 60, limitedBy: "request" }],
    ["end in 12 hours", 12 * HOUR, true, "7d", { minutes: 720, limitedBy: "credentials" }],
    ["end some time", null, true, "1m", { minutes: null, limitedBy: "credentials" }],
  ])("that %s: a link is as long as they are", async (_, ms, isSession, expires, wanted) => {
    await open(isSession ? TOKEN : undefined);
    const env = {
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
      ...(isSession ? { AWS_SESSION_TOKEN: TOKEN } : {}),
      ...(ms === null ? {} : { AWS_CREDENTIAL_EXPIRATION: inMs(ms).toISOString() }),
    };
    const limited = wanted.limitedBy === "credentials";
    expect(await endOf(expires, env)).toEqual({ ...wanted, warned: limited });
    expect(await exactly(expires, env)).toBe(limited ? 9 : 0);
  });

  test("that have ended sign nothing: exit 4, without a request", async () => {
    await open(TOKEN);
    const env = { AWS_SESSION_TOKEN: TOKEN, AWS_CREDENTIAL_EXPIRATION: inMs(-MINUTE).toISOString() };
    const { status, stdout, stderr } = await world.run(["attach", "presign", KEY, "--no-check"], { env });
    expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
    expect(stderr).toMatch(/the credentials ended at .*\nhint: sign in again/);
    await world.write("a.txt", "x");
    expect((await world.run(["attach", "upload", "T-1", "a.txt", "--link"], { env })).status).toBe(4);
    expect(world.s3.requests).toEqual([]);
  });
});

describe("a profile or a machine's role", () => {
  let server: CredentialServer;

  beforeEach(async () => {
    await open(TOKEN);
    server = await startCredentialServer({ ...KEYS, sessionToken: TOKEN });
    onTestFinished(() => server.close());
    // What the SDK reads by itself, it reads from the process's own environment.
    const files = {
      HOME: world.home,
      AWS_CONFIG_FILE: await world.write("aws-config", server.config),
      AWS_SHARED_CREDENTIALS_FILE: path.join(world.home, "none"),
    };
    for (const [name, value] of Object.entries({ ...files, ...server.env })) vi.stubEnv(name, value);
    await world.write(`../home/.aws/sso/cache/${server.ssoFile.name}`, server.ssoFile.content);
  });

  afterEach(() => vi.unstubAllEnvs());

  const WAYS = ["role", "sso", "process", "container", "instance"] as const;

  function signIn(way: (typeof WAYS)[number]): Env {
    if (way !== "container" && way !== "instance") return { ...NO_KEYS, AWS_PROFILE: way };
    for (const [name, value] of Object.entries(server[way])) vi.stubEnv(name, value);
    return NO_KEYS;
  }

  test.each(WAYS)("%s: its end is the link's", async (way) => {
    const env = signIn(way);
    server.ends = [inMs(12 * HOUR)];
    expect(await endOf("1h", env)).toEqual({ minutes: 60, limitedBy: "request", warned: false });
    expect(await endOf("7d", env)).toEqual({ minutes: 720, limitedBy: "credentials", warned: true });
  });

  test.each(WAYS)("%s: what ends sooner is asked for anew before the link is cut short", async (way) => {
    const env = signIn(way);
    server.ends = [inMs(10 * MINUTE), inMs(12 * HOUR)];
    expect(await endOf("1h", env)).toEqual({ minutes: 60, limitedBy: "request", warned: false });
    expect(server.given).toBe(2);
    server.ends = [inMs(10 * MINUTE)];
    expect(await endOf("1h", env)).toEqual({ minutes: 10, limitedBy: "credentials", warned: true });
    expect(await exactly("1h", env)).toBe(9);
  });

  test("is asked for anew once, not for each of many links", async () => {
    const env = signIn("process");
    server.ends = [inMs(10 * MINUTE)];
    const { lines } = await world.run(["attach", "presign", "-", "--no-check"], { env, stdin: `${KEY}\n`.repeat(50) });
    expect(lines).toHaveLength(50);
    expect(server.given).toBe(2);
  });

  test("that can't be had anew signs as long as it lasts", async () => {
    const env = signIn("process");
    server.ends = [inMs(10 * MINUTE), null];
    expect(await endOf("1h", env)).toEqual({ minutes: 10, limitedBy: "credentials", warned: true });
    expect(server.ends).toEqual([null]);
  });

  test("that has ended signs nothing, though the SDK would go on with it: exit 4", async () => {
    const env = signIn("instance");
    server.ends = [inMs(-MINUTE)];
    const { status, stdout, stderr } = await world.run(["attach", "presign", KEY], { env });
    expect({ status, stdout, stderr }).toEqual({
      status: 4,
      stdout: "",
      stderr: expect.stringMatching(/ended at/) as unknown,
    });
  });
});
