/** The honest way of a request: signature, bucket, permission, body, handler, in S3's order. */
import { authenticate } from "./authenticate.ts";
import { checkBodyHeaders, NO_BODY, verifyBody } from "./body.ts";
import type { Received } from "./body.ts";
import type { Bucket } from "./bucket.ts";
import { Call } from "./call.ts";
import { preflight } from "./cors.ts";
import type { CallFacts, Reply, World } from "./call.ts";
import { statedChecksum } from "./checksums.ts";
import type { Algorithm } from "./checksums.ts";
import type { Incoming } from "./incoming.ts";
import { answerForm } from "./post-object.ts";
import { refuseUnknownHeaders } from "./object-headers.ts";
import type { Operation } from "./operations.ts";
import { isAllowed, demand } from "./permissions.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

export interface BodyNeeds {
  readonly sha256: boolean;
  readonly algorithms: ReadonlySet<Algorithm>;
  /** It is XML to be read, not content that may be dropped. */
  readonly keep: boolean;
}

export interface AnswerOptions {
  readonly read: (needs: BodyNeeds) => Promise<Received>;
  readonly script: Pick<CallFacts, "listingQuirk" | "failKeys">;
}

export async function answer(
  world: World,
  incoming: Incoming,
  operation: Operation | null,
  options: AnswerOptions,
): Promise<Reply> {
  const { wire, key, query, headers } = incoming;
  if (wire.method === "OPTIONS") return preflight(world.buckets.get(incoming.bucket), headers);
  const now = world.now();
  if (operation?.name === "PostObject") return await answerForm(world, incoming, options);
  const bucket = world.buckets.get(incoming.bucket);
  const region = bucket?.region ?? world.region;
  const { user, payloadHash } = authenticate(wire, { users: world.users, now, region, endpointRegion: world.region });
  if (incoming.bucket === "") throw notImplemented(`${wire.method} of the service itself`);
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { details: { BucketName: incoming.bucket } });
  if (operation === null) throw notImplemented(`${wire.method} with the query "${[...query.keys()].join(", ")}"`);
  refuseUnknownHeaders(headers);
  const listed = operation.on === "bucket" ? (query.get("prefix") ?? null) : key;
  const action = query.has("versionId") ? (operation.versionAction ?? operation.action) : operation.action;
  if (operation.name === "HeadBucket" && !isAllowed(user, "s3:ListBucket", bucket.name, null)) {
    throw new S3Error("AccessDenied", { headers: { "x-amz-bucket-region": bucket.region } });
  }
  if (action !== null) demand(user, action, bucket.name, listed);
  checkBodyHeaders(headers, payloadHash);
  if (operation.body !== "none" && !headers.has("content-length")) throw new S3Error("MissingContentLength");
  const body = await options.read({
    sha256: payloadHash !== "UNSIGNED-PAYLOAD",
    algorithms: algorithmsOf(bucket, query, headers),
    keep: operation.body === "xml",
  });
  verifyBody(body, headers, payloadHash, {
    checksumIsOfBody: operation.body !== "none" && operation.foreignChecksum !== true,
  });
  return operation.handle(
    new Call({
      world,
      bucket,
      key,
      query,
      headers,
      user,
      now,
      ...options.script,
      body: operation.body === "none" ? NO_BODY : body,
    }),
  );
}

/** What to hash a body with: what the request states, and what its upload began with. */
function algorithmsOf(
  bucket: Bucket,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): Set<Algorithm> {
  const upload = bucket.uploads.get(query.get("uploadId") ?? "")?.checksum?.algorithm;
  const stated = statedChecksum(headers)?.algorithm;
  return new Set([upload, stated].filter((algorithm) => algorithm !== undefined));
}
