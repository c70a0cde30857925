/** The checksums that S3 takes, and the CRC of a whole from the CRCs of its parts. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { invalidRequest, notImplemented } from "./s3-error.ts";

export const ALGORITHMS = ["CRC32", "CRC32C", "SHA1", "SHA256"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface Checksum {
  readonly algorithm: Algorithm;
  /** `COMPOSITE`: the checksum of the parts' checksums, with `-` and the number of parts. */
  readonly type: "FULL_OBJECT" | "COMPOSITE";
  /** Base64. */
  readonly value: string;
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export function hasherOf(algorithm: Algorithm): Hasher {
  if (algorithm === "SHA1" || algorithm === "SHA256") {
    const hash = createHash(algorithm.toLowerCase());
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
  }
  let crc = 0;
  const step =
    algorithm === "CRC32"
      ? (bytes: Uint8Array): number => crc32(bytes, crc)
      : (bytes: Uint8Array): number => crc32c(bytes, crc);
  return {
    update(bytes) {
      crc = step(bytes);
    },
    digest: () => bigEndian(crc),
  };
}

export function digestOf(algorithm: Algorithm, bytes: Uint8Array): string {
  const hasher = hasherOf(algorithm);
  hasher.update(bytes);
  return hasher.digest().toString("base64");
}

export function headerName(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function algorithmNamed(name: string): Algorithm {
  const algorithm = ALGORITHMS.find((each) => each === name.toUpperCase());
  if (algorithm !== undefined) return algorithm;
  if (name.toUpperCase() === "CRC64NVME") throw notImplemented("CRC64NVME");
  throw invalidRequest(
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${ALGORITHMS.join(", ")}]`,
  );
}

/** The one checksum that a request states. */
export function statedChecksum(headers: ReadonlyMap<string, string>): { algorithm: Algorithm; value: string } | null {
  if (headers.has("x-amz-checksum-crc64nvme")) throw notImplemented("CRC64NVME");
  const stated = ALGORITHMS.filter((algorithm) => headers.has(headerName(algorithm)));
  if (stated.length > 1)
    throw invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  const declared = headers.get("x-amz-sdk-checksum-algorithm");
  const [algorithm] = stated;
  if (algorithm === undefined) {
    if (declared === undefined) return null;
    throw invalidRequest(
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  if (declared !== undefined && algorithmNamed(declared) !== algorithm) {
    throw invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return { algorithm, value: headers.get(headerName(algorithm)) ?? "" };
}

/** `value` without the `-n` of composite ones. */
export function isWellFormed(algorithm: Algorithm, value: string): boolean {
  const bytes = Buffer.from(value, "base64");
  return (
    bytes.toString("base64") === value && bytes.length === { CRC32: 4, CRC32C: 4, SHA1: 20, SHA256: 32 }[algorithm]
  );
}

/** The CRC of two pieces from their CRCs, all in base64: zlib's way, by squaring the matrix of one zero bit. */
export function combine(algorithm: "CRC32" | "CRC32C", first: string, second: string, secondBytes: number): string {
  let crc = Buffer.from(first, "base64").readUInt32BE();
  let matrix = [algorithm === "CRC32" ? 0xedb88320 : 0x82f63b78, ...Array.from({ length: 31 }, (_, bit) => 2 ** bit)];
  for (let power = 0; power < 3; power += 1) matrix = square(matrix);
  for (let left = secondBytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) crc = times(matrix, crc);
    matrix = square(matrix);
  }
  return bigEndian((crc ^ Buffer.from(second, "base64").readUInt32BE()) >>> 0).toString("base64");
}

function times(matrix: readonly number[], vector: number): number {
  let sum = 0;
  for (const [bit, row] of matrix.entries()) if ((vector >>> bit) & 1) sum ^= row;
  return sum >>> 0;
}

function square(matrix: readonly number[]): number[] {
  return matrix.map((row) => times(matrix, row));
}

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(bytes: Uint8Array, before: number): number {
  let crc = ~before;
  for (const byte of bytes) crc = (CRC32C_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function bigEndian(crc: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes;
}
