/**
 * The arithmetic of Signature Version 4, written from AWS's description and proven by the numbers of AWS's own examples
 * (sigv4.test.ts); nothing here comes from the SDK, which is what is tested.
 */
import { createHash, createHmac } from "node:crypto";
import { S3Error } from "./s3-error.ts";

/** A request as it was on the wire; strings hold one byte a character. */
export interface WireRequest {
  readonly method: string;
  /** Before the question mark, as sent. */
  readonly rawPath: string;
  /** After the question mark, as sent. */
  readonly rawQuery: string;
  /** Names in lower case, in the order sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Scope {
  /** `YYYYMMDD` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

export const ALGORITHM = "AWS4-HMAC-SHA256";

export function signatureOf(
  request: WireRequest,
  secretAccessKey: string,
  scope: Scope,
  /** `YYYYMMDDTHHMMSSZ` */
  time: string,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const canonical = canonicalRequest(request, signedHeaders, payloadHash);
  const scopeText = `${scope.day}/${scope.region}/${scope.service}/aws4_request`;
  const hashed = createHash("sha256").update(canonical, "latin1").digest("hex");
  const text = [ALGORITHM, time, scopeText, hashed].join("\n");
  return signatureOfText(text, secretAccessKey, scope);
}

/** Of any text: the policy of a form is signed as it stands. */
export function signatureOfText(text: string, secretAccessKey: string, scope: Scope): string {
  let key: string | Buffer = `AWS4${secretAccessKey}`;
  for (const step of [scope.day, scope.region, scope.service, "aws4_request"]) key = hmac(key, step);
  return hmac(key, text).toString("hex");
}

/** One byte a character. */
export function canonicalRequest(request: WireRequest, signedHeaders: readonly string[], payloadHash: string): string {
  const headers = signedHeaders.map((name) => {
    const values = request.headers.filter(([each]) => each === name).map(([, value]) => value);
    return `${name}:${values.map((value) => value.trim().replaceAll(/ +/g, " ")).join(",")}\n`;
  });
  return [
    request.method,
    uriEncode(decodeBytes(request.rawPath), { keepSlash: true }),
    canonicalQuery(request.rawQuery),
    headers.join(""),
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

function canonicalQuery(rawQuery: string): string {
  return queryPairs(rawQuery)
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([a, x], [b, y]) => order(a, b) || order(x, y))
    .map((pair) => pair.join("="))
    .join("&");
}

/** Decoded, one byte a character. */
export function queryPairs(rawQuery: string): [name: string, value: string][] {
  return rawQuery
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const cut = equals === -1 ? pair.length : equals;
      return [decodeBytes(pair.slice(0, cut)), decodeBytes(pair.slice(cut + 1))];
    });
}

/** Percent-decoded, one byte a character. A bare `+` is a space, in S3's paths too: who means a plus sends `%2B`. */
export function decodeBytes(text: string): string {
  if (/%(?![\da-f]{2})/i.test(text)) throw new S3Error("InvalidURI");
  return text
    .replaceAll("+", " ")
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** RFC 3986, of text with one byte a character. */
export function uriEncode(bytes: string, { keepSlash = false } = {}): string {
  return bytes.replaceAll(/[^A-Za-z0-9._~-]/g, (character) =>
    keepSlash && character === "/"
      ? character
      : `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** The text that these bytes are in UTF-8; S3 has no other names. */
export function utf8(bytes: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, "latin1"));
  } catch (error) {
    throw new S3Error("InvalidURI", { message: `Not UTF-8: ${String(error)}` });
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
