/** GetObject and HeadObject. */
import type { ObjectVersion } from "./bucket.ts";
import { empty } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { objectHeaders } from "./object-headers.ts";
import { checkVersionId, sameEtag } from "./objects.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

const ARCHIVED: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);
const OVERRIDES = [
  "content-type",
  "content-language",
  "expires",
  "cache-control",
  "content-disposition",
  "content-encoding",
];

export function getObject(call: Call): Reply {
  const version = versionAsked(call);
  refuseArchived(version);
  const { bytes, size } = version;
  const reply = describe(call, version);
  if (reply.status === 304) return reply;
  if (bytes === null) throw notImplemented("bytes that it was told to discard");
  const range = rangeOf(call.header("range"), size);
  if (range === null) return { ...reply, body: bytes };
  return { ...reply, body: bytes.subarray(range.start, range.end + 1) };
}

/** As GET but for the body; what is archived is described too. */
export function headObject(call: Call): Reply {
  return describe(call, versionAsked(call));
}

/** The version that the request names, or the current one, or S3's reason why there is none. */
export function versionAsked(call: Call): ObjectVersion {
  const { bucket, key } = call.facts;
  const id = call.query("versionId");
  if (id !== undefined) checkVersionId(id);
  const version = id === undefined ? bucket.current(key) : bucket.find(key, id);
  if (version === undefined) {
    if (id !== undefined) throw new S3Error("NoSuchVersion", { details: { Key: key, VersionId: id } });
    throw call.missing(bucket, key);
  }
  if (version.kind === "object") return version;
  const headers = { "x-amz-delete-marker": "true", ...bucket.versionHeader(version) };
  if (id === undefined) throw call.missing(bucket, key, headers);
  throw new S3Error("MethodNotAllowed", {
    headers: { ...headers, "last-modified": version.modifiedAt.toUTCString(), allow: "DELETE" },
  });
}

export function isArchived({ storageClass }: ObjectVersion): boolean {
  return ARCHIVED.has(storageClass);
}

export function refuseArchived(version: ObjectVersion): void {
  if (!isArchived(version) || (version.restore?.until ?? null) !== null) return;
  throw new S3Error("InvalidObjectState", { details: { StorageClass: version.storageClass } });
}

function describe(call: Call, version: ObjectVersion): Reply {
  const { bucket } = call.facts;
  const range = rangeOf(call.header("range"), version.size);
  const versioned = call.query("versionId") !== undefined;
  const headers = objectHeaders(version, bucket, {
    checksum: call.header("x-amz-checksum-mode")?.toUpperCase() === "ENABLED" && range === null,
    tags: call.may(versioned ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging"),
  });
  const [ifMatch, ifNoneMatch] = [call.header("if-match"), call.header("if-none-match")];
  if (ifMatch !== undefined && !sameEtag(version, ifMatch)) {
    throw new S3Error("PreconditionFailed", { details: { Condition: "If-Match" } });
  }
  if (ifNoneMatch !== undefined && sameEtag(version, ifNoneMatch)) return empty(304, { etag: `"${version.etag}"` });
  for (const name of OVERRIDES) {
    const value = call.query(`response-${name}`);
    // Header values hold one byte a character.
    if (value !== undefined) headers[name] = Buffer.from(value).toString("latin1");
  }
  if (range === null) return empty(200, { ...headers, "content-length": String(version.size) });
  return empty(206, {
    ...headers,
    "content-length": String(range.end - range.start + 1),
    "content-range": `bytes ${range.start}-${range.end}/${version.size}`,
  });
}

/** Inclusive. `null` for the whole: no range, or one that S3 doesn't understand and ignores. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | null {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (parts === null) return null;
  const [first, last] = [parts[1] ?? "", parts[2] ?? ""];
  if (first === "" && last === "") return null;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return null;
  if (start >= size) {
    throw new S3Error("InvalidRange", {
      headers: { "content-range": `bytes */${size}` },
      details: { RangeRequested: header ?? "", ActualObjectSize: String(size) },
    });
  }
  return { start, end };
}
