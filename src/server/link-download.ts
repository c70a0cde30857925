/** GET and HEAD by a link: an attachment's bytes, verified on their way. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { dispositionOf } from "../attachments/presign.ts";
import { isPdf, isSafeToShow, servedType } from "../attachments/served-type.ts";
import { TaskflowError } from "../errors.ts";
import type { StorageDriver, StoredObject } from "../storage/driver.ts";
import type { GetGrant } from "../storage/presigner.ts";
import { checkConditions, rangeCounts } from "./conditions.ts";
import { GUARDS, sendReply } from "./exchange.ts";
import type { Answered, Exchange } from "./exchange.ts";
import { parseRange } from "./ranges.ts";

/**
 * Answers a GET or HEAD that was granted. Errors: `not_found`; `checksum_mismatch` where the stored bytes are not those
 * that were recorded: known beforehand it is an answer, known at the end of the bytes it cuts the connection, so that
 * nobody takes them for whole.
 */
export async function sendAttachment(
  exchange: Exchange,
  grant: GetGrant,
  driver: StorageDriver,
  lingerMs: number,
): Promise<Answered> {
  const { req, res, signal } = exchange;
  const object = await driver.head(grant.key, { signal });
  refuseDamaged(object);
  const validators = { etag: etagOf(object), modifiedAt: object.modifiedAt };
  const describing = { ETag: validators.etag, "Last-Modified": object.modifiedAt.toUTCString() };
  const note = grant.key;
  const condition = checkConditions(req.headers, validators);
  if (condition !== null) {
    await sendReply(exchange, { status: condition, headers: describing }, lingerMs);
    return { note };
  }
  // A range is defined for GET alone (RFC 9110, section 14.2).
  const header = req.method === "GET" && rangeCounts(req.headers, validators) ? req.headers.range : undefined;
  const range = parseRange(header, object.size);
  if (range === "unsatisfiable") {
    const headers = { ...describing, "Content-Range": `bytes */${object.size}` };
    await sendReply(exchange, { status: 416, headers, text: `there are ${object.size} bytes` }, lingerMs);
    return { note };
  }
  const headers = { ...contentHeaders(object, grant), ...describing };
  if (req.method === "HEAD") {
    res.writeHead(200, { ...headers, "Content-Length": object.size }).end();
    return { note };
  }
  const { chunks } = await driver.get(grant.key, { signal, ...(range === null ? {} : { range }) });
  if (range === null) {
    res.writeHead(200, { ...headers, "Content-Length": object.size });
    return { note, bytes: await sendWhole(res, chunks, object) };
  }
  const { start, end } = range;
  res.writeHead(206, {
    ...headers,
    "Content-Range": `bytes ${start}-${end}/${object.size}`,
    "Content-Length": end - start + 1,
  });
  return { note, bytes: await sendChunks(res, chunks) };
}

/** Strong where the content's digest is known: then it never changes without its ETag. */
function etagOf({ record, size, modifiedAt }: StoredObject): string {
  return record === null ? `W/"${size.toString(16)}-${modifiedAt.getTime().toString(16)}"` : `"${record.sha256}"`;
}

function contentHeaders({ type, record }: StoredObject, { name, disposition }: GetGrant): OutgoingHttpHeaders {
  const { "Content-Security-Policy": policy, ...guards } = GUARDS;
  return {
    ...guards,
    // Chrome's own viewer doesn't run in a sandbox.
    ...(isPdf(type) ? {} : { "Content-Security-Policy": policy }),
    "Accept-Ranges": "bytes",
    "Content-Type": servedType(type),
    "Content-Disposition": dispositionOf(name, isSafeToShow(type) ? disposition : "attachment").header,
    ...(record === null ? {} : { "Repr-Digest": `sha-256=:${Buffer.from(record.sha256, "hex").toString("base64")}:` }),
  };
}

function refuseDamaged({ key, damaged, record, size }: StoredObject): void {
  const wrong = record !== null && record.size !== size ? `${size} bytes, ${record.size} were recorded` : damaged;
  if (wrong === undefined) return;
  throw new TaskflowError("checksum_mismatch", `${key} is damaged: ${wrong}`, { context: { stored: true } });
}

/** Keeps the last chunk back until the digest is known: a client that has all bytes would think them good. */
async function sendWhole(
  res: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  { key, record }: StoredObject,
): Promise<number> {
  const hash = createHash("sha256");
  async function* verified(): AsyncGenerator<Uint8Array, void, undefined> {
    let held: Uint8Array | null = null;
    for await (const chunk of chunks) {
      if (held !== null) yield held;
      hash.update(chunk);
      held = chunk;
    }
    if (record !== null && hash.digest("hex") !== record.sha256) {
      throw new TaskflowError("checksum_mismatch", `${key} is damaged: its SHA-256 is not the recorded one`);
    }
    if (held !== null) yield held;
  }
  return await sendChunks(res, verified());
}

async function sendChunks(res: ServerResponse, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) {
    if (res.destroyed) throw new TaskflowError("network", "the client left");
    bytes += chunk.length;
    if (!res.write(chunk)) await drained(res);
  }
  res.end();
  return bytes;
}

/** Also ends when the connection does: the client's leaving, or its standing still (`stalledMs`). */
async function drained(res: ServerResponse): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([once(res, "drain", over), once(res, "close", over)]);
  } finally {
    over.abort();
  }
}
