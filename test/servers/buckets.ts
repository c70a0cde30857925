/** Buckets of a test server, made, filled and cleared with the SDK alone. */
import { randomBytes } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { TestServer } from "./test-server.ts";

export type Versioning = "Enabled" | "Suspended" | "Unversioned";

export interface Buckets {
  /** For looking at what is there as another program does. */
  readonly client: S3Client;
  /** The name of a new bucket. */
  create(versioning: Versioning): Promise<string>;
  setVersioning(bucket: string, versioning: "Enabled" | "Suspended"): Promise<void>;
  versioningOf(bucket: string): Promise<Versioning>;
  /** As any other program puts it. */
  plant(bucket: string, key: string, bytes: Uint8Array): Promise<void>;
  /** Destroys whatever is under the prefix: versions, markers, unfinished uploads. */
  clear(bucket: string, prefix: string): Promise<void>;
  close(): void;
}

export function openBuckets({ endpoint, region, owner, addBucket }: TestServer): Buckets {
  const client = new S3Client({
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    region: region ?? "us-east-1",
    ...(owner === null ? {} : { credentials: { ...owner } }),
    followRegionRedirects: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });

  async function setVersioning(bucket: string, versioning: "Enabled" | "Suspended"): Promise<void> {
    await client.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: versioning } }),
    );
  }

  return {
    client,
    async create(versioning) {
      const bucket = `taskflow-test-${randomBytes(6).toString("hex")}`;
      if (addBucket === undefined) await client.send(new CreateBucketCommand({ Bucket: bucket }));
      else addBucket(bucket);
      if (versioning !== "Unversioned") await setVersioning(bucket, versioning);
      return bucket;
    },
    setVersioning,
    async versioningOf(bucket) {
      const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: bucket }));
      return Status ?? "Unversioned";
    },
    async plant(bucket, key, bytes) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
    },
    async clear(bucket, prefix) {
      await removeVersions(client, bucket, prefix);
      await removeUploads(client, bucket, prefix);
    },
    close: () => client.destroy(),
  };
}

async function removeVersions(client: S3Client, Bucket: string, Prefix: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
    const entries = [...Versions, ...DeleteMarkers];
    if (entries.length === 0) return;
    const Objects = entries.map(({ Key = "", VersionId }) => ({
      Key,
      ...(VersionId === undefined ? {} : { VersionId }),
    }));
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    const [first] = Errors;
    if (first !== undefined) {
      throw new Error(`${Errors.length} objects stay in ${Bucket}: ${first.Key}: ${first.Code} ${first.Message}`);
    }
  }
}

async function removeUploads(client: S3Client, Bucket: string, Prefix: string): Promise<void> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  for (const { Key, UploadId } of Uploads) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
}
