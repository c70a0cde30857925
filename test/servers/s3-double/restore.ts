/** RestoreObject, as the API reference has it. A copy is there when a test says so: `Inspection.thaw`. */
import { empty } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { isArchived, versionAsked } from "./read.ts";
import { S3Error } from "./s3-error.ts";
import { childText, parseXml } from "./xml.ts";

const TIERS = new Set(["Standard", "Bulk", "Expedited"]);

export function restoreObject(call: Call): Reply {
  const { bucket, body } = call.facts;
  const version = versionAsked(call);
  const root = parseXml(body.bytes?.toString("utf8") ?? "");
  const parameters = root?.children.find(({ name }) => name === "GlacierJobParameters");
  const tier = parameters === undefined ? "Standard" : (childText(parameters, "Tier") ?? "");
  const days = Number(root === null ? undefined : childText(root, "Days"));
  if (root?.name !== "RestoreRequest" || !TIERS.has(tier) || !(Number.isInteger(days) && days >= 1)) {
    throw new S3Error("MalformedXML");
  }
  if (!isArchived(version)) {
    throw new S3Error("InvalidObjectState", {
      message: "Restore is not allowed for the object's current storage class",
      details: { StorageClass: version.storageClass },
    });
  }
  if (version.storageClass === "DEEP_ARCHIVE" && tier === "Expedited") {
    throw new S3Error("InvalidArgument", { message: "Retrieval option is not supported by this storage class" });
  }
  if (version.restore?.until === null) {
    throw new S3Error("RestoreAlreadyInProgress", {
      status: 409,
      message: "Object restore is already in progress",
    });
  }
  const until = version.restore === undefined ? null : restoredUntil(call.facts.now, days);
  bucket.replace(version, { ...version, restore: { days, until } });
  return empty(until === null ? 202 : 200, bucket.versionHeader(version));
}

/** So many days from now, rounded up to the next midnight UTC (S3 User Guide, "Restoring an archived object"). */
export function restoredUntil(now: Date, days: number): Date {
  const DAY_MS = 86_400_000;
  return new Date((Math.floor(now.getTime() / DAY_MS) + days + 1) * DAY_MS);
}
