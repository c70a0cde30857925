/** What is asked of and told to the bucket itself. */
import { empty, xmlReply } from "./call.ts";
import type { Call, Handler, Reply } from "./call.ts";
import { S3Error } from "./s3-error.ts";
import { childText, parseXml, s3Document } from "./xml.ts";

export function headBucket(call: Call): Reply {
  return empty(200, { "x-amz-bucket-region": call.facts.bucket.region, "content-type": "application/xml" });
}

/** us-east-1 is called nothing. */
export function getBucketLocation(call: Call): Reply {
  const { region } = call.facts.bucket;
  return xmlReply(s3Document("LocationConstraint", region === "us-east-1" ? undefined : region));
}

export function getBucketVersioning(call: Call): Reply {
  const { versioning } = call.facts.bucket;
  return xmlReply(s3Document("VersioningConfiguration", versioning === "Unversioned" ? {} : { Status: versioning }));
}

/** Once turned on it can be suspended, never turned off. */
export function putBucketVersioning(call: Call): Reply {
  const { bucket, body } = call.facts;
  const root = parseXml(body.bytes?.toString("utf8") ?? "");
  const status = root?.name === "VersioningConfiguration" ? childText(root, "Status") : undefined;
  if (status !== "Enabled" && status !== "Suspended") throw new S3Error("MalformedXML");
  bucket.versioning = status;
  return empty(200);
}

/** Configurations that are kept as they were put and never acted on, and what S3 says where there is none. */
export const KEPT_SETTINGS = {
  lifecycle: { action: "LifecycleConfiguration", missing: "NoSuchLifecycleConfiguration" },
  cors: { action: "BucketCORS", missing: "NoSuchCORSConfiguration" },
  policy: { action: "BucketPolicy", missing: "NoSuchBucketPolicy" },
  encryption: { action: "EncryptionConfiguration", missing: "ServerSideEncryptionConfigurationNotFoundError" },
  publicAccessBlock: { action: "BucketPublicAccessBlock", missing: "NoSuchPublicAccessBlockConfiguration" },
  ownershipControls: { action: "BucketOwnershipControls", missing: "OwnershipControlsNotFoundError" },
  tagging: { action: "BucketTagging", missing: "NoSuchTagSet" },
} as const;

export type KeptSetting = keyof typeof KEPT_SETTINGS;

export function getKept(setting: KeptSetting): Handler {
  return ({ facts: { bucket } }) => {
    const kept = bucket.settings.get(setting);
    if (kept === undefined) {
      throw new S3Error(KEPT_SETTINGS[setting].missing, {
        status: 404,
        message: "The configuration does not exist",
        details: { BucketName: bucket.name },
      });
    }
    if (setting === "policy") return { status: 200, headers: { "content-type": "application/json" }, body: kept };
    return setting === "lifecycle" ? xmlReply(kept, { [MINIMUM]: bucket.minimumSize }) : xmlReply(kept);
  };
}

/** Public is what lets everybody in, unconditionally: as much of S3's "meaning of public" as tests need. */
export function getBucketPolicyStatus({ facts: { bucket } }: Call): Reply {
  const kept = bucket.settings.get("policy");
  if (kept === undefined) {
    throw new S3Error("NoSuchBucketPolicy", { status: 404, message: "The bucket policy does not exist" });
  }
  const { Statement = [] } = JSON.parse(kept) as { Statement?: readonly Statement[] };
  const isPublic = Statement.some(
    ({ Effect, Principal, Condition }) =>
      Effect === "Allow" && Condition === undefined && ['"*"', '{"AWS":"*"}'].includes(JSON.stringify(Principal)),
  );
  return xmlReply(s3Document("PolicyStatus", { IsPublic: isPublic ? "TRUE" : "FALSE" }));
}

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Principal: unknown;
  readonly Condition?: unknown;
}

/** Goes with lifecycle rules, but as a header. */
const MINIMUM = "x-amz-transition-default-minimum-object-size";

export function putKept(setting: KeptSetting): Handler {
  return (call) => {
    const { bucket, body } = call.facts;
    const text = body.bytes?.toString("utf8") ?? "";
    if (setting !== "policy" && parseXml(text) === null) throw new S3Error("MalformedXML");
    bucket.settings.set(setting, text);
    if (setting === "lifecycle") bucket.minimumSize = call.header(MINIMUM) ?? "all_storage_classes_128K";
    return empty(setting === "policy" ? 204 : 200);
  };
}

export function deleteKept(setting: KeptSetting): Handler {
  return ({ facts: { bucket } }) => {
    bucket.settings.delete(setting);
    return empty(204);
  };
}
