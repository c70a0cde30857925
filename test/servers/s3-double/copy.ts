/** CopyObject and UploadPartCopy. */
import { createHash } from "node:crypto";
import type { Attributes, Bucket, Content, ObjectVersion } from "./bucket.ts";
import { xmlReply } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { algorithmNamed, digestOf } from "./checksums.ts";
import { addPart, partAsked, partChecksum } from "./multipart.ts";
import { readAttributes, readStorageClass } from "./object-headers.ts";
import { checkVersionId, checkWriteConditions, sameEtag } from "./objects.ts";
import { refuseArchived } from "./read.ts";
import { invalidArgument, invalidRequest, notImplemented, S3Error } from "./s3-error.ts";
import { decodeBytes, utf8 } from "./sigv4.ts";
import { s3Document } from "./xml.ts";

interface Source {
  readonly bucket: Bucket;
  readonly version: ObjectVersion;
  /** Whether the request named it. */
  readonly pinned: boolean;
}

export function copyObject(call: Call): Reply {
  const { bucket, key, headers, now, world } = call.facts;
  const source = sourceOf(call);
  const most = world.limits.maxCopyBytes;
  if (source.version.size > most) {
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${most}`,
    );
  }
  const attributes = attributesOf(call, source);
  if (Object.keys(attributes.tags).length > 0) call.demand("s3:PutObjectTagging");
  const itself = source.bucket === bucket && source.version.key === key && !source.pinned;
  const changed = headers.get("x-amz-metadata-directive") === "REPLACE" || headers.has("x-amz-storage-class");
  if (itself && !changed) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  checkWriteConditions(call, bucket, key);
  const version = bucket.put(key, { ...contentOf(call, source.version), ...attributes }, now);
  const { checksum } = version;
  return xmlReply(
    s3Document("CopyObjectResult", {
      ETag: `"${version.etag}"`,
      LastModified: version.modifiedAt.toISOString(),
      ...(checksum === null ? {} : { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type }),
    }),
    { ...bucket.versionHeader(version), ...sourceHeader(source) },
  );
}

export function uploadPartCopy(call: Call): Reply {
  const { upload, number } = partAsked(call);
  const source = sourceOf(call);
  const { start, end } = rangeOf(call, source.version);
  const size = end - start + 1;
  const most = call.facts.world.limits.maxCopyBytes;
  if (size > most)
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${most}`,
    );
  const bytes = bytesOf(source.version).subarray(start, end + 1);
  const part = addPart(call, upload, number, bytes, size, createHash("md5").update(bytes).digest("hex"));
  return xmlReply(
    s3Document("CopyPartResult", {
      ETag: `"${part.etag}"`,
      LastModified: part.modifiedAt.toISOString(),
      ...partChecksum(upload, part),
    }),
    sourceHeader(source),
  );
}

/** The version that `x-amz-copy-source` names, if the caller may read it. */
function sourceOf(call: Call): Source {
  const { world } = call.facts;
  const header = call.header("x-amz-copy-source") ?? "";
  const parts = /^\/?([^/?]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(header);
  if (parts === null) {
    throw invalidArgument(
      "x-amz-copy-source",
      header,
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  const [name, key, id] = [parts[1] ?? "", utf8(decodeBytes(parts[2] ?? "")), parts[3]];
  const bucket = world.buckets.get(name);
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { details: { BucketName: name } });
  call.demand(id === undefined ? "s3:GetObject" : "s3:GetObjectVersion", key, name);
  if (id !== undefined) checkVersionId(id);
  const version = id === undefined ? bucket.current(key) : bucket.find(key, id);
  if (version === undefined && id !== undefined)
    throw new S3Error("NoSuchVersion", { details: { Key: key, VersionId: id } });
  if (version?.kind === "marker" && id !== undefined) {
    throw invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.");
  }
  if (version?.kind !== "object") throw call.missing(bucket, key);
  refuseArchived(version);
  const ifMatch = call.header("x-amz-copy-source-if-match");
  if (ifMatch !== undefined && !sameEtag(version, ifMatch)) {
    throw new S3Error("PreconditionFailed", { details: { Condition: "x-amz-copy-source-If-Match" } });
  }
  return { bucket, version, pinned: id !== undefined };
}

/** The storage class is never copied: who doesn't name one gets STANDARD. */
function attributesOf(call: Call, { version, bucket, pinned }: Source): Attributes {
  const { headers } = call.facts;
  const given = readAttributes(headers);
  const metadata = directive(call, "x-amz-metadata-directive") === "COPY";
  const tags = directive(call, "x-amz-tagging-directive") === "COPY";
  if (tags && Object.keys(version.tags).length > 0) {
    call.demand(pinned ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging", version.key, bucket.name);
  }
  const { contentType, standard, metadata: copied } = version;
  return {
    ...given,
    ...(metadata ? { contentType, standard, metadata: copied } : {}),
    tags: tags ? version.tags : given.tags,
    storageClass: readStorageClass(headers),
  };
}

function directive(call: Call, name: string): "COPY" | "REPLACE" {
  const value = call.header(name) ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw invalidArgument(name, value, "Unknown directive.");
}

/** A copy is one piece, however its source came: it has an MD5 for its ETag and a checksum of the whole. */
function contentOf(call: Call, version: ObjectVersion): Content {
  const asked = call.header("x-amz-checksum-algorithm");
  const algorithm = asked === undefined ? version.checksum?.algorithm : algorithmNamed(asked);
  const { size, bytes, etag, checksum } = version;
  if (!etag.includes("-") && algorithm === checksum?.algorithm) return { size, bytes, etag, checksum };
  const read = bytesOf(version);
  return {
    size,
    bytes,
    etag: createHash("md5").update(read).digest("hex"),
    checksum: algorithm === undefined ? null : { algorithm, type: "FULL_OBJECT", value: digestOf(algorithm, read) },
  };
}

function bytesOf({ bytes }: ObjectVersion): Buffer {
  if (bytes === null) throw notImplemented("copies of bytes that it was told to discard");
  return bytes;
}

/** Inclusive. Unlike a GET's, it must lie within the source. */
function rangeOf(call: Call, { size }: ObjectVersion): { start: number; end: number } {
  const header = call.header("x-amz-copy-source-range");
  if (header === undefined) return { start: 0, end: size - 1 };
  const parts = /^bytes=(\d+)-(\d+)$/.exec(header);
  const [start, end] = [Number(parts?.[1]), Number(parts?.[2])];
  if (parts === null || start > end || end >= size) {
    throw invalidArgument(
      "x-amz-copy-source-range",
      header,
      `Range specified is not valid for source object of size: ${size}`,
    );
  }
  return { start, end };
}

function sourceHeader({ bucket, version }: Source): Record<string, string> {
  return bucket.versioning === "Unversioned" ? {} : { "x-amz-copy-source-version-id": version.versionId };
}
