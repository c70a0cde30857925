/** Who may do what: as much of IAM as tests of refusals need. */
import { S3Error } from "./s3-error.ts";

export interface Rule {
  /** `s3:GetObject`, `s3:Get*`, `*` … */
  readonly actions: readonly string[];
  /** Absent: all buckets. */
  readonly bucket?: string;
  /** Of the key, or of the prefix that is listed. Absent: everything, the bucket itself too. */
  readonly prefix?: string;
}

export interface User {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Temporary: requests must bring this token. */
  readonly sessionToken?: string;
  /** Afterwards it is `ExpiredToken`. */
  readonly expiresAt?: Date;
  /** Named in refusals. */
  readonly arn?: string;
  /** Absent: everything. */
  readonly allow?: readonly Rule[];
  /** Wins over `allow`. */
  readonly deny?: readonly Rule[];
  /** Decides instead of `allow` and `deny`; `key` as of `isAllowed`. */
  readonly decides?: (action: string, bucket: string, key: string | null) => boolean;
  /** Told of each action without which a request is refused. */
  readonly demanded?: (action: string, allowed: boolean) => void;
}

/** `key`: of an object, or the prefix of a listing; `null` for the bucket itself. */
export function isAllowed(user: User, action: string, bucket: string, key: string | null): boolean {
  if (user.decides !== undefined) return user.decides(action, bucket, key);
  const covers = (rule: Rule): boolean => isCovered(rule, action, bucket, key);
  if (user.deny?.some(covers)) return false;
  return user.allow === undefined || user.allow.some(covers);
}

export function demand(user: User, action: string, bucket: string, key: string | null): void {
  const allowed = isAllowed(user, action, bucket, key);
  user.demanded?.(action, allowed);
  if (!allowed) throw accessDenied(user, action, bucket, key);
}

export function accessDenied(user: User, action: string, bucket: string, key: string | null): S3Error {
  const who = user.arn ?? `arn:aws:iam::123456789012:user/${user.accessKeyId}`;
  const denied = user.deny?.some((rule) => isCovered(rule, action, bucket, key)) === true;
  const listing = action.startsWith("s3:ListBucket");
  const resource = `arn:aws:s3:::${bucket}${key === null || listing ? "" : `/${key}`}`;
  const because = denied
    ? "with an explicit deny in an identity-based policy"
    : `because no identity-based policy allows the ${action} action`;
  return new S3Error("AccessDenied", {
    message: `User: ${who} is not authorized to perform: ${action} on resource: "${resource}" ${because}`,
  });
}

function isCovered(rule: Rule, action: string, bucket: string, key: string | null): boolean {
  const acts = rule.actions.some((pattern) =>
    pattern.endsWith("*") ? action.startsWith(pattern.slice(0, -1)) : pattern === action,
  );
  const there = rule.bucket === undefined || rule.bucket === bucket;
  return acts && there && (rule.prefix === undefined || (key !== null && key.startsWith(rule.prefix)));
}
