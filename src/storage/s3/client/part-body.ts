/** What a request sends: bytes in memory, or bytes that are read as they go. */
import type { UploadPartCommandInput } from "@aws-sdk/client-s3";

/** Sent from its first byte each time it is sent, so a part of a file needn't be in memory for that. */
export interface PartBody {
  /** Bytes. */
  readonly length: number;
  /**
   * Some of the bytes from `position` on, at least one and at most `most`; valid until the next call. Rejects with what
   * the request is to fail with.
   */
  read(position: number, most: number): Uint8Array | Promise<Uint8Array>;
}

/** The SDK hands a body on as it is, to our own transport; its types know bytes and streams only, and it repeats no stream. */
export function asSdkBody(body: PartBody): NonNullable<UploadPartCommandInput["Body"]> {
  return body as unknown as NonNullable<UploadPartCommandInput["Body"]>;
}

export function inMemory(bytes: Uint8Array): PartBody {
  return { length: bytes.length, read: (position, most) => bytes.subarray(position, position + most) };
}
