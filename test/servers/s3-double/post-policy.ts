/** The policy of a form upload: who signed it, until when, and what it lets through (API reference, "POST Policy"). */
import { checkScope, parseCredential, provenUser } from "./authenticate.ts";
import type { Expectations } from "./authenticate.ts";
import type { User } from "./permissions.ts";
import { S3Error } from "./s3-error.ts";
import { ALGORITHM, signatureOfText } from "./sigv4.ts";

type Fields = ReadonlyMap<string, string>;

/** Who signed the policy. */
export function policySigner(fields: Fields, expected: Expectations): User {
  const [policy, algorithm, credential, time, signature] = [
    "policy",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-signature",
  ].map((name) => fields.get(name) ?? "");
  if (!policy || !credential || !time || !signature || algorithm !== ALGORITHM) throw new S3Error("AccessDenied");
  const { accessKeyId, scope } = parseCredential(
    credential,
    (message) => new S3Error("InvalidArgument", { message, details: { ArgumentName: "X-Amz-Credential" } }),
  );
  checkScope({ scope, time, presigned: true }, expected);
  const claim = { accessKeyId, signature, token: fields.get("x-amz-security-token") };
  return provenUser(claim, expected, ({ secretAccessKey }) => signatureOfText(policy, secretAccessKey, scope));
}

/** Refuses where the policy has ended, a condition doesn't hold, or a field is under none. */
export function checkPolicy(fields: Fields, bucket: string, fileBytes: number, now: Date): void {
  const { expiration, conditions, sizes } = parsePolicy(fields.get("policy") ?? "");
  if (Date.parse(expiration) <= now.getTime()) throw refused("Policy expired.");
  const covered = new Set(["policy", "x-amz-signature"]);
  const values = new Map([...fields, ["bucket", bucket]]);
  for (const { operator, name, value } of conditions) {
    covered.add(name);
    const actual = values.get(name);
    const holds = operator === "eq" ? actual === value : actual?.startsWith(value) === true;
    if (!holds) throw refused(`Policy Condition failed: ["${operator}", "$${name}", "${value}"]`);
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !name.startsWith("x-ignore-"));
  if (extra.length > 0) throw refused(`Extra input fields: ${extra.join(", ")}`);
  if (sizes !== null) checkSize(sizes, fileBytes);
}

interface Condition {
  readonly operator: "eq" | "starts-with";
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

interface Policy {
  readonly expiration: string;
  readonly conditions: readonly Condition[];
  /** Bytes of the file: at least, at most. */
  readonly sizes: readonly [number, number] | null;
}

function parsePolicy(text: string): Policy {
  const bad = (why: string): S3Error => new S3Error("InvalidPolicyDocument", { message: `Invalid Policy: ${why}` });
  let policy: { expiration?: unknown; conditions?: unknown };
  try {
    policy = JSON.parse(Buffer.from(text, "base64").toString("utf8")) as typeof policy;
  } catch {
    throw bad("Invalid JSON.");
  }
  const { expiration, conditions } = policy;
  if (typeof expiration !== "string" || Number.isNaN(Date.parse(expiration))) throw bad("Invalid 'expiration' value.");
  if (!Array.isArray(conditions)) throw bad("Policy missing conditions.");
  const found: Condition[] = [];
  let sizes: Policy["sizes"] = null;
  for (const each of conditions as unknown[]) {
    if (!Array.isArray(each)) {
      for (const [name, value] of Object.entries(each as object)) {
        found.push({ operator: "eq", name: name.toLowerCase(), value: String(value) });
      }
      continue;
    }
    const [operator, name, value] = each as unknown[];
    if (operator === "content-length-range" && typeof name === "number" && typeof value === "number") {
      sizes = [name, value];
    } else if ((operator === "eq" || operator === "starts-with") && typeof name === "string" && name.startsWith("$")) {
      found.push({ operator, name: name.slice(1).toLowerCase(), value: String(value) });
    } else {
      throw bad(`unknown condition ${JSON.stringify(each)}`);
    }
  }
  return { expiration, conditions: found, sizes };
}

function checkSize([least, most]: readonly [number, number], bytes: number): void {
  const details = { ProposedSize: String(bytes), MinSizeAllowed: String(least), MaxSizeAllowed: String(most) };
  if (bytes > most) throw new S3Error("EntityTooLarge", { details });
  if (bytes < least) throw new S3Error("EntityTooSmall", { details });
}

function refused(why: string): S3Error {
  return new S3Error("AccessDenied", { message: `Invalid according to Policy: ${why}` });
}
