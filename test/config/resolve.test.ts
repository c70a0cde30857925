import path from "node:path";
import { describe, expect, test } from "vitest";
import { failure, project, UID } from "./project.ts";

const USER_FILE = ".config/taskflow/config.json";

describe("where a value comes from", () => {
  test("options, environment, .env, user file, default: the highest counts", async () => {
    const { write, settings, repo } = project();
    const userFile = write(USER_FILE, '{"retry-for":"1m"}');
    const origins: string[] = [];
    const values: unknown[] = [];
    const see = async (flags: object, env: Record<string, string>): Promise<void> => {
      const { get, origin } = await settings({ flags, env });
      values.push(get("retry-for"));
      origins.push(`${origin("retry-for").name}: ${origin("retry-for").text}`);
    };
    await see({}, {});
    const dotenv = write("repo/.env", "# retries\nTASKFLOW_RETRY_FOR=2m\n");
    await see({}, {});
    await see({}, { TASKFLOW_RETRY_FOR: "3m" });
    await see({ "retry-for": "4m" }, { TASKFLOW_RETRY_FOR: "3m" });
    expect(values).toEqual([60, 120, 180, 240]);
    expect(origins).toEqual([
      `retry-for: ${userFile}`,
      `TASKFLOW_RETRY_FOR: ${dotenv} line 2`,
      "TASKFLOW_RETRY_FOR: the environment",
      "--retry-for: the command line",
    ]);
    expect(repo).toBe(path.dirname(dotenv));
  });

  test("an unset setting is its default, or null", async () => {
    const { settings, home } = project();
    const { get, origin } = await settings();
    expect(get("retry-for")).toBe(60);
    expect(get("url")).toBe("http://127.0.0.1:8787");
    expect(get("url-key-file")).toBe(path.join(home, ".config/taskflow/url-key"));
    expect(get("max-size")).toBeNull();
    expect(origin("max-size")).toMatchObject({ source: "default", name: "TASKFLOW_MAX_SIZE" });
  });

  test("an empty variable counts as unset", async () => {
    const { write, settings } = project();
    write("repo/.env", "AWS_REGION=eu-central-1\nTASKFLOW_USER=\n");
    const { get } = await settings({ env: { AWS_REGION: "", TASKFLOW_USER: "" } });
    expect(get("region")).toBe("eu-central-1");
    expect(get("user")).toBeNull();
  });

  test("AWS_REGION comes before AWS_DEFAULT_REGION, but the environment before .env", async () => {
    const { write, settings } = project();
    write("repo/.env", "AWS_REGION=eu-west-1\nAWS_DEFAULT_REGION=eu-west-2\n");
    expect((await settings()).get("region")).toBe("eu-west-1");
    expect((await settings({ env: { AWS_DEFAULT_REGION: "us-east-2" } })).get("region")).toBe("us-east-2");
  });

  test("without HOME there are no user file and no place for the link key, and nothing else suffers", async () => {
    const { settings } = project();
    const { get, warnings } = await settings({ home: null });
    expect(get("retry-for")).toBe(60);
    expect(warnings).toEqual([]);
    const error = await failure(() => get("url-key-file"));
    expect(error.code).toBe("bad_config");
    expect(error.hint).toContain("TASKFLOW_URL_KEY_FILE");
  });
});

describe("paths", () => {
  test("of an option or the environment are relative to the working directory, of .env to that file", async () => {
    const { write, settings, repo } = project();
    const cwd = write("repo/a/b/");
    write("repo/.env", "TASKFLOW_URL_KEY_FILE=keys/link\nAWS_CA_BUNDLE=../ca.pem\nTASKFLOW_STORE=./files\n");
    const { get } = await settings({ cwd });
    expect(get("url-key-file")).toBe(path.join(repo, "keys/link"));
    expect(get("ca-file")).toBe(path.join(repo, "../ca.pem"));
    expect(get("store")).toEqual({ kind: "folder", path: path.join(repo, "files") });
    const over = await settings({ cwd, flags: { "ca-file": "x.pem" }, env: { TASKFLOW_URL_KEY_FILE: "k" } });
    expect(over.get("ca-file")).toBe(path.join(cwd, "x.pem"));
    expect(over.get("url-key-file")).toBe(path.join(cwd, "k"));
  });

  test("begin with HOME where they begin with ~/, which no shell has seen", async () => {
    const { settings, home } = project();
    const { get } = await settings({ flags: { store: "~/files" }, env: { AWS_CA_BUNDLE: "~/ca.pem" } });
    expect(get("store")).toEqual({ kind: "folder", path: path.join(home, "files") });
    expect(get("ca-file")).toBe(path.join(home, "ca.pem"));
    expect((await settings({ flags: { store: "~" } })).get("store")).toEqual({ kind: "folder", path: home });
  });

  test("are absolute in the user file", async () => {
    const { write, settings } = project();
    const file = write(USER_FILE, '{"ca-file":"ca.pem"}');
    const { get } = await settings();
    expect(await failure(() => get("ca-file"))).toMatchObject({
      code: "bad_config",
      message: `ca-file=ca.pem in ${file}: a relative path`,
    });
  });
});

describe("bad values", () => {
  test("stop only who asks for them", async () => {
    const { write, settings } = project();
    const file = write("repo/.env", "\nTASKFLOW_MAX_SIZE=10MB\n");
    const { get } = await settings();
    expect(get("region")).toBeNull();
    expect(await failure(() => get("max-size"))).toMatchObject({
      code: "bad_config",
      exit: 5,
      message: `TASKFLOW_MAX_SIZE=10MB in ${file} line 2: not a size`,
    });
  });

  test.each([
    ["USE_S3", "use-s3", "flase", "USE_S3=flase in the environment: neither true nor false"],
    ["AWS_REGION", "region", "evil.example/", "AWS_REGION=evil.example/ in the environment: not the name of a region"],
    [
      "TASKFLOW_ALLOWED_TYPES",
      "allowed-types",
      "png",
      "TASKFLOW_ALLOWED_TYPES=png in the environment: not a media type",
    ],
    [
      "AWS_ENDPOINT_URL",
      "endpoint",
      "http://169.254.169.254",
      "AWS_ENDPOINT_URL=http://169.254.169.254 in the environment: a link-local",
    ],
    ["AWS_ENDPOINT_URL_S3", "endpoint", "file:///x", "AWS_ENDPOINT_URL_S3=file:///x in the environment: not an http"],
    ["AWS_S3_BUCKET", "bucket", "s3://acme", "AWS_S3_BUCKET=s3://acme in the environment: not the name of a bucket"],
    ["AWS_S3_BUCKET", "bucket", "a b", "AWS_S3_BUCKET=a b in the environment: not the name of a bucket"],
    ["TASKFLOW_TOKEN", "token", "canary with spaces", "TASKFLOW_TOKEN in the environment: a token is printable ASCII"],
  ] as const)("%s: exit 5, naming variable and place", async (variable, name, text, message) => {
    const { settings } = project();
    const { get } = await settings({ env: { [variable]: text } });
    const error = await failure(() => get(name));
    expect(error.code).toBe("bad_config");
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("canary");
  });

  test.each([
    ["region", ""],
    ["endpoint", "host:9000"],
    ["store", "bare"],
    ["store", "s3:/x"],
    ["store", "s3://bucket/prefix"],
    ["store", ""],
    ["profile", ""],
  ] as const)("--%s %j of the command line: exit 2", async (name, text) => {
    const { settings } = project();
    const { get } = await settings({ flags: { [name]: text } });
    const error = await failure(() => get(name));
    expect(error).toMatchObject({ code: "usage", exit: 2 });
    expect(error.message.startsWith(`--${name}=`)).toBe(true);
  });
});

describe("credentials", () => {
  const KEYS = { AWS_ACCESS_KEY_ID: "AKIA1", AWS_SECRET_ACCESS_KEY: "secret1" };

  test("nothing set leaves the search to the SDK", async () => {
    expect((await project().settings()).credentials()).toEqual({ kind: "chain" });
  });

  test("environment keys win over AWS_PROFILE, --profile over both", async () => {
    const { settings } = project();
    const env = { ...KEYS, AWS_PROFILE: "work" };
    expect((await settings({ env })).credentials()).toMatchObject({ kind: "keys", accessKeyId: "AKIA1" });
    expect((await settings({ env: { AWS_PROFILE: "work" } })).credentials()).toMatchObject({ profile: "work" });
    const { credentials } = await settings({ env, flags: { profile: "mine" } });
    expect(credentials()).toMatchObject({ kind: "profile", profile: "mine", origin: { name: "--profile" } });
  });

  test("are one group from one source", async () => {
    const { write, settings } = project();
    write("repo/.env", "AWS_ACCESS_KEY_ID=AKIA2\nAWS_SECRET_ACCESS_KEY=secret2\nAWS_SESSION_TOKEN=token2\n");
    const { credentials } = await settings({ env: KEYS });
    expect(credentials()).toMatchObject({
      secretAccessKey: "secret1",
      sessionToken: null,
      origin: { source: "environment" },
    });
    const stale = await settings({ env: { AWS_SESSION_TOKEN: "token1" } });
    expect(stale.credentials()).toMatchObject({ secretAccessKey: "secret2", sessionToken: "token2" });
  });

  test("half of them is `no_credentials`, not the other half from elsewhere", async () => {
    const { write, settings } = project();
    write("repo/.env", "AWS_ACCESS_KEY_ID=AKIA2\nAWS_SECRET_ACCESS_KEY=secret2\n");
    const { credentials } = await settings({ env: { AWS_ACCESS_KEY_ID: "AKIA1" } });
    const error = await failure(() => credentials());
    expect(error).toMatchObject({ code: "no_credentials", exit: 4 });
    expect(error.message).toBe("AWS_ACCESS_KEY_ID is set in the environment, AWS_SECRET_ACCESS_KEY is not");
    const other = await settings({ env: { AWS_SECRET_ACCESS_KEY: "secret1" } });
    expect((await failure(() => other.credentials())).message).toBe(
      "AWS_SECRET_ACCESS_KEY is set in the environment, AWS_ACCESS_KEY_ID is not",
    );
  });

  test("the end of environment keys is known where it is given", async () => {
    const { settings } = project();
    const env = { ...KEYS, AWS_CREDENTIAL_EXPIRATION: "2026-11-23T21:00:00Z" };
    expect((await settings({ env })).credentials()).toMatchObject({ expiresAt: new Date("2026-11-23T21:00:00Z") });
    const { credentials } = await settings({ env: { ...KEYS, AWS_CREDENTIAL_EXPIRATION: "soon" } });
    expect(await failure(() => credentials())).toMatchObject({ code: "bad_config" });
  });
});

describe("an endpoint from .env", () => {
  const KEYS = "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\n";
  const REMOTE = "AWS_ENDPOINT_URL=https://minio.example\n";

  test("is used on loopback", async () => {
    const { write, settings } = project();
    write("repo/.env", "AWS_ENDPOINT_URL=http://localhost:9000/\n");
    expect((await settings()).get("endpoint")).toBe("http://localhost:9000");
  });

  test("is used with credentials from the same file", async () => {
    const { write, settings } = project();
    write("repo/.env", REMOTE + KEYS);
    expect((await settings()).get("endpoint")).toBe("https://minio.example");
  });

  test("is refused with credentials from anywhere else", async () => {
    const { write, settings } = project();
    const file = write("repo/.env", REMOTE);
    const message = `AWS_ENDPOINT_URL=https://minio.example in ${file} line 1: not used with credentials from elsewhere`;
    const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
    for (const input of [{}, { env }, { flags: { profile: "work" } }]) {
      const { get, entries } = await settings(input);
      expect(await failure(() => get("endpoint"))).toMatchObject({ code: "bad_config", message });
      expect(entries().find(({ name }) => name === "endpoint")?.problem).toContain("not used");
    }
    write("repo/.env", REMOTE + KEYS);
    for (const input of [{ env }, { flags: { profile: "work" } }]) {
      const { get } = await settings(input);
      expect((await failure(() => get("endpoint"))).code).toBe("bad_config");
    }
  });

  test("of the environment or an option is used in any case", async () => {
    const { settings } = project();
    expect((await settings({ env: { AWS_ENDPOINT_URL: "https://a.example" } })).get("endpoint")).toBe(
      "https://a.example",
    );
    expect((await settings({ flags: { endpoint: "https://b.example" } })).get("endpoint")).toBe("https://b.example");
  });
});

describe("config list", () => {
  test("shows every setting with its origin, bad ones with the problem, secrets hidden", async () => {
    const { write, settings } = project();
    write("repo/.env", "TASKFLOW_TOKEN=canary-token\nTASKFLOW_MAX_SIZE=10MB\nAWS_SECRET_ACCESS_KEY=canary-key\n");
    const { entries } = await settings({ env: { AWS_ENDPOINT_URL: "http://me:canary-pass@host" } });
    expect(JSON.stringify(entries())).not.toContain("canary");
    const shown = Object.fromEntries(entries().map((entry) => [entry.name, entry]));
    expect(shown["token"]).toMatchObject({ value: "[hidden]", problem: null, origin: { source: ".env" } });
    expect(shown["max-size"]).toMatchObject({ value: "10MB", problem: "not a size" });
    expect(shown["retry-for"]).toMatchObject({ value: "60s", origin: { source: "default" } });
    expect(shown["region"]).toMatchObject({ value: null });
  });
});

describe("warnings", () => {
  test("name misspelt variables of ours, and what .env can't set", async () => {
    const { write, settings } = project();
    const file = write("repo/.env", "TASKFLOW_STOER=./x\nAWS_CONFIG_FILE=./aws\nAWS_PAGER=less\n");
    const { warnings } = await settings({
      env: { TASKFLOW_MAXSIZE: "1", TASKFLOW_SOMETHING_ELSE: "1", TASKFLOW_USER: "ada" },
    });
    expect(warnings).toEqual([
      "TASKFLOW_MAXSIZE in the environment is not used: did you mean TASKFLOW_MAX_SIZE?",
      `TASKFLOW_STOER in ${file} line 1 is not used: did you mean TASKFLOW_STORE?`,
      `AWS_CONFIG_FILE in ${file} line 2 is not used: set it in the environment`,
    ]);
  });

  test.each([
    ["AWS_S3_BUKET", "AWS_S3_BUCKET"],
    ["AWS_S3BUCKET", "AWS_S3_BUCKET"],
    ["AWS_REGOIN", "AWS_REGION"],
    ["AWS_DEFUALT_REGION", "AWS_DEFAULT_REGION"],
    ["AWS_PROFLE", "AWS_PROFILE"],
    ["AWS_ACESS_KEY_ID", "AWS_ACCESS_KEY_ID"],
    ["AWS_SECRET_ACCES_KEY", "AWS_SECRET_ACCESS_KEY"],
    ["AWS_SESION_TOKEN", "AWS_SESSION_TOKEN"],
    ["AWS_ENDPOINT_URLS3", "AWS_ENDPOINT_URL_S3"],
    ["AWS_ENPOINT_URL", "AWS_ENDPOINT_URL"],
  ])("name %s: %s is meant", async (misspelt, meant) => {
    const { write, settings } = project();
    const file = write("repo/.env", `${misspelt}=x\n`);
    expect((await settings({ env: { [misspelt]: "x" } })).warnings).toEqual([
      `${misspelt} in the environment is not used: did you mean ${meant}?`,
      `${misspelt} in ${file} line 1 is not used: did you mean ${meant}?`,
    ]);
  });

  test("do not name what AWS's tools and other programs read", async () => {
    const theirs = `PAGER MAX_ATTEMPTS RETRY_MODE SDK_LOAD_CONFIG CONFIG_FILE SHARED_CREDENTIALS_FILE CLI_AUTO_PROMPT
      DEFAULT_OUTPUT DEFAULT_PROFILE DEFAULTS_MODE ROLE_ARN ROLE_SESSION_NAME WEB_IDENTITY_TOKEN_FILE SECURITY_TOKEN
      EC2_METADATA_DISABLED EXECUTION_ENV USE_FIPS_ENDPOINT USE_DUALSTACK_ENDPOINT S3_USE_ARN_REGION STS_REGIONAL_ENDPOINTS
      ENDPOINT_URL_SQS ENDPOINT_URL_SNS ENDPOINT_URL_STS ENDPOINT_URL_SSM ENDPOINT_URL_EC2 IGNORE_CONFIGURED_ENDPOINT_URLS
      ACCESS_KEY SECRET_KEY ACCOUNT_ID BUCKET BUCKET_NAME S3_BUCKET_NAME S3_BUCKETS S3_BUCKET_2 S3_REGION S3_ENDPOINT REGIONS
      REGION1 PROFILES CONTAINER_CREDENTIALS_FULL_URI CONTAINER_AUTHORIZATION_TOKEN REQUEST_CHECKSUM_CALCULATION VAULT`;
    const env = Object.fromEntries(theirs.split(/\s+/).map((name) => [`AWS_${name}`, "x"]));
    expect((await project().settings({ env })).warnings).toEqual([]);
  });

  test("name a .env that is not read", async () => {
    const { write, settings } = project();
    const file = write("repo/.env", "USE_S3=true\n");
    const { warnings, get } = await settings({ uid: (UID ?? 0) + 1 });
    expect(warnings).toEqual([expect.stringContaining(file)]);
    expect(get("use-s3")).toBeNull();
  });
});
