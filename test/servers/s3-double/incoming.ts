/** A request as it came, taken apart: both styles of naming the bucket, headers that a presigned URL carries in its query. */
import type { IncomingMessage } from "node:http";
import { invalidArgument, S3Error } from "./s3-error.ts";
import { decodeBytes, queryPairs, utf8 } from "./sigv4.ts";
import type { WireRequest } from "./sigv4.ts";

export interface Incoming {
  readonly wire: WireRequest;
  /** Empty: the service itself was asked. */
  readonly bucket: string;
  /** Empty: the bucket itself is meant. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case; one byte a character. */
  readonly headers: ReadonlyMap<string, string>;
}

const MOST_KEY_BYTES = 1024;

export function wireOf(request: IncomingMessage): WireRequest {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const cut = mark === -1 ? url.length : mark;
  const headers: [string, string][] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    headers.push([(request.rawHeaders[at] ?? "").toLowerCase(), request.rawHeaders[at + 1] ?? ""]);
  }
  return { method: request.method ?? "", rawPath: url.slice(0, cut), rawQuery: url.slice(cut + 1), headers };
}

export function incomingOf(wire: WireRequest, isBucket: (name: string) => boolean): Incoming {
  const pairs = queryPairs(wire.rawQuery);
  const query = new Map(pairs.map(([name, value]) => [utf8(name), utf8(value)]));
  const twice = pairs.map(([name]) => name).find((name, at, names) => names.indexOf(name) !== at);
  if (twice !== undefined) throw invalidArgument(twice, "", `The query parameter ${twice} is given twice`);
  const headers = new Map<string, string>();
  for (const [name, value] of wire.headers) {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    if (lower.startsWith("x-amz-") && !headers.has(lower)) headers.set(lower, value);
  }
  return { wire, query, headers, ...placeOf(wire.rawPath, headers.get("host") ?? "", isBucket) };
}

function placeOf(rawPath: string, host: string, isBucket: (name: string) => boolean): { bucket: string; key: string } {
  if (!rawPath.startsWith("/")) throw new S3Error("InvalidURI");
  const path = utf8(decodeBytes(rawPath.slice(1)));
  const [label = "", ...rest] = host.replace(/:\d+$/, "").split(".");
  const virtual = rest.length > 0 && isBucket(label);
  const slash = path.indexOf("/");
  const cut = slash === -1 ? path.length : slash;
  const place = virtual ? { bucket: label, key: path } : { bucket: path.slice(0, cut), key: path.slice(cut + 1) };
  const size = Buffer.byteLength(place.key);
  if (size > MOST_KEY_BYTES) {
    throw new S3Error("KeyTooLongError", { details: { Size: String(size), MaxSizeAllowed: String(MOST_KEY_BYTES) } });
  }
  return place;
}
