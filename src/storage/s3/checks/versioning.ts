/** Whether what is deleted can be brought back. */
import { ok, skip, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { S3Store } from "../store.ts";
import { versioningOf } from "../versions/versioning.ts";
import { awsLine } from "./setting.ts";

export async function checkVersioning(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const versioning = await versioningOf(store, signal);
  if (versioning === "on") return ok("on: what is deleted can be brought back");
  if (versioning === "unknown") return skip("it may not be read", "it takes s3:GetBucketVersioning");
  return warn(
    `${versioning}: what is deleted is gone for good`,
    awsLine(store, "put-bucket-versioning --versioning-configuration Status=Enabled"),
  );
}
