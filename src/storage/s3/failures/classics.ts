/** The errors that everybody meets first, told so that the next step is clear. */
import type { Meaning } from "./meanings.ts";
import { endpointSetting, server } from "./network.ts";
import { messageOf, nameOf, statusOf } from "./sdk-error.ts";
import type { Call } from "./errors.ts";
import type { S3Store } from "../store.ts";

/** Names who was refused what on which resource: by S3's own words where it says so, else by what was asked. */
export function accessDenied(error: unknown, call: Call, store: S3Store): Meaning {
  const said = DENIED.exec(messageOf(error))?.groups ?? {};
  const action = said["action"] ?? call.action;
  const resource = said["resource"] ?? resourceOf(call, store);
  const caller = said["caller"] ?? signedBy(store);
  const silent = statusOf(error) === 403 && nameOf(error) !== "AccessDenied" && call.action === "s3:GetObject";
  const orMissing = silent ? "; or there is no such object, which S3 doesn't tell without s3:ListBucket" : "";
  return {
    code: "access_denied",
    why: `Access Denied: ${caller} may not ${action} on ${resource}${orMissing}`,
    hint: `taskflow attach doctor --write names all that is missing${store.isAws ? TERRAFORM : ""}`,
  };
}

const TERRAFORM = "; with our Terraform the role must be in allowed_role_arns";

export function noSuchBucket(store: S3Store): Meaning {
  const { endpoint, bucketOrigin } = store.settings;
  const named = bucketOrigin === null ? "" : ` (named in ${bucketOrigin})`;
  if (endpoint !== null) {
    return {
      code: "no_such_bucket",
      why: `there is no bucket ${store.bucket}${named} on ${endpoint}`,
      hint: `check the bucket's name and ${endpointSetting(store)}${pathOf(endpoint)}`,
    };
  }
  return {
    code: "no_such_bucket",
    why: `there is no bucket ${store.bucket}${named}; bucket names are global`,
    hint: "`terraform output -raw bucket_name` gives the exact name",
  };
}

/** With a path, the server looks for the bucket below it. */
function pathOf(endpoint: string): string {
  const { pathname } = new URL(endpoint);
  return pathname === "/" ? "" : `, which has the path ${pathname}`;
}

/** `region`: what the bucket's refusal names, if anything. */
export function wrongRegion(region: string | null, store: S3Store): Meaning {
  const { region: asked, regionOrigin } = store.settings;
  const used = asked === null ? "" : `, not in ${asked}${regionOrigin === null ? "" : ` (${regionOrigin})`}`;
  if (region === null) {
    return {
      code: "wrong_region",
      why: `bucket ${store.bucket} is in another region${asked === null ? "" : ` than ${asked}`}`,
    };
  }
  return {
    code: "wrong_region",
    why: `bucket ${store.bucket} is in ${region}${used}`,
    hint: `set AWS_REGION=${region}, or add --region ${region}`,
  };
}

/** What the SDK says where no credentials can be had: none at all, or a session that has ended. */
export function noCredentials(error: unknown, { settings: { credentials } }: S3Store): Meaning {
  const message = messageOf(error);
  const who = credentials.kind === "profile" ? `profile ${credentials.profile}` : "this machine";
  if (/expired|sso session|aws sso login|refresh/i.test(message)) {
    const profile = credentials.kind === "profile" ? ` --profile ${credentials.profile}` : "";
    return {
      code: "expired_credentials",
      why: `the sign-in of ${who} has ended`,
      hint: `aws sso login${profile}, then run the same command`,
    };
  }
  if (credentials.kind === "profile") {
    return {
      code: "no_credentials",
      why: `${who} gives no credentials: ${message}`,
      hint: "aws configure list-profiles shows which there are",
    };
  }
  return { code: "no_credentials", why: "there are no AWS credentials" };
}

/**
 * S3 says Access Denied where a version is locked (403), MinIO that it is no valid request (400); both say why. Names
 * that are repeated beside it tell nothing.
 */
export function isObjectLock(error: unknown, { action }: Call): boolean {
  if (!action.startsWith("s3:DeleteObject") || ![400, 403].includes(statusOf(error) ?? 0)) return false;
  const reason = messageOf(error).replaceAll(/"[^"]*"|'[^']*'|\barn:\S+/g, "");
  return /object lock|object protected|WORM protected/i.test(reason);
}

const DENIED =
  /(?:User: (?<caller>\S+) is )?not authorized to perform: (?<action>\S+)(?: on resource: "?(?<resource>[^\s"]+)"?)?/;

function resourceOf({ key }: Call, store: S3Store): string {
  const where = store.settings.endpoint === null ? "" : ` on ${server(store)}`;
  return `s3://${store.bucket}${key === undefined ? "" : `/${key}`}${where}`;
}

/** Who signs, for people. */
export function signedBy({ settings: { credentials } }: S3Store): string {
  if (credentials.kind === "profile") return `profile ${credentials.profile}`;
  if (credentials.kind === "chain") return "this machine's role";
  return credentials.origin === undefined ? "the access key" : `the access key of ${credentials.origin.text}`;
}
