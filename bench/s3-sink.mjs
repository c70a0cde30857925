/**
 * As much of S3 as an upload and a listing ask for, over TLS, with nothing behind it: bodies are counted, checksummed
 * and dropped, keys are made up. So what is measured against it is the client, not a store. Signatures are not looked
 * at.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import path from "node:path";
import { crc32 } from "node:zlib";
import { unframed } from "./aws-chunked.mjs";

/**
 * @typedef {object} Sunk
 * @property {number} size
 * @property {readonly { size: number, crc: number }[]} parts In their order; one of what was put at once.
 */

/**
 * @typedef {object} Sink
 * @property {number} port
 * @property {string} host The name of AWS that its certificate is for, beside 127.0.0.1.
 * @property {string} caFile What trusts it.
 * @property {() => Sunk[]} take What was uploaded since the last call.
 * @property {(count: number) => void} hold Lists so many keys from now on.
 * @property {() => Promise<void>} close
 */

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

const PAGE = 1000;
const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

const HOST = "s3.us-east-1.amazonaws.com";

/**
 * @param {string} folder For the certificate.
 * @returns {Promise<Sink>}
 */
export async function startSink(folder) {
  const [key, caFile] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", `subjectAltName=DNS:${HOST},IP:127.0.0.1`];
  const made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", caFile];
  execFileSync("openssl", ["req", ...made, ...names], { stdio: "ignore" });
  /** @type {Sunk[]} */
  let sunk = [];
  /** @type {Map<string, { size: number, crc: number }[]>} */
  const uploads = new Map();
  /** @type {string[]} */
  let pages = [];

  /**
   * @param {Request} request
   * @param {Response} response
   */
  async function answer(request, response) {
    const url = new URL(request.url ?? "/", "http://sink");
    const body = await swallow(request);
    const uploadId = url.searchParams.get("uploadId");
    // The bucket is there, and no object.
    if (request.method === "HEAD") return reply(response, /^\/bucket\/?$/.test(url.pathname) ? 200 : 404, "");
    if (request.method === "GET") {
      const token = Number(url.searchParams.get("continuation-token") ?? 0);
      return reply(response, 200, pages[token] ?? "");
    }
    if (request.method === "PUT" && uploadId !== null) {
      const number = Number(url.searchParams.get("partNumber"));
      const parts = uploads.get(uploadId) ?? [];
      parts[number - 1] = body;
      return reply(response, 200, "", { etag: `"${number}"` });
    }
    if (request.method === "PUT") {
      sunk.push({ size: body.size, parts: [body] });
      return reply(response, 200, "", { etag: '"1"' });
    }
    if (url.searchParams.has("uploads")) {
      const id = `upload-${uploads.size}`;
      uploads.set(id, []);
      const names = "<Bucket>bucket</Bucket><Key>key</Key>";
      return reply(response, 200, xml("InitiateMultipartUploadResult", `${names}<UploadId>${id}</UploadId>`));
    }
    const parts = uploads.get(uploadId ?? "") ?? [];
    sunk.push({ size: parts.reduce((sum, { size }) => sum + size, 0), parts });
    return reply(response, 200, xml("CompleteMultipartUploadResult", '<ETag>"whole-1"</ETag>'));
  }

  const tls = { key: readFileSync(key, "utf8"), cert: readFileSync(caFile, "utf8") };
  const server = createServer(tls, (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise((resolve) => void server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    host: HOST,
    caFile,
    take() {
      const taken = sunk;
      sunk = [];
      return taken;
    },
    hold(count) {
      pages = pagesOf(count);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {Request} request
 * @returns {Promise<{ size: number, crc: number }>}
 */
async function swallow(request) {
  let size = 0;
  let crc = 0;
  const isFramed = request.headers["content-encoding"] === "aws-chunked";
  for await (const chunk of isFramed ? unframed(request) : request) {
    size += chunk.length;
    crc = crc32(chunk, crc);
  }
  return { size, crc };
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {string} body
 * @param {Readonly<Record<string, string>>} [headers]
 */
function reply(response, status, body, headers = {}) {
  response.writeHead(status, {
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(body),
    "x-amz-request-id": "SINK",
    ...headers,
  });
  response.end(body);
}

/**
 * @param {string} name
 * @param {string} content
 */
function xml(name, content) {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} ${NAMESPACE}>${content}</${name}>`;
}

/**
 * Pages of a listing of `count` attachments, 100 a task, in key order. The token of a page is its number.
 * @param {number} count
 */
function pagesOf(count) {
  const keys = Array.from({ length: count }, (_, at) => {
    const [task, number] = [Math.floor(at / 100), at % 100];
    const hex = at.toString(16).padStart(12, "0");
    return `tasks/T-${String(task).padStart(6, "0")}/0b9c6f0e-0000-4000-8000-${hex}_report%20${number}.pdf`;
  });
  return Array.from({ length: Math.max(1, Math.ceil(count / PAGE)) }, (_, page) => {
    const some = keys.slice(page * PAGE, (page + 1) * PAGE);
    const isLast = (page + 1) * PAGE >= count;
    const next = isLast ? "" : `<NextContinuationToken>${page + 1}</NextContinuationToken>`;
    const head = `<Name>bucket</Name><Prefix></Prefix><KeyCount>${some.length}</KeyCount><MaxKeys>${PAGE}</MaxKeys>`;
    const rows = some.map((key) => `<Contents><Key>${key}</Key>${FACTS}</Contents>`).join("");
    return xml(
      "ListBucketResult",
      `${head}<EncodingType>url</EncodingType><IsTruncated>${!isLast}</IsTruncated>${next}${rows}`,
    );
  });
}

const FACTS =
  "<LastModified>2026-11-01T12:00:00.000Z</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag>" +
  "<Size>123456</Size><StorageClass>STANDARD</StorageClass>";
