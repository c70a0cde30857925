/**
 * The tokens of a folder store's links: `base64url(payload).mac`. The payload is all that the link grants, as fields with
 * their lengths before them, so that no two grants have one payload; the mac is the HMAC-SHA-256 of the payload's text.
 * It is compared as text, and nothing is decoded before it fits: decoders of base64url are lax, so several texts would
 * stand for the same bytes. Pure functions: no clock, no files.
 */
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { TaskflowError } from "../../errors.ts";
import type { LinkGrant, LinkVerdict } from "../presigner.ts";

/** One key of the user's key file. */
export interface LinkKey {
  /** Public: made from the secret, 8 hex digits. */
  readonly id: string;
  /** 32 random bytes. */
  readonly secret: Uint8Array;
}

/** A user's key as one store uses it: with a key of its own, a link to one store is nothing to another. */
export interface StoreKey {
  readonly id: string;
  readonly storeId: string;
  readonly bytes: Uint8Array;
}

/** Bytes of a user's key. */
export const SECRET_BYTES = 32;

export function linkKey(secret: Uint8Array): LinkKey {
  return { id: derive(secret, "", "taskflow link key id", 4).toString("hex"), secret };
}

export function storeKey({ id, secret }: LinkKey, storeId: string): StoreKey {
  return { id, storeId, bytes: derive(secret, storeId, "taskflow link key", SECRET_BYTES) };
}

/** Errors: `usage` for a text that UTF-8 can't carry, or a grant of more than `MAX_TOKEN` characters. */
export function signLink(grant: LinkGrant, key: StoreKey): string {
  const payload = encodeFields(fieldsOf(grant, key)).toString("base64url");
  const token = `${payload}.${mac(payload, key)}`;
  if (token.length > MAX_TOKEN) throw new TaskflowError("usage", "the key and name are too long for a link");
  return token;
}

/** What a token grants, signed with any of these keys of one store. Any text may come in; it never throws. */
export function verifyLink(token: string, keys: readonly StoreKey[], now: Date): LinkVerdict {
  const dot = token.length - MAC_LENGTH - 1;
  if (token.length > MAX_TOKEN || dot < 1 || token[dot] !== ".") return { ok: false, reason: "malformed" };
  const payload = token.slice(0, dot);
  const given = token.slice(dot + 1);
  const key = keys.find((one) => isSameText(given, mac(payload, one)));
  if (key === undefined) return { ok: false, reason: "signature" };
  const grant = grantOf(decodeFields(Buffer.from(payload, "base64url")), key);
  if (grant === null) return { ok: false, reason: "malformed" };
  return now < grant.endsAt ? { ok: true, grant } : { ok: false, reason: "expired" };
}

/** A whole link must fit into a request's head of 8 KiB, with what proxies and browsers add. */
export const MAX_TOKEN = 4096;

const VERSION = "1";
/** Base64url of 32 bytes, without padding. */
const MAC_LENGTH = 43;

function derive(secret: Uint8Array, salt: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, length));
}

function mac(payload: string, key: StoreKey): string {
  return createHmac("sha256", key.bytes).update(payload).digest("base64url");
}

/** In constant time; timingSafeEqual itself throws on unequal lengths. */
function isSameText(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** In this order for ever; a change is a new version. */
function fieldsOf(grant: LinkGrant, key: StoreKey): string[] {
  const { method, endsAt, name } = grant;
  const end = String(endsAt.getTime());
  const [disposition, type, size, maxSize, sha256, once] =
    grant.method === "GET"
      ? [grant.disposition, null, null, null, null, ""]
      : ["", grant.type, grant.size, grant.maxSize, grant.sha256, "once"];
  const options = [name, disposition, type, size, maxSize, sha256, once].map((field) => String(field ?? ""));
  return [VERSION, key.storeId, key.id, method, grant.key, end, ...options];
}

/** `null` for what this version doesn't write. */
function grantOf(fields: readonly string[] | null, { id, storeId }: StoreKey): LinkGrant | null {
  if (fields === null || fields.length !== 13) return null;
  const [version, store, keyId, method, key = "", end = "", ...options] = fields;
  const [name = "", disposition, type = "", size = "", maxSize = "", sha256 = "", once] = options;
  if (version !== VERSION || store !== storeId || keyId !== id || key === "" || name === "") return null;
  if (!/^[1-9]\d{0,14}$/.test(end)) return null;
  const endsAt = new Date(Number(end));
  if (method === "GET") {
    if (disposition !== "attachment" && disposition !== "inline") return null;
    return [type, size, maxSize, sha256, once].join("") === "" ? { method, key, endsAt, name, disposition } : null;
  }
  if (method !== "PUT" || disposition !== "" || once !== "once" || !/^(?:[0-9a-f]{64})?$/.test(sha256)) return null;
  if (!isCount(size) || !isCount(maxSize)) return null;
  const numberOf = (text: string): number | null => (text === "" ? null : Number(text));
  return {
    method,
    key,
    endsAt,
    name,
    type: type === "" ? null : type,
    size: numberOf(size),
    maxSize: numberOf(maxSize),
    sha256: sha256 === "" ? null : sha256,
  };
}

function isCount(text: string): boolean {
  return /^(?:|0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text));
}

const LENGTH_BYTES = 2;

function encodeFields(fields: readonly string[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field);
      if (bytes.toString() !== field || bytes.length > 0xffff) {
        throw new TaskflowError("usage", `${JSON.stringify(field.slice(0, 100))} can't be in a link`);
      }
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** `null` where lengths and bytes don't fit. */
function decodeFields(bytes: Buffer): string[] | null {
  const fields: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + LENGTH_BYTES > bytes.length) return null;
    const end = at + LENGTH_BYTES + bytes.readUInt16BE(at);
    if (end > bytes.length) return null;
    fields.push(bytes.toString("utf8", at + LENGTH_BYTES, end));
    at = end;
  }
  return fields;
}
