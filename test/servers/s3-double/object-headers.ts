/** What headers say of an object, in both directions. */
import type { Attributes, Bucket, ObjectVersion } from "./bucket.ts";
import { headerName } from "./checksums.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

const META = "x-amz-meta-";
const STANDARD = new Set(["cache-control", "content-disposition", "content-encoding", "content-language", "expires"]);
const STORAGE_CLASSES = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
]);
/** Ignoring one of these would be a promise not kept. */
const REFUSED = [
  "x-amz-acl",
  "x-amz-grant-",
  "x-amz-object-lock-",
  "x-amz-server-side-encryption",
  "x-amz-expected-bucket-owner",
  "x-amz-website-redirect-location",
  "x-amz-write-offset-bytes",
];
const MOST_METADATA_BYTES = 2048;
const MOST_TAGS = 10;

export function refuseUnknownHeaders(headers: ReadonlyMap<string, string>): void {
  const refused = [...headers.keys()].find((name) => REFUSED.some((prefix) => name.startsWith(prefix)));
  if (refused !== undefined) throw notImplemented(refused);
}

export function readAttributes(headers: ReadonlyMap<string, string>): Attributes {
  return {
    contentType: headers.get("content-type") ?? "binary/octet-stream",
    standard: Object.fromEntries([...headers].filter(([name]) => STANDARD.has(name))),
    metadata: readMetadata(headers),
    storageClass: readStorageClass(headers),
    tags: readTags(headers.get("x-amz-tagging") ?? ""),
  };
}

function readMetadata(headers: ReadonlyMap<string, string>): Record<string, string> {
  const pairs = [...headers]
    .filter(([name]) => name.startsWith(META))
    .map(([name, value]) => [name.slice(META.length), value] as const);
  // Values hold one byte a character.
  const size = pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > MOST_METADATA_BYTES) {
    throw new S3Error("MetadataTooLarge", {
      details: { Size: String(size), MaxSizeAllowed: String(MOST_METADATA_BYTES) },
    });
  }
  return Object.fromEntries(pairs);
}

export function readStorageClass(headers: ReadonlyMap<string, string>): string {
  const storageClass = headers.get("x-amz-storage-class") ?? "STANDARD";
  if (!STORAGE_CLASSES.has(storageClass))
    throw new S3Error("InvalidStorageClass", { details: { StorageClassRequested: storageClass } });
  return storageClass;
}

function readTags(header: string): Record<string, string> {
  const pairs = [...new URLSearchParams(header)];
  return checkTags(pairs);
}

export function checkTags(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  if (pairs.length > MOST_TAGS) throw new S3Error("BadRequest", { message: "Object tags cannot be greater than 10" });
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) {
    throw new S3Error("InvalidTag", { message: "Cannot provide multiple Tags with the same key" });
  }
  for (const [name, value] of pairs) {
    if (name === "" || name.length > 128 || name.startsWith("aws:"))
      throw new S3Error("InvalidTag", { message: "The TagKey you have provided is invalid" });
    if (value.length > 256) throw new S3Error("InvalidTag", { message: "The TagValue you have provided is invalid" });
  }
  return Object.fromEntries(pairs);
}

/** `checksum`: whether the reader asked for it and reads the whole. */
export function objectHeaders(
  version: ObjectVersion,
  bucket: Bucket,
  { checksum, tags }: { checksum: boolean; tags: boolean },
): Record<string, string> {
  const headers: Record<string, string> = {
    ...version.standard,
    ...bucket.versionHeader(version),
    "content-type": version.contentType,
    "last-modified": version.modifiedAt.toUTCString(),
    etag: `"${version.etag}"`,
    "accept-ranges": "bytes",
  };
  for (const [name, value] of Object.entries(version.metadata)) headers[META + name] = value;
  if (version.storageClass !== "STANDARD") headers["x-amz-storage-class"] = version.storageClass;
  const tagCount = Object.keys(version.tags).length;
  if (tags && tagCount > 0) headers["x-amz-tagging-count"] = String(tagCount);
  if (version.restore !== undefined) headers["x-amz-restore"] = restoreHeader(version.restore.until);
  if (checksum) Object.assign(headers, checksumHeaders(version));
  return headers;
}

function restoreHeader(until: Date | null): string {
  return until === null ? 'ongoing-request="true"' : `ongoing-request="false", expiry-date="${until.toUTCString()}"`;
}

export function checksumHeaders({ checksum }: Pick<ObjectVersion, "checksum">): Record<string, string> {
  if (checksum === null) return {};
  return { [headerName(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}
