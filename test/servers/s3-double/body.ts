/** The body of a request: read once, hashed while it is read, and held against everything that the request says of it. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { digestOf, hasherOf, headerName, isWellFormed, statedChecksum } from "./checksums.ts";
import type { Algorithm } from "./checksums.ts";
import { invalidRequest, notImplemented, S3Error } from "./s3-error.ts";

export interface Received {
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  /** Hex. */
  readonly sha256: string | null;
  /** `null`: hashed and dropped. */
  readonly bytes: Buffer | null;
  /** Base64. */
  readonly sums: ReadonlyMap<Algorithm, string>;
}

export const NO_BODY: Received = {
  size: 0,
  md5: createHash("md5").digest("hex"),
  sha256: createHash("sha256").digest("hex"),
  bytes: Buffer.alloc(0),
  sums: new Map(),
};

/** As if it had been a body of its own. */
export function receivedOf(bytes: Buffer, algorithms: ReadonlySet<Algorithm>): Received {
  return {
    size: bytes.length,
    md5: createHash("md5").update(bytes).digest("hex"),
    sha256: null,
    bytes,
    sums: new Map([...algorithms].map((algorithm) => [algorithm, digestOf(algorithm, bytes)])),
  };
}

export interface ReadOptions {
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly sha256: boolean;
  readonly keep: boolean;
  /** A byte to spoil, as a bad line would. */
  readonly flipAt: number | null;
  readonly onBytes: (count: number) => void;
}

/** Rejects where the sender goes away before the end. */
export async function readBody(request: IncomingMessage, options: ReadOptions): Promise<Received> {
  const md5 = createHash("md5");
  const sha256 = options.sha256 ? createHash("sha256") : null;
  const hashers = [...options.algorithms].map((algorithm) => [algorithm, hasherOf(algorithm)] as const);
  const kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (options.flipAt !== null) flip(chunk, options.flipAt - size);
    size += chunk.length;
    md5.update(chunk);
    sha256?.update(chunk);
    for (const [, hasher] of hashers) hasher.update(chunk);
    if (options.keep) kept.push(chunk);
    options.onBytes(chunk.length);
  }
  return {
    size,
    md5: md5.digest("hex"),
    sha256: sha256?.digest("hex") ?? null,
    bytes: options.keep ? Buffer.concat(kept) : null,
    sums: new Map(hashers.map(([algorithm, hasher]) => [algorithm, hasher.digest().toString("base64")])),
  };
}

export function flip(bytes: Uint8Array, at: number): void {
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = byte ^ 1;
}

/** What can be refused before a byte is read. */
export function checkBodyHeaders(headers: ReadonlyMap<string, string>, payloadHash: string): void {
  if (headers.has("transfer-encoding")) {
    throw new S3Error("NotImplemented", { details: { Header: "Transfer-Encoding" } });
  }
  if (payloadHash.startsWith("STREAMING-") || headers.get("content-encoding")?.includes("aws-chunked") === true) {
    throw notImplemented("aws-chunked bodies: send Content-Length and the bytes themselves");
  }
  if (payloadHash !== "UNSIGNED-PAYLOAD" && !/^[\da-f]{64}$/.test(payloadHash)) {
    throw new S3Error("InvalidArgument", {
      message:
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.",
    });
  }
}

/** `contentOnly`: the stated checksum is of something else than this body, as at CompleteMultipartUpload. */
export function verifyBody(
  body: Received,
  headers: ReadonlyMap<string, string>,
  payloadHash: string,
  { checksumIsOfBody }: { checksumIsOfBody: boolean },
): void {
  if (payloadHash !== "UNSIGNED-PAYLOAD" && body.sha256 !== payloadHash) {
    throw new S3Error("XAmzContentSHA256Mismatch", {
      details: { ClientComputedContentSHA256: payloadHash, S3ComputedContentSHA256: body.sha256 ?? "" },
    });
  }
  const md5 = headers.get("content-md5");
  if (md5 !== undefined) {
    const stated = Buffer.from(md5, "base64");
    if (stated.length !== 16 || stated.toString("base64") !== md5)
      throw new S3Error("InvalidDigest", { details: { "Content-MD5": md5 } });
    if (stated.toString("hex") !== body.md5) {
      const calculated = Buffer.from(body.md5, "hex").toString("base64");
      throw new S3Error("BadDigest", { details: { ExpectedDigest: md5, CalculatedDigest: calculated } });
    }
  }
  const stated = checksumIsOfBody ? statedChecksum(headers) : null;
  if (stated === null) return;
  if (!isWellFormed(stated.algorithm, stated.value))
    throw invalidRequest(`Value for ${headerName(stated.algorithm)} header is invalid.`);
  if (body.sums.get(stated.algorithm) !== stated.value) {
    throw new S3Error("BadDigest", {
      message: `The ${stated.algorithm} you specified did not match the calculated checksum.`,
    });
  }
}
