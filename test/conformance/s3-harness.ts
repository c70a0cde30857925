/** What is the same of every S3 that the suite runs on. */
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { openS3 } from "../../src/storage/s3/driver.ts";
import type { S3Options } from "../../src/storage/s3/driver.ts";
import { DEFAULT_S3_SETTINGS } from "../../src/storage/s3-settings.ts";
import type { S3Settings } from "../../src/storage/s3-settings.ts";

export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export function settingsFor({ endpoint, region, credentials }: S3Server, more: Partial<S3Settings> = {}): S3Settings {
  return {
    ...DEFAULT_S3_SETTINGS,
    endpoint,
    region,
    credentials: { kind: "keys", sessionToken: null, expiresAt: null, ...credentials },
    ...more,
  };
}

export function openOn(server: S3Server, bucket: string, options: S3Options = {}): Promise<StorageDriver> {
  return openS3(bucket, { s3: () => settingsFor(server), ...options });
}

export function clientFor({ endpoint, region, credentials }: S3Server): S3Client {
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true });
}

/** As another program puts it. */
export async function plantOn(server: S3Server, bucket: string, key: string, bytes: Uint8Array): Promise<void> {
  const client = clientFor(server);
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  client.destroy();
}

/**
 * S3 tells times in whole seconds, and those of a PUT and of a delete only when it is asked afterwards: the driver
 * answers with the Date of the reply, which may be a tick later, and asks for nothing. Here it is compared, and what is
 * asked afterwards is what the suite gets.
 */
export function onTheTick(driver: StorageDriver): StorageDriver {
  return {
    ...driver,
    async put(key, body, options) {
      const stored = await driver.put(key, body, options);
      const { modifiedAt } = await driver.head(key, { signal: options.signal });
      return { ...stored, modifiedAt: sameTick(stored.modifiedAt, modifiedAt) };
    },
    async *delete(keys, options) {
      let first = true;
      for await (const result of driver.delete(keys, options)) {
        // A listing for each of a thousand keys would take longer than all the rest.
        const { deletedAt } = first ? await rowOf(driver, result.key, result) : result;
        first = false;
        yield { ...result, deletedAt: sameTick(result.deletedAt, deletedAt) };
      }
    },
  };
}

async function rowOf<T>(driver: StorageDriver, key: string, otherwise: T): Promise<T | { deletedAt: Date }> {
  if (driver.versions === undefined) return otherwise;
  const signal = new AbortController().signal;
  for await (const row of driver.versions.listDeleted(key, { signal })) return row.key === key ? row : otherwise;
  return otherwise;
}

function sameTick(told: Date, asked: Date): Date {
  const apart = Math.abs(told.getTime() - asked.getTime());
  if (apart > 10_000) throw new Error(`told ${told.toISOString()}, asked ${asked.toISOString()}`);
  return asked;
}
