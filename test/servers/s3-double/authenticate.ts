/** Who sent a request, proven by its signature: in the Authorization header, or in the query of a presigned URL. */
import { timingSafeEqual } from "node:crypto";
import type { User } from "./permissions.ts";
import { invalidArgument, invalidRequest, S3Error } from "./s3-error.ts";
import { ALGORITHM, queryPairs, signatureOf } from "./sigv4.ts";
import type { Scope, WireRequest } from "./sigv4.ts";

export interface Expectations {
  readonly users: readonly User[];
  readonly now: Date;
  /** Of the bucket that is asked, or of the endpoint. */
  readonly region: string;
  /** Of the endpoint. */
  readonly endpointRegion: string;
}

export interface Identity {
  readonly user: User;
  readonly presigned: boolean;
  /** What the body must hash to: hex, or a word that says how it is signed. */
  readonly payloadHash: string;
}

interface Claim {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly time: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly token: string | undefined;
  readonly presigned: boolean;
  readonly payloadHash: string;
}

const MOST_SKEW_MS = 15 * 60 * 1000;
const MOST_EXPIRES_SECONDS = 604_800;

/** One door: a request without a signature is refused here too. */
export function authenticate(request: WireRequest, expected: Expectations): Identity {
  const query = new Map(queryPairs(request.rawQuery));
  const header = headerOf(request, "authorization");
  const inQuery = query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature") || query.has("X-Amz-Credential");
  if (header !== undefined && inQuery) {
    throw invalidArgument(
      "Authorization",
      "[hidden]",
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
    );
  }
  if (header === undefined && !inQuery) throw new S3Error("AccessDenied");
  const claim = header === undefined ? claimOfQuery(request, query) : claimOfHeader(request, header);
  checkScope(claim, expected);
  checkTime(claim, query.get("X-Amz-Expires"), expected.now);
  checkSignedHeaders(request, claim);
  const { scope, time, signedHeaders, payloadHash } = claim;
  const user = provenUser(claim, expected, ({ secretAccessKey }) =>
    signatureOf(request, secretAccessKey, scope, time, signedHeaders, payloadHash),
  );
  return { user, presigned: claim.presigned, payloadHash };
}

/** Whose key it is, where the signature is what that user would have made. */
export function provenUser(
  claim: Pick<Claim, "accessKeyId" | "signature" | "token">,
  { users, now }: Pick<Expectations, "users" | "now">,
  calculate: (user: User) => string,
): User {
  const user = users.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  // A temporary key alone is as unknown as one that never was.
  if (user === undefined || (user.sessionToken !== undefined && claim.token === undefined)) {
    throw new S3Error("InvalidAccessKeyId", { details: { AWSAccessKeyId: claim.accessKeyId } });
  }
  if (!sameText(calculate(user), claim.signature)) {
    throw new S3Error("SignatureDoesNotMatch", {
      details: { AWSAccessKeyId: claim.accessKeyId, SignatureProvided: claim.signature },
    });
  }
  if (claim.token !== user.sessionToken) throw new S3Error("InvalidToken", { details: { "Token-0": "[hidden]" } });
  if (user.expiresAt !== undefined && user.expiresAt <= now) throw new S3Error("ExpiredToken");
  return user;
}

function claimOfHeader(request: WireRequest, header: string): Claim {
  const parts = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([\da-f]{64})$/.exec(
    header,
  );
  if (parts === null) throw new S3Error("AuthorizationHeaderMalformed");
  const time = headerOf(request, "x-amz-date");
  if (time === undefined || instantOf(time) === null) {
    throw new S3Error("AccessDenied", { message: "AWS authentication requires a valid Date or x-amz-date header" });
  }
  const payloadHash = headerOf(request, "x-amz-content-sha256");
  if (payloadHash === undefined) throw invalidRequest("Missing required header for this request: x-amz-content-sha256");
  return {
    ...parseCredential(parts[1] ?? "", (message) => new S3Error("AuthorizationHeaderMalformed", { message })),
    time,
    signedHeaders: (parts[2] ?? "").split(";"),
    signature: parts[3] ?? "",
    token: headerOf(request, "x-amz-security-token"),
    presigned: false,
    payloadHash,
  };
}

function claimOfQuery(request: WireRequest, query: ReadonlyMap<string, string>): Claim {
  const [algorithm, credential, time, expires, names, signature] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
  ].map((name) => query.get(name) ?? "");
  if (!algorithm || !credential || !time || !expires || !names || !signature) {
    throw queryError(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  if (algorithm !== ALGORITHM) throw queryError(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  if (instantOf(time) === null)
    throw queryError("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (!/^-?\d+$/.test(expires)) throw queryError("X-Amz-Expires should be a number");
  if (Number(expires) < 1) throw queryError("X-Amz-Expires must be non-negative");
  if (Number(expires) > MOST_EXPIRES_SECONDS) {
    throw queryError(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  return {
    ...parseCredential(credential, queryError),
    time,
    signedHeaders: names.split(";"),
    signature,
    token: query.get("X-Amz-Security-Token"),
    presigned: true,
    payloadHash: headerOf(request, "x-amz-content-sha256") ?? query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD",
  };
}

export function parseCredential(
  text: string,
  problem: (message: string) => S3Error,
): { accessKeyId: string; scope: Scope } {
  const [accessKeyId, day, region, service, end, ...more] = text.split("/");
  if (!accessKeyId || !day || !region || !service || end !== "aws4_request" || more.length > 0) {
    throw problem(
      'Error parsing the Credential; it must be in the form "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"',
    );
  }
  if (service !== "s3")
    throw problem(`Error parsing the Credential; incorrect service "${service}". This endpoint belongs to "s3".`);
  return { accessKeyId, scope: { day, region, service } };
}

export function checkScope(
  { scope, time, presigned }: Pick<Claim, "scope" | "time" | "presigned">,
  { region, endpointRegion }: Expectations,
): void {
  const code = presigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed";
  if (scope.day !== time.slice(0, 8)) {
    throw new S3Error(code, {
      message: `Invalid credential date "${scope.day}". This date is not the same as X-Amz-Date: "${time.slice(0, 8)}".`,
    });
  }
  if (scope.region === region) return;
  const headers = { "x-amz-bucket-region": region };
  if (scope.region === endpointRegion) {
    throw new S3Error("PermanentRedirect", {
      headers,
      details: { Endpoint: `s3.${region}.amazonaws.com`, Region: region },
    });
  }
  throw new S3Error(code, {
    message: `The authorization header is malformed; the region '${scope.region}' is wrong; expecting '${region}'`,
    headers,
    details: { Region: region },
  });
}

function checkTime({ time, presigned }: Claim, expires: string | undefined, now: Date): void {
  const signedAt = instantOf(time) ?? 0;
  const aheadMs = signedAt - now.getTime();
  const serverTime = now.toISOString().replace(/\.\d+/, "");
  if (!presigned && Math.abs(aheadMs) > MOST_SKEW_MS) {
    throw new S3Error("RequestTimeTooSkewed", {
      details: { RequestTime: time, ServerTime: serverTime, MaxAllowedSkewMilliseconds: String(MOST_SKEW_MS) },
    });
  }
  if (!presigned) return;
  if (aheadMs > MOST_SKEW_MS) throw new S3Error("AccessDenied", { message: "Request is not yet valid" });
  const endsAt = signedAt + Number(expires) * 1000;
  if (endsAt <= now.getTime()) {
    throw new S3Error("AccessDenied", {
      message: "Request has expired",
      details: {
        "X-Amz-Expires": String(expires),
        Expires: new Date(endsAt).toISOString().replace(/\.\d+/, ""),
        ServerTime: serverTime,
      },
    });
  }
}

function checkSignedHeaders(request: WireRequest, { signedHeaders }: Claim): void {
  const sorted = [...new Set(signedHeaders)].sort();
  if (sorted.join(";") !== signedHeaders.join(";")) throw new S3Error("SignatureDoesNotMatch");
  const sent = request.headers.map(([name]) => name);
  const needed = [...new Set(sent)].filter((name) => name === "host" || name.startsWith("x-amz-"));
  const unsigned = needed.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length > 0 || !signedHeaders.includes("host")) {
    throw new S3Error("AccessDenied", {
      message: "There were headers present in the request which were not signed",
      details: { HeadersNotSigned: unsigned.length > 0 ? unsigned.join(", ") : "host" },
    });
  }
  // What was signed must be sent: the arithmetic would take an absent header for an empty one.
  if (signedHeaders.some((name) => !sent.includes(name))) throw new S3Error("SignatureDoesNotMatch");
}

/** Milliseconds, or `null` where it is no such time. */
function instantOf(time: string): number | null {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1);
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(instant) ? null : instant;
}

function headerOf(request: WireRequest, name: string): string | undefined {
  return request.headers.find(([each]) => each === name)?.[1];
}

function queryError(message: string): S3Error {
  return new S3Error("AuthorizationQueryParametersError", { message });
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"));
}
