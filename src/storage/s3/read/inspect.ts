/** Everything that S3 tells of one key. */
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { isTaskflowError } from "../../../errors.ts";
import { MOST_VERSIONS } from "../../inspection.ts";
import type { Encryption, Inspection, KeyVersion, KeyVersions, StoreChecksum } from "../../inspection.ts";
import { wholeSeconds } from "./describe.ts";
import { describeHead, headRaw } from "./head.ts";
import { NULL_VERSION, listVersions } from "../versions/key-versions.ts";
import type { Entry } from "../versions/key-versions.ts";
import type { S3Store } from "../store.ts";

/** As `StorageDriver.inspect`: two requests, one more where there are tags. */
export async function inspect(store: S3Store, key: string, signal: AbortSignal): Promise<Inspection> {
  const [output, versions] = await Promise.all([
    headWithChecksum(store, key, signal),
    versionsOrDenied(store, key, signal),
  ]);
  return {
    object: await describeHead(store, key, output, { signal }),
    encryption: encryptionOf(output),
    checksum: checksumOf(output),
    versions,
  };
}

/** Who may not use the key that it is encrypted with isn't told the checksum, nor anything else along with it. */
async function headWithChecksum(store: S3Store, key: string, signal: AbortSignal): Promise<HeadObjectCommandOutput> {
  try {
    return await headRaw(store, key, { signal, checksum: true });
  } catch (error) {
    if (!isTaskflowError(error) || error.code !== "access_denied") throw error;
    return await headRaw(store, key, { signal });
  }
}

async function versionsOrDenied(store: S3Store, key: string, signal: AbortSignal): Promise<KeyVersions | null> {
  const entries: KeyVersion[] = [];
  try {
    for await (const entry of listVersions(store, key, { signal })) {
      // The prefix comes before everything that begins with it.
      if (entry.key !== key) break;
      if (entries.length === MOST_VERSIONS) return { entries, hasMore: true };
      entries.push(keyVersionOf(entry));
    }
    return { entries, hasMore: false };
  } catch (error) {
    if (!isTaskflowError(error) || !["access_denied", "unsupported"].includes(error.code)) throw error;
    return null;
  }
}

function keyVersionOf({ versionId, isMarker, isLatest, modifiedAt, size, storageClass }: Entry): KeyVersion {
  return {
    kind: isMarker ? "delete-marker" : "version",
    id: versionId === NULL_VERSION ? null : versionId,
    isLatest,
    modifiedAt: wholeSeconds(modifiedAt),
    size,
    storageClass: isMarker ? null : storageClass,
  };
}

function encryptionOf({ ServerSideEncryption, SSEKMSKeyId }: HeadObjectCommandOutput): Encryption | null {
  return ServerSideEncryption === undefined ? null : { algorithm: ServerSideEncryption, key: SSEKMSKeyId ?? null };
}

const ALGORITHMS = ["CRC64NVME", "CRC32C", "CRC32", "SHA256", "SHA1"] as const;

function checksumOf(output: HeadObjectCommandOutput): StoreChecksum | null {
  const algorithm = ALGORITHMS.find((name) => output[`Checksum${name}`] !== undefined);
  if (algorithm === undefined) return null;
  const { ChecksumType } = output;
  return {
    algorithm,
    value: output[`Checksum${algorithm}`] ?? "",
    covers: ChecksumType === undefined ? null : ChecksumType === "COMPOSITE" ? "composite" : "bytes",
  };
}
