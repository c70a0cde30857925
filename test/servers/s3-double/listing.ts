/** ListObjectsV2 and ListObjectVersions. */
import type { Version } from "./bucket.ts";
import { xmlReply } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { invalidArgument } from "./s3-error.ts";
import { uriEncode } from "./sigv4.ts";
import { element, raw, s3Document } from "./xml.ts";

/** What a broken server gives again and again; taken as an honest token only while it plays broken. */
const SAME_TOKEN = "c2FtZQ";

export function listObjectsV2(call: Call): Reply {
  const { bucket, listingQuirk } = call.facts;
  const [prefix, delimiter] = [call.query("prefix") ?? "", call.query("delimiter") ?? ""];
  const [startAfter, token] = [call.query("start-after"), call.query("continuation-token")];
  const most = pageSize(call, "max-keys");
  const encode = encoder(call);
  const after = token === undefined ? startAfter : tokenKey(token, listingQuirk !== null);
  const contents: string[] = [];
  const groups = new Set<string>();
  let last: string | null = null;
  let truncated = false;
  for (const { key, versions } of bucket.entries(laterKey(prefix, after ?? ""))) {
    if (!key.startsWith(prefix)) {
      if (Buffer.compare(Buffer.from(key), Buffer.from(prefix)) > 0) break;
      continue;
    }
    const [version] = versions;
    const group = groupOf(key, prefix, delimiter);
    const known = group !== null && (groups.has(group) || after === group);
    if (version?.kind !== "object" || key === after || known) continue;
    if (contents.length + groups.size >= most) {
      truncated = most > 0;
      break;
    }
    last = group ?? key;
    if (group !== null) groups.add(group);
    else contents.push(element("Contents", { Key: encode(key), ...facts(version), ...checksumFacts(version) }));
  }
  const next = truncated && last !== null ? Buffer.from(last).toString("base64url") : undefined;
  return xmlReply(
    s3Document(
      "ListBucketResult",
      {
        Name: bucket.name,
        Prefix: encode(prefix),
        Delimiter: delimiter === "" ? undefined : encode(delimiter),
        MaxKeys: call.query("max-keys") ?? 1000,
        EncodingType: call.query("encoding-type"),
        KeyCount: contents.length + groups.size,
        StartAfter: startAfter === undefined ? undefined : encode(startAfter),
        ContinuationToken: token,
        IsTruncated: truncated || listingQuirk !== null,
        NextContinuationToken: quirked(next, SAME_TOKEN, call),
        CommonPrefixes: [...groups].map((group) => ({ Prefix: encode(group) })),
      },
      raw(contents.join("")),
    ),
  );
}

export function listObjectVersions(call: Call): Reply {
  const { bucket, listingQuirk } = call.facts;
  const prefix = call.query("prefix") ?? "";
  const [keyMarker, idMarker] = [call.query("key-marker") ?? "", call.query("version-id-marker") ?? ""];
  if (idMarker !== "" && keyMarker === "") {
    throw invalidArgument(
      "version-id-marker",
      idMarker,
      "A version-id marker cannot be specified without a key marker.",
    );
  }
  const most = pageSize(call, "max-keys");
  const encode = encoder(call);
  const rows: string[] = [];
  let last: Version | null = null;
  let truncated = false;
  for (const { key, versions } of bucket.entries(laterKey(prefix, keyMarker))) {
    if (truncated || (!key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(prefix)) > 0)) break;
    if (!key.startsWith(prefix)) continue;
    for (const version of key === keyMarker ? afterMarker(versions, idMarker) : versions) {
      if (rows.length >= most) {
        truncated = most > 0;
        break;
      }
      last = version;
      const common = { Key: encode(key), VersionId: version.versionId, IsLatest: version === versions[0] };
      rows.push(
        version.kind === "object"
          ? element("Version", { ...common, ...facts(version), ...checksumFacts(version), Owner: OWNER })
          : element("DeleteMarker", { ...common, LastModified: version.modifiedAt.toISOString(), Owner: OWNER }),
      );
    }
  }
  return xmlReply(
    s3Document(
      "ListVersionsResult",
      {
        Name: bucket.name,
        Prefix: encode(prefix),
        KeyMarker: encode(keyMarker),
        VersionIdMarker: idMarker,
        MaxKeys: call.query("max-keys") ?? 1000,
        EncodingType: call.query("encoding-type"),
        IsTruncated: truncated || listingQuirk !== null,
        NextKeyMarker: quirked(truncated && last !== null ? encode(last.key) : undefined, encode(keyMarker), call),
        NextVersionIdMarker: quirked(truncated ? last?.versionId : undefined, idMarker, call),
      },
      raw(rows.join("")),
    ),
  );
}

const OWNER = { ID: "0000000000000000000000000000000000000000000000000000000000000000" };

/** Without a version's id all versions of the marker's key are behind; with one that is gone, too. */
function afterMarker(versions: readonly Version[], idMarker: string): readonly Version[] {
  const at = idMarker === "" ? -1 : versions.findIndex(({ versionId }) => versionId === idMarker);
  return at === -1 ? [] : versions.slice(at + 1);
}

function quirked(honest: string | undefined, same: string, call: Call): string | undefined {
  switch (call.facts.listingQuirk) {
    case "same-token":
      return same;
    case "truncated-without-token":
      return undefined;
    default:
      return honest;
  }
}

function facts(version: Version & { kind: "object" }): Record<string, string | number> {
  return {
    LastModified: version.modifiedAt.toISOString(),
    ETag: `"${version.etag}"`,
    Size: version.size,
    StorageClass: version.storageClass,
  };
}

function checksumFacts({ checksum }: Version & { kind: "object" }): Record<string, string> {
  return checksum === null ? {} : { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type };
}

function groupOf(key: string, prefix: string, delimiter: string): string | null {
  const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? null : key.slice(0, at + delimiter.length);
}

function laterKey(a: string, b: string): string {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 ? b : a;
}

function tokenKey(token: string, broken: boolean): string {
  const key = Buffer.from(token, "base64url");
  if (broken && token === SAME_TOKEN) return "";
  if (key.toString("base64url") !== token || token === "") {
    throw invalidArgument("continuation-token", token, "The continuation token provided is incorrect");
  }
  return key.toString("utf8");
}

/** At most the double's own page, which tests make smaller. */
export function pageSize(call: Call, name: string): number {
  const asked = call.query(name);
  if (asked !== undefined && !/^\d{1,9}$/.test(asked))
    throw invalidArgument(name, asked, `Provided ${name} not an integer or within integer range`);
  return Math.min(Number(asked ?? 1000), call.facts.world.limits.listPage);
}

/** With `encoding-type=url` as S3 writes it: a space is `+`, a slash is itself. */
export function encoder(call: Call): (text: string) => string {
  const type = call.query("encoding-type");
  if (type === undefined) return (text) => text;
  if (type !== "url") throw invalidArgument("encoding-type", type, "Invalid Encoding Method specified in Request");
  return (text) => uriEncode(Buffer.from(text).toString("latin1"), { keepSlash: true }).replaceAll("%20", "+");
}
