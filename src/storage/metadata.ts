/**
 * How a record travels as metadata of an object: short names, percent-encoded ASCII values, at most 2,048 bytes.
 * S3 takes no more and changes what is not ASCII; the folder store keeps the same rule, so that everything can be
 * copied from one to the other.
 */
import { TaskflowError } from "../errors.ts";
import type { ObjectRecord, PutOptions } from "./driver.ts";

/** The most bytes of metadata as sent, names with their `x-amz-meta-` (S3 User Guide: user-defined object metadata). */
export const MAX_METADATA_BYTES = 2048;

/** What goes before each name on the wire. */
export const METADATA_PREFIX = "x-amz-meta-";

/**
 * The record as pairs for S3's `Metadata` (names without prefix). Lossless for any Unicode; lone surrogates, which
 * UTF-8 can't carry, become U+FFFD.
 */
export function encodeRecord(record: ObjectRecord): Record<string, string> {
  const pairs: Record<string, string> = {
    v: VERSION,
    sha256: record.sha256,
    size: String(record.size),
    name: encodeText(record.name),
    created: record.createdAt.toISOString(),
  };
  if (record.uploadedBy !== null) pairs["by"] = encodeText(record.uploadedBy);
  if (record.note !== null) pairs["note"] = encodeText(record.note);
  const meta = Object.entries(record.meta).map(([key, value]) => `${encodeText(key)}=${encodeText(value)}`);
  if (meta.length > 0) pairs["meta"] = meta.join("&");
  return pairs;
}

/**
 * The record that `encodeRecord` made these pairs of; `null` where there is none: other programs' metadata, a later
 * version's, or one without a proper digest, size, name or time. Names are taken in any case, other pairs left alone;
 * a text that was never percent-encoded is taken as it is.
 */
export function decodeRecord(pairs: Readonly<Record<string, string | undefined>>): ObjectRecord | null {
  const read = new Map(Object.entries(pairs).map(([name, value]) => [name.toLowerCase(), value]));
  const sha256 = read.get("sha256")?.toLowerCase();
  const size = read.get("size");
  const name = read.get("name");
  const createdAt = parseTime(read.get("created"));
  if (read.get("v") !== VERSION || sha256 === undefined || !SHA256.test(sha256)) return null;
  if (size === undefined || !isCount(size) || !name || createdAt === null) return null;
  return {
    name: decodeText(name),
    size: Number(size),
    sha256,
    createdAt,
    uploadedBy: decodeOptional(read.get("by")),
    note: decodeOptional(read.get("note")),
    meta: decodeMeta(read.get("meta")),
  };
}

/**
 * The bytes that a record will take as sent. Size and digest are counted at their longest, so that the answer is known
 * before the first byte is read and is the same for a file, a pipe and either store.
 */
export function metadataBytes(record: PutOptions["record"]): number {
  const pairs = Object.entries(encodeRecord({ ...record, size: Number.MAX_SAFE_INTEGER, sha256: "0".repeat(64) }));
  return pairs.reduce((sum, [name, value]) => sum + METADATA_PREFIX.length + name.length + value.length, 0);
}

/** @throws `usage` with the count, where a record takes more than `MAX_METADATA_BYTES`. */
export function checkMetadata(record: PutOptions["record"]): void {
  const bytes = metadataBytes(record);
  if (bytes <= MAX_METADATA_BYTES) return;
  throw new TaskflowError("usage", `the metadata takes ${bytes} bytes as sent, at most ${MAX_METADATA_BYTES} fit`, {
    hint: "shorten --note, --meta or the name; characters beyond ASCII take 6 to 12 bytes each",
    context: { bytes, limit: MAX_METADATA_BYTES },
  });
}

/** Of the encoding; a reader that doesn't know it reads nothing rather than something wrong. */
const VERSION = "1";
const SHA256 = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

function encodeText(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded, so another program wrote it, and as it is it says the most.
    return text;
  }
}

function decodeOptional(text: string | undefined): string | null {
  return text === undefined ? null : decodeText(text);
}

function decodeMeta(text: string | undefined): Record<string, string> {
  const pairs = (text ?? "").split("&").filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      return equals === -1
        ? [decodeText(pair), ""]
        : [decodeText(pair.slice(0, equals)), decodeText(pair.slice(equals + 1))];
    }),
  );
}

function parseTime(text: string | undefined): Date | null {
  if (text === undefined || !TIME.test(text)) return null;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}

function isCount(text: string): boolean {
  return /^(?:0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text));
}
