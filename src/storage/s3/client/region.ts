/** Which region the bucket is in: named, or asked of the bucket itself. */
import { HeadBucketCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { headersOf } from "../failures/sdk-error.ts";

/** Where requests go until the bucket's own region is known. */
export const FIRST_REGION = "us-east-1";

/** The profile's or the environment's region, as the SDK reads them; `null` where there is none. */
export async function configuredRegion(client: S3Client): Promise<string | null> {
  try {
    return await client.config.region();
  } catch {
    // "Region is missing" is the one thing that it has to say.
    return null;
  }
}

/**
 * What S3 says of the bucket: in the reply itself or, from another region or where HeadBucket is denied, in the
 * refusal's header. `null` where it doesn't say; then the first real request tells what is wrong.
 */
export async function askRegion(client: S3Client, bucket: string, signal?: AbortSignal): Promise<string | null> {
  try {
    const output = await client.send(
      new HeadBucketCommand({ Bucket: bucket }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    return output.BucketRegion ?? null;
  } catch (error) {
    return regionIn(error);
  }
}

/** The region that a refusal names; `null` where it names none. */
export function regionIn(error: unknown): string | null {
  const { Region, Code } = Object(error) as { Region?: unknown; Code?: unknown };
  const header = headersOf(error)["x-amz-bucket-region"];
  if (header !== undefined && header !== "") return header;
  return typeof Region === "string" && Code !== undefined ? Region : null;
}
