/** PostObject: a form that a policy lets through. It brings its own signature, and its headers as fields. */
import type { AnswerOptions } from "./answer.ts";
import { receivedOf, verifyBody } from "./body.ts";
import { Call, empty } from "./call.ts";
import type { Reply, World } from "./call.ts";
import { statedChecksum } from "./checksums.ts";
import { boundaryOf, parseForm } from "./form.ts";
import type { Incoming } from "./incoming.ts";
import { refuseUnknownHeaders } from "./object-headers.ts";
import { putObject } from "./objects.ts";
import { checkPolicy, policySigner } from "./post-policy.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

export async function answerForm(
  world: World,
  { bucket: bucketName, headers: sent, query }: Incoming,
  { read, script }: AnswerOptions,
): Promise<Reply> {
  const now = world.now();
  const bucket = world.buckets.get(bucketName);
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { details: { BucketName: bucketName } });
  if (sent.has("authorization")) throw notImplemented("forms with an Authorization header");
  const boundary = boundaryOf(sent.get("content-type"));
  if (!sent.has("content-length")) throw new S3Error("MissingContentLength");
  const { bytes } = await read({ sha256: false, algorithms: new Set(), keep: true });
  const { fields, file } = parseForm(bytes ?? Buffer.alloc(0), boundary);
  const { users, region } = world;
  const user = policySigner(fields, { users, now, region: bucket.region, endpointRegion: region });
  checkPolicy(fields, bucketName, file.length, now);
  const key = fields.get("key") ?? "";
  if (key === "") throw new S3Error("InvalidArgument", { message: "Bucket POST must contain a field named 'key'." });
  const headers = headersOf(fields);
  refuseUnknownHeaders(headers);
  const stated = statedChecksum(headers)?.algorithm;
  const body = receivedOf(file, new Set(stated === undefined ? [] : [stated]));
  verifyBody(body, headers, "UNSIGNED-PAYLOAD", { checksumIsOfBody: true });
  const call = new Call({ world, bucket, key, query, headers, user, now, ...script, body });
  call.demand("s3:PutObject");
  const stored = putObject(call);
  return empty(204, stored.headers);
}

/** What would be headers of a PUT. Other fields say how to answer, which isn't done here. */
function headersOf(fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const unknown = [...fields.keys()].find((name) => !KNOWN.has(name) && !/^x-(amz|ignore)-/.test(name));
  if (unknown !== undefined) throw notImplemented(`the form field ${unknown}`);
  return new Map([...fields].filter(([name]) => !SIGNING.has(name)));
}

const SIGNING = new Set([
  "policy",
  "key",
  "bucket",
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-signature",
  "x-amz-security-token",
]);
const KNOWN = new Set([
  ...SIGNING,
  "cache-control",
  "content-type",
  "content-disposition",
  "content-encoding",
  "expires",
]);
