/** Whether the bucket keeps what is deleted: asked once, and only where an answer depends on it. */
import { GetBucketVersioningCommand } from "@aws-sdk/client-s3";
import { TaskflowError, isTaskflowError } from "../../../errors.ts";
import { request } from "../client/request.ts";
import type { S3Store, Versioning } from "../store.ts";

export async function versioningOf(store: S3Store, signal: AbortSignal): Promise<Versioning> {
  store.learnt.versioning ??= ask(store, signal).catch((error: unknown) => {
    store.learnt.versioning = null;
    throw error;
  });
  return await store.learnt.versioning;
}

/** Errors: `unsupported` where the bucket never kept anything, with how to turn it on. */
export async function requireVersions(store: S3Store, signal: AbortSignal): Promise<void> {
  if ((await versioningOf(store, signal)) !== "off") return;
  throw new TaskflowError("unsupported", `${store.location} keeps nothing of what is deleted`, {
    hint: `turn on versioning: aws s3api put-bucket-versioning --bucket ${store.bucket} --versioning-configuration Status=Enabled`,
  });
}

async function ask(store: S3Store, signal: AbortSignal): Promise<Versioning> {
  const call = { act: `read the versioning of ${store.location}`, action: "s3:GetBucketVersioning", signal };
  try {
    const { Status } = await request(store, call, (client, { abortSignal }) =>
      client.send(new GetBucketVersioningCommand({ Bucket: store.bucket }), { abortSignal }),
    );
    if (Status === "Enabled") return "on";
    return Status === "Suspended" ? "suspended" : "off";
  } catch (error) {
    if (!isTaskflowError(error)) throw error;
    if (error.code === "access_denied") return "unknown";
    // A server that doesn't know versions keeps none.
    if (error.code === "unsupported") return "off";
    throw error;
  }
}
