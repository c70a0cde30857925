/** Hands out temporary credentials in every way that AWS's SDK asks for them, and says how long they are good. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface CredentialServer {
  /** When what is handed out next ends, `null` where that fails; the last one goes on. */
  ends: (Date | null)[];
  /** How often something was handed out. */
  readonly given: number;
  /** A configuration file with the profiles `role`, `sso` and `process`. */
  readonly config: string;
  /** For a token of single sign-on, below ~/.aws/sso/cache. */
  readonly ssoFile: { readonly name: string; readonly content: string };
  /** What leads all of the SDK's providers here. */
  readonly env: Readonly<Record<string, string>>;
  /** Leads the SDK to an instance's role, or to a container's. */
  readonly container: Readonly<Record<string, string>>;
  readonly instance: Readonly<Record<string, string>>;
  close(): void;
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

interface Answer {
  readonly type: string;
  readonly text: string;
}

const START_URL = "https://acme.example/start";

export async function startCredentialServer(keys: Keys): Promise<CredentialServer> {
  const state = { ends: [] as (Date | null)[], given: 0 };

  const next = (): Date => {
    const end = state.ends.length > 1 ? state.ends.shift() : state.ends[0];
    if (end === undefined || end === null) throw new Error("there is nothing to hand out");
    state.given += 1;
    return end;
  };

  const server = createServer((request, response) => {
    request.resume();
    try {
      const { type, text } = answerTo(request.url ?? "", keys, next);
      response.writeHead(200, { "content-type": type }).end(text);
    } catch {
      response.writeHead(403, { "content-type": "text/plain" }).end("no");
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    get ends() {
      return state.ends;
    },
    set ends(ends) {
      state.ends = ends;
    },
    get given() {
      return state.given;
    },
    config: configFor(base),
    ssoFile: {
      name: `${createHash("sha1").update(START_URL).digest("hex")}.json`,
      content: JSON.stringify({ accessToken: "t", expiresAt: new Date(Date.now() + 3_600_000).toISOString() }),
    },
    env: { AWS_ENDPOINT_URL_STS: base, AWS_ENDPOINT_URL_SSO: base, AWS_MAX_ATTEMPTS: "1" },
    container: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${base}/container` },
    instance: { AWS_EC2_METADATA_SERVICE_ENDPOINT: base },
    close: () => void server.close(),
  };
}

function configFor(base: string): string {
  return [
    "[profile role]",
    "role_arn = arn:aws:iam::123456789012:role/r",
    "source_profile = base",
    "region = us-east-1",
    "[profile base]",
    "aws_access_key_id = AKIABASE",
    "aws_secret_access_key = base",
    "[profile sso]",
    `sso_start_url = ${START_URL}`,
    "sso_region = us-east-1",
    "sso_account_id = 123456789012",
    "sso_role_name = r",
    "[profile process]",
    `credential_process = curl -fsS ${base}/process`,
    "",
  ].join("\n");
}

/** STS, the SSO portal, the agents of instances and containers, and a program: each as its documentation has it. */
function answerTo(url: string, { accessKeyId, secretAccessKey, sessionToken }: Keys, next: () => Date): Answer {
  const json = (value: object): Answer => ({ type: "application/json", text: JSON.stringify(value) });
  const pair = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey };
  if (url.startsWith("/federation/credentials")) {
    return json({ roleCredentials: { accessKeyId, secretAccessKey, sessionToken, expiration: next().getTime() } });
  }
  switch (url) {
    case "/process":
      return json({ Version: 1, ...pair, SessionToken: sessionToken, Expiration: next().toISOString() });
    case "/container":
      return json({ ...pair, Token: sessionToken, Expiration: next().toISOString() });
    case "/latest/api/token":
      return { type: "text/plain", text: "a-token" };
    case "/latest/meta-data/iam/security-credentials/":
      return { type: "text/plain", text: "the-role" };
    case "/latest/meta-data/iam/security-credentials/the-role":
      return json({ Code: "Success", ...pair, Token: sessionToken, Expiration: next().toISOString() });
    default:
      return { type: "text/xml", text: assumedRole(accessKeyId, secretAccessKey, sessionToken, next()) };
  }
}

function assumedRole(id: string, secret: string, token: string, end: Date): string {
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>
    <AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser><Credentials>
    <AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>${token}</SessionToken>
    <Expiration>${end.toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}
