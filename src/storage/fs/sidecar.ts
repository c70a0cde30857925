/** What is recorded with an object, in a file of its own; also the claim of its key. Immutable once written. */
import type { ObjectRecord } from "../driver.ts";
import { levelsExist, ownLevels } from "./levels.ts";
import type { Layout, Place } from "./paths.ts";
import { readSmall } from "./small-file.ts";

export interface Sidecar {
  readonly type: string | null;
  readonly record: ObjectRecord | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Present: there is one, but it can't be read as one, for this reason. */
  readonly damaged?: string;
}

export interface Written {
  readonly type: string;
  readonly record: ObjectRecord;
  readonly tags: Readonly<Record<string, string>>;
}

/** The bytes of a key's sidecar. */
export function encodeSidecar(key: string, { record, type, tags }: Written): Uint8Array {
  const { name, size, sha256, createdAt, uploadedBy, note, meta } = record;
  const value = { v: VERSION, key, name, size, sha256, type, createdAt, uploadedBy, note, meta, tags };
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** A claim on the key of an object that was never recorded: while it lies in the trash nobody may put another there. */
export function encodeUnrecorded(key: string): Uint8Array {
  return Buffer.from(`${JSON.stringify({ v: VERSION, key, unrecorded: true })}\n`);
}

/** What a key's sidecar says; nothing, where there is none or it is another key's. */
export function readSidecar(layout: Layout, place: Place): Sidecar {
  if (!levelsExist(...ownLevels(layout, "sidecars", place.directory))) return NOTHING;
  const text = readSmall(place.sidecar);
  if (text === null) return NOTHING;
  if (typeof text !== "string") return { ...NOTHING, damaged: `its record ${text.unreadable}` };
  return parseSidecar(text, place.key);
}

/** The key that a sidecar says it is of, whichever it is called; `null` where it doesn't say. */
export function keyInSidecar(file: string): string | null {
  const text = readSmall(file);
  try {
    const value: unknown = JSON.parse(typeof text === "string" ? text : "");
    return isObject(value) && typeof value["key"] === "string" ? value["key"] : null;
  } catch {
    // Cut short by a crash.
    return null;
  }
}

/** Of the sidecar's fields. */
const VERSION = 1;
const NOTHING: Sidecar = { type: null, record: null, tags: {} };

function parseSidecar(text: string, key: string): Sidecar {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words quote the file; that it is no JSON says enough.
    return { ...NOTHING, damaged: "its record is not JSON, perhaps cut short" };
  }
  if (!isObject(value)) return { ...NOTHING, damaged: "its record is not a JSON object" };
  if (typeof value["key"] !== "string") return { ...NOTHING, damaged: "its record names no key" };
  if (value["key"] !== key) return NOTHING;
  if (value["v"] !== VERSION) return { ...NOTHING, damaged: `its record is of version ${String(value["v"])}` };
  if (value["unrecorded"] === true) return NOTHING;
  return parseFields(value);
}

function parseFields(value: Record<string, unknown>): Sidecar {
  const { name, size, sha256, type, createdAt, uploadedBy, note, meta, tags } = value;
  const created = typeof createdAt === "string" ? new Date(createdAt) : new Date(Number.NaN);
  if (typeof name !== "string") return wrong("name");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return wrong("size");
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return wrong("sha256");
  if (typeof type !== "string") return wrong("type");
  if (Number.isNaN(created.getTime())) return wrong("createdAt");
  if (!isTextOrNull(uploadedBy)) return wrong("uploadedBy");
  if (!isTextOrNull(note)) return wrong("note");
  if (!isTexts(meta)) return wrong("meta");
  if (!isTexts(tags)) return wrong("tags");
  return { type, record: { name, size, sha256, createdAt: created, uploadedBy, note, meta }, tags };
}

function wrong(field: string): Sidecar {
  return { ...NOTHING, damaged: `its record has no proper ${field}` };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isTexts(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((text) => typeof text === "string");
}
