/** When links end under credentials that end themselves, whichever way those were come by. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
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
  const START_URL = "https://acme.example/start";
  /** When what is handed out next ends; the last one goes on. */
  let ends: Date[];
  let given: number;

  const next = (): Date => {
    given += 1;
    return (ends.length > 1 ? ends.shift() : ends[0]) ?? new Date(0);
  };

  /** STS, the SSO portal and a container's agent, each as its API reference has it. */
  function answerTo(url: string): { type: string; text: string } {
    const { accessKeyId, secretAccessKey } = KEYS;
    const json = (value: object): { type: string; text: string } => ({
      type: "application/json",
      text: JSON.stringify(value),
    });
    if (url.startsWith("/federation/credentials")) {
      const roleCredentials = { accessKeyId, secretAccessKey, sessionToken: TOKEN, expiration: next().getTime() };
      return json({ roleCredentials });
    }
    if (url === "/container") {
      const keys = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: TOKEN };
      return json({ ...keys, Expiration: next().toISOString() });
    }
    if (url === "/process") {
      const keys = { Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: TOKEN };
      return json({ ...keys, Expiration: next().toISOString() });
    }
    const xml = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>
      <AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser><Credentials>
      <AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>
      <SessionToken>${TOKEN}</SessionToken><Expiration>${next().toISOString()}</Expiration></Credentials>
      </AssumeRoleResult></AssumeRoleResponse>`;
    return { type: "text/xml", text: xml };
  }

  async function serveCredentials(): Promise<string> {
    const server = createServer((request, response) => {
      request.resume();
      const { type, text } = answerTo(request.url ?? "");
      response.writeHead(200, { "content-type": type }).end(text);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  beforeEach(async () => {
    given = 0;
    await open(TOKEN);
    const base = await serveCredentials();
    const config = `[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\nregion = us-east-1
[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = base
[profile sso]\nsso_start_url = ${START_URL}\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = r
[profile process]\ncredential_process = curl -sS ${base}/process\n`;
    // What the SDK reads by itself, it reads from the process's own environment.
    vi.stubEnv("HOME", world.home);
    vi.stubEnv("AWS_CONFIG_FILE", await world.write("aws-config", config));
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", path.join(world.home, "none"));
    vi.stubEnv("AWS_ENDPOINT_URL_STS", base);
    vi.stubEnv("AWS_ENDPOINT_URL_SSO", base);
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${base}/container`);
    await world.write(
      `../home/.aws/sso/cache/${createHash("sha1").update(START_URL).digest("hex")}.json`,
      JSON.stringify({ accessToken: "t", expiresAt: inMs(HOUR).toISOString() }),
    );
  });

  afterEach(() => vi.unstubAllEnvs());

  const WAYS: [string, Env][] = [
    ["an assumed role", { AWS_PROFILE: "role" }],
    ["a container's role", {}],
    ["single sign-on", { AWS_PROFILE: "sso" }],
    ["a program that gives keys", { AWS_PROFILE: "process" }],
  ];

  test.each(WAYS)("%s: its end is the link's, and the link's alone is asked for", async (_, env) => {
    ends = [inMs(12 * HOUR)];
    const all = { ...NO_KEYS, ...env };
    expect(await endOf("1h", all)).toEqual({ minutes: 60, limitedBy: "request", warned: false });
    expect(await endOf("7d", all)).toEqual({ minutes: 720, limitedBy: "credentials", warned: true });
  });

  test.each(WAYS)("%s that ends sooner is asked for anew before the link is cut short", async (_, env) => {
    const all = { ...NO_KEYS, ...env };
    ends = [inMs(10 * MINUTE), inMs(12 * HOUR)];
    expect(await endOf("1h", all)).toEqual({ minutes: 60, limitedBy: "request", warned: false });
    expect(given).toBe(2);
    ends = [inMs(10 * MINUTE)];
    expect(await endOf("1h", all)).toEqual({ minutes: 10, limitedBy: "credentials", warned: true });
    expect(await exactly("1h", all)).toBe(9);
  });
});
