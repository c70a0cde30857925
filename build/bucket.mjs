/** As much of a bucket as the build needs to warm the program up: right answers, no signatures, all in memory. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";

/**
 * @typedef {object} Kept
 * @property {Buffer} body
 * @property {Record<string, string>} headers What a HEAD tells.
 */

const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const AT = "2026-01-01T00:00:00.000Z";

/** @returns {Promise<{ endpoint: string }>} */
export async function startBucket() {
  /** @type {Map<string, Kept & { deleted: boolean }>} */
  const objects = new Map();
  /** @type {Map<string, Buffer>} */
  const parts = new Map();
  /** @type {Record<string, string>} */
  let begun = {};

  const live = () => [...objects].filter(([, { deleted }]) => !deleted);

  /**
   * @param {string} method
   * @param {string} key
   * @param {URLSearchParams} query
   * @param {Record<string, string>} headers
   * @param {Buffer} body
   * @returns {{ status?: number, headers?: Record<string, string>, body?: string | Buffer }}
   */
  function answer(method, key, query, headers, body) {
    const has = (/** @type {string} */ name) => query.has(name);
    if (key === "") {
      if (has("versioning")) return xml("VersioningConfiguration", "<Status>Enabled</Status>");
      if (has("lifecycle")) return { ...error("NoSuchLifecycleConfiguration"), status: 404 };
      if (has("delete")) return xml("DeleteResult", removed(body.toString()).join(""));
      if (has("versions"))
        return xml("ListVersionsResult", `<Name>warm-up</Name><IsTruncated>false</IsTruncated>${versions(query)}`);
      return xml("ListBucketResult", `<Name>warm-up</Name><IsTruncated>false</IsTruncated>${contents(query)}`);
    }
    if (has("tagging")) return xml("Tagging", "<TagSet></TagSet>");
    if (has("uploads")) {
      begun = recordOf(headers);
      return xml("InitiateMultipartUploadResult", `<UploadId>1</UploadId><Key>${key}</Key>`);
    }
    if (has("partNumber")) {
      parts.set(query.get("partNumber") ?? "", body);
      return { headers: { etag: etagOf(body) } };
    }
    if (has("uploadId")) {
      objects.set(key, { body: Buffer.concat([...parts.values()]), headers: begun, deleted: false });
      return xml("CompleteMultipartUploadResult", `<Key>${key}</Key><ETag>"${"0".repeat(32)}-2"</ETag>`);
    }
    if (method === "PUT") {
      objects.set(key, { body, headers: recordOf(headers), deleted: false });
      return { headers: { etag: etagOf(body) } };
    }
    const found = objects.get(key);
    if (found === undefined || found.deleted) return { ...error("NoSuchKey"), status: 404 };
    return {
      headers: { ...found.headers, etag: etagOf(found.body), "last-modified": new Date(AT).toUTCString() },
      body: found.body,
    };
  }

  /** @param {string} asked */
  function removed(asked) {
    const targets = [...asked.matchAll(/<Key>([^<]*)<\/Key>(<VersionId>)?/g)];
    return targets.map(([, key = "", version]) => {
      const object = objects.get(key);
      if (object !== undefined) object.deleted = version === undefined;
      const marker = version === undefined ? "DeleteMarkerVersionId" : "VersionId";
      return `<Deleted><Key>${key}</Key><DeleteMarker>true</DeleteMarker><${marker}>2</${marker}></Deleted>`;
    });
  }

  /** @param {URLSearchParams} query */
  function contents(query) {
    return live()
      .filter(([key]) => key.startsWith(query.get("prefix") ?? ""))
      .toSorted(byKey)
      .map(
        ([key, { body }]) =>
          `<Contents><Key>${key}</Key><LastModified>${AT}</LastModified><ETag>${etagOf(body)}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
      )
      .join("");
  }

  /** @param {URLSearchParams} query */
  function versions(query) {
    return [...objects]
      .filter(([key]) => key.startsWith(query.get("prefix") ?? ""))
      .toSorted(byKey)
      .map(([key, { body, deleted }]) => {
        const version = `<Version><Key>${key}</Key><VersionId>1</VersionId><IsLatest>${!deleted}</IsLatest><LastModified>${AT}</LastModified><ETag>${etagOf(body)}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Version>`;
        return deleted
          ? `<DeleteMarker><Key>${key}</Key><VersionId>2</VersionId><IsLatest>true</IsLatest><LastModified>${AT}</LastModified></DeleteMarker>${version}`
          : version;
      })
      .join("");
  }

  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://bucket");
      const key = decodeURIComponent(url.pathname.split("/").slice(2).join("/"));
      const {
        status = 200,
        headers = {},
        body = "",
      } = answer(request.method ?? "", key, url.searchParams, request.headers, Buffer.concat(chunks));
      response.writeHead(status, { "x-amz-request-id": "1", ...headers, "content-length": Buffer.byteLength(body) });
      response.end(request.method === "HEAD" ? "" : body);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  return { endpoint: `http://127.0.0.1:${server.address().port}` };
}

/** @param {Record<string, string>} headers */
function recordOf(headers) {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => /^(?:x-amz-meta-.*|content-type|content-disposition)$/.test(name)),
  );
}

/** @param {Buffer} body */
function etagOf(body) {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}

/**
 * @param {string} root
 * @param {string} content
 */
function xml(root, content) {
  return {
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?><${root} ${NAMESPACE}>${content}</${root}>`,
  };
}

/** @param {string} code */
function error(code) {
  return xml("Error", `<Code>${code}</Code>`);
}

/**
 * @param {readonly [string, unknown]} a
 * @param {readonly [string, unknown]} b
 */
function byKey([a], [b]) {
  return a < b ? -1 : 1;
}
