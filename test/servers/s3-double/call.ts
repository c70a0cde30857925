/** What a handler is given, and what it gives back. */
import type { Received } from "./body.ts";
import type { Bucket } from "./bucket.ts";
import type { KeyFailures, ListingQuirk } from "./faults.ts";
import { accessDenied, demand, isAllowed } from "./permissions.ts";
import type { User } from "./permissions.ts";
import { S3Error } from "./s3-error.ts";

/** S3's own limits; tests lower them. */
export interface Limits {
  readonly listPage: number;
  readonly deleteBatch: number;
  readonly minPartBytes: number;
  readonly maxPutBytes: number;
  readonly maxCopyBytes: number;
}

export interface World {
  readonly region: string;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly users: readonly User[];
  readonly limits: Limits;
  readonly now: () => Date;
  /** As RADOS Gateway (Ceph 16): ids of its form, and `If-None-Match` is ignored where versions are kept. */
  readonly gateway: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string | null;
}

export interface CallFacts {
  readonly world: World;
  readonly bucket: Bucket;
  /** Empty where the bucket itself is meant. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case; of a presigned URL what it carries in its query too. */
  readonly headers: ReadonlyMap<string, string>;
  readonly user: User;
  readonly body: Received;
  readonly now: Date;
  readonly listingQuirk: ListingQuirk | null;
  /** Codes that a batch must answer for these keys. */
  readonly failKeys: KeyFailures;
}

export class Call {
  readonly facts: CallFacts;

  constructor(facts: CallFacts) {
    this.facts = facts;
  }

  header(name: string): string | undefined {
    return this.facts.headers.get(name);
  }

  query(name: string): string | undefined {
    return this.facts.query.get(name);
  }

  /** Refuses where the caller may not do this. */
  demand(action: string, key: string = this.facts.key, bucket: string = this.facts.bucket.name): void {
    demand(this.facts.user, action, bucket, key);
  }

  may(action: string, key: string = this.facts.key): boolean {
    return isAllowed(this.facts.user, action, this.facts.bucket.name, key);
  }

  /** Who may not list is not told that a key is missing. */
  missing(bucket: Bucket, key: string, headers: Record<string, string> = {}): S3Error {
    const { user } = this.facts;
    if (!isAllowed(user, "s3:ListBucket", bucket.name, key))
      return accessDenied(user, "s3:ListBucket", bucket.name, key);
    return new S3Error("NoSuchKey", { headers, details: { Key: key } });
  }
}

export type Handler = (call: Call) => Reply;

export function empty(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers, body: null };
}

export function xmlReply(xml: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { "content-type": "application/xml", ...headers }, body: xml };
}
