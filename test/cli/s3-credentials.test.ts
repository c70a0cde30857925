/** Credentials that the SDK fetches or a store refuses: which they are, that they ended, and how to get others. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { BUCKET, NO_KEYS, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The SDK reads AWS's files by itself: HOME and the files' places of this test's own. */
async function withProfiles(config: string): Promise<S3World> {
  const world = await createS3World();
  vi.stubEnv("HOME", world.home);
  vi.stubEnv("AWS_CONFIG_FILE", await world.write("aws-config", config));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", await world.write("aws-credentials", ""));
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  return world;
}

async function failed(world: S3World, words: readonly string[] = []): Promise<string> {
  const { status, stdout, stderr } = await world.run(["attach", "list", "T-1", ...words], { env: NO_KEYS });
  expect({ status, stdout, stderr }).toEqual({ status: 4, stdout: "", stderr });
  return stderr;
}

test("F24 no credentials anywhere", async () => {
  const world = await withProfiles("");
  expect(await failed(world)).toMatch(/there are no AWS credentials\nhint: set AWS_ACCESS_KEY_ID/);
});

test("F24 a profile that isn't there", async () => {
  const world = await withProfiles("");
  expect(await failed(world, ["--profile", "work"])).toMatch(
    /profile work gives no credentials: .*\nhint: aws configure/,
  );
});

const START_URL = "https://example.awsapps.com/start";
const SSO = `[profile work]
sso_start_url = ${START_URL}
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = Attachments
region = us-east-1
`;

test("F24 a sign-in that was never made, or has ended, says how to sign in again", async () => {
  const world = await withProfiles(SSO);
  const signIn = /the sign-in of profile work has ended\nhint: aws sso login --profile work/;
  expect(await failed(world, ["--profile", "work"])).toMatch(signIn);
  const name = createHash("sha1").update(START_URL).digest("hex");
  await world.write(
    `../home/.aws/sso/cache/${name}.json`,
    JSON.stringify({ startUrl: START_URL, region: "us-east-1", accessToken: "t", expiresAt: "2020-01-01T00:00:00Z" }),
  );
  expect(await failed(world, ["--profile", "work"])).toMatch(signIn);
});

test("F24 a sign-in of a named session that has ended", async () => {
  const session = `[sso-session acme]\nsso_start_url = ${START_URL}\nsso_region = us-east-1\n`;
  const world = await withProfiles(
    `${session}${SSO.replace(/sso_start_url.*\nsso_region.*\n/, "sso_session = acme\n")}`,
  );
  const name = createHash("sha1").update("acme").digest("hex");
  const token = { startUrl: START_URL, region: "us-east-1", accessToken: "t", expiresAt: "2020-01-01T00:00:00Z" };
  await world.write(`../home/.aws/sso/cache/${name}.json`, JSON.stringify(token));
  expect(await failed(world, ["--profile", "work"])).toMatch(
    /the sign-in of profile work has ended\nhint: aws sso login/,
  );
});

const ROLE = `[profile base]
aws_access_key_id = AKIABASE000000000001
aws_secret_access_key = base-secret-of-the-role
[profile role]
role_arn = arn:aws:iam::123456789012:role/attachments
source_profile = base
region = us-east-1
`;

/** STS, which answers this and nothing else. */
async function stsWith(status: number, code: string, message: string): Promise<void> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  vi.stubEnv("AWS_ENDPOINT_URL_STS", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

test("F24 a role that may not be taken names caller, action and role", async () => {
  const world = await withProfiles(ROLE);
  const [user, role] = ["arn:aws:iam::123456789012:user/ada", "arn:aws:iam::123456789012:role/attachments"];
  await stsWith(403, "AccessDenied", `User: ${user} is not authorized to perform: sts:AssumeRole on resource: ${role}`);
  const stderr = await failed(world, ["--profile", "role"]);
  expect(stderr).toContain(`${user} may not sts:AssumeRole on ${role}`);
});

test.each([
  ["ExpiredToken", 403, /the credentials have ended\nhint: sign in again/],
  ["ExpiredTokenException", 400, /the credentials have ended\nhint: sign in again/],
  ["InvalidClientTokenId", 403, /AWS doesn't know the access key .*\nhint: check the keys of the source_profile/],
])("F24 STS says %s to the profile that the role is taken with", async (code, status, said) => {
  const world = await withProfiles(ROLE);
  await stsWith(status, code, "The security token included in the request is not valid");
  const stderr = await failed(world, ["--profile", "role"]);
  expect(stderr).toMatch(said);
  expect(stderr).not.toContain("base-secret");
});

test("F24 a program that gives credentials and fails is named by its profile", async () => {
  const world = await withProfiles("[profile tool]\ncredential_process = sh -c 'echo canary-of-the-tool; exit 3'\n");
  const stderr = await failed(world, ["--profile", "tool", "--debug"]);
  expect(stderr).toContain("profile tool gives no credentials: its command failed\n");
  expect(stderr).not.toContain("canary-of-the-tool");
});

const KEYS = { accessKeyId: "ASIATEMPORARY0000001", secretAccessKey: "s".repeat(40), sessionToken: "of-this-session" };

test("F24 a session that has ended, and a token of another", async () => {
  const world = await createS3World({ users: [{ ...KEYS, expiresAt: new Date(Date.now() - 1000) }] });
  const list = (token: string | undefined): ReturnType<S3World["run"]> =>
    world.run(["attach", "list", "T-1"], { env: { AWS_SESSION_TOKEN: token } });
  const ended = await list(KEYS.sessionToken);
  expect(ended).toMatchObject({ status: 4, stdout: "" });
  expect(ended.stderr).toMatch(/the credentials have ended\nrequest id: .*\nhint: sign in again/);
  const another = await list("of-another-session");
  expect(another).toMatchObject({ status: 4, stdout: "" });
  expect(another.stderr).toMatch(/the session token is not valid\nrequest id: .*\nhint: set AWS_SESSION_TOKEN/);
  const none = await list(undefined);
  expect(none).toMatchObject({ status: 4, stdout: "" });
  expect(world.s3.keys(BUCKET)).toEqual([]);
});

test.each(["yesterday", "2h", "2026-02-30"])(
  "AWS_CREDENTIAL_EXPIRATION=%s is refused, and an age isn't advised",
  async (end) => {
    const world = await createS3World();
    const { status, stderr } = await world.run(["attach", "list", "T-1"], { env: { AWS_CREDENTIAL_EXPIRATION: end } });
    expect(status).toBe(5);
    expect(stderr).toMatch(/^error: AWS_CREDENTIAL_EXPIRATION=.* in the environment: .*\nhint: write \S+ or \S+Z\n$/);
  },
);
