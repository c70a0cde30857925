/** PutObject and the deletes. */
import type { Attributes, Bucket, Content, ObjectVersion } from "./bucket.ts";
import { empty, xmlReply } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { statedChecksum } from "./checksums.ts";
import type { Received } from "./body.ts";
import { checksumHeaders, readAttributes } from "./object-headers.ts";
import { invalidArgument, invalidRequest, notImplemented, S3Error } from "./s3-error.ts";
import { childText, parseXml, s3Document } from "./xml.ts";

export function putObject(call: Call): Reply {
  const { bucket, key, body, headers, now, world } = call.facts;
  if (body.size > world.limits.maxPutBytes) {
    throw new S3Error("EntityTooLarge", {
      details: { ProposedSize: String(body.size), MaxSizeAllowed: String(world.limits.maxPutBytes) },
    });
  }
  const attributes = readAttributes(headers);
  if (headers.has("x-amz-tagging")) call.demand("s3:PutObjectTagging");
  checkWriteConditions(call, bucket, key);
  const version = bucket.put(key, { ...contentOf(body, headers), ...attributes }, now);
  return empty(200, { etag: `"${version.etag}"`, ...bucket.versionHeader(version), ...checksumHeaders(version) });
}

function contentOf(body: Received, headers: ReadonlyMap<string, string>): Content {
  const stated = statedChecksum(headers);
  return {
    size: body.size,
    etag: body.md5,
    bytes: body.bytes,
    checksum: stated === null ? null : { ...stated, type: "FULL_OBJECT" },
  };
}

/** `If-None-Match: *` and `If-Match` of whatever writes a key. A delete marker is nothing that matches. */
export function checkWriteConditions(call: Call, bucket: Bucket, key: string): void {
  const [ifNoneMatch, ifMatch] = [call.header("if-none-match"), call.header("if-match")];
  const live = bucket.live(key);
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") throw notImplemented("If-None-Match with an ETag on writes");
  const isIgnored = call.facts.world.gateway && bucket.versioning !== "Unversioned";
  if (ifNoneMatch === "*" && !isIgnored && live !== undefined) {
    throw new S3Error("PreconditionFailed", { details: { Condition: "If-None-Match" } });
  }
  if (ifMatch === undefined) return;
  if (live === undefined) throw call.missing(bucket, key);
  if (!sameEtag(live, ifMatch)) throw new S3Error("PreconditionFailed", { details: { Condition: "If-Match" } });
}

export function sameEtag(version: ObjectVersion, stated: string): boolean {
  return stated === "*" || stated.replaceAll('"', "") === version.etag;
}

export function deleteObject(call: Call): Reply {
  const { bucket, key } = call.facts;
  const done = deleteOne(call, key, call.query("versionId"));
  return empty(204, {
    ...(done.marker === null ? {} : { "x-amz-delete-marker": "true" }),
    ...(done.versionId === null || bucket.versioning === "Unversioned" ? {} : { "x-amz-version-id": done.versionId }),
  });
}

interface Deletion {
  /** The marker's id, where one was set or destroyed. */
  readonly marker: string | null;
  /** Of the marker that was set or the version that was destroyed. */
  readonly versionId: string | null;
}

function deleteOne(call: Call, key: string, versionId: string | undefined): Deletion {
  const { bucket, now } = call.facts;
  if (versionId === undefined) {
    const marker = bucket.delete(key, now)?.versionId ?? null;
    return { marker, versionId: marker };
  }
  checkVersionId(versionId);
  const gone = bucket.deleteVersion(key, versionId);
  return { marker: gone?.kind === "marker" ? versionId : null, versionId };
}

/** Ids that S3 could never have given are another error than ids that it doesn't know. */
export function checkVersionId(versionId: string): void {
  if (versionId === "null" || /^[\w-]{32}$/.test(versionId)) return;
  throw invalidArgument("versionId", versionId, "Invalid version id specified");
}

export function deleteObjects(call: Call): Reply {
  const { body, headers, world, failKeys } = call.facts;
  if (!headers.has("content-md5") && statedChecksum(headers) === null) {
    throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  const root = parseXml(body.bytes?.toString("utf8") ?? "");
  const objects = root?.children.filter(({ name }) => name === "Object") ?? [];
  if (root?.name !== "Delete" || objects.length === 0 || objects.length > world.limits.deleteBatch)
    throw new S3Error("MalformedXML");
  const quiet = childText(root, "Quiet") === "true";
  const results = objects.map((object) => {
    const [Key, VersionId] = [childText(object, "Key") ?? "", childText(object, "VersionId")];
    try {
      if (Key === "") throw new S3Error("MalformedXML");
      const failure = failKeys[Key];
      if (typeof failure === "string") throw new S3Error(failure);
      if (failure !== undefined) throw new S3Error(failure.code, { message: failure.message });
      call.demand(VersionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion", Key);
      const { marker } = deleteOne(call, Key, VersionId);
      return {
        Deleted: { Key, VersionId, ...(marker === null ? {} : { DeleteMarker: true, DeleteMarkerVersionId: marker }) },
      };
    } catch (error) {
      if (!(error instanceof S3Error) || Key === "") throw error;
      return { Error: { Key, VersionId, Code: error.code, Message: error.message } };
    }
  });
  return xmlReply(
    s3Document("DeleteResult", {
      Deleted: quiet ? [] : results.flatMap(({ Deleted }) => (Deleted === undefined ? [] : [Deleted])),
      Error: results.flatMap((result) => (result.Error === undefined ? [] : [result.Error])),
    }),
  );
}

/** For tests that plant what other programs put there. */
export function plainAttributes(more: Partial<Attributes> = {}): Attributes {
  return {
    contentType: "binary/octet-stream",
    standard: {},
    metadata: {},
    storageClass: "STANDARD",
    tags: {},
    ...more,
  };
}
