/** Who could get at the bucket's contents beside those who should. What Terraform sets, for buckets made otherwise too. */
import {
  GetBucketEncryptionCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyStatusCommand,
  GetPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import type { PublicAccessBlockConfiguration } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import { ok, skip, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { S3Store } from "../store.ts";
import { ask } from "./setting.ts";

const BLOCKS = [
  "BlockPublicAcls",
  "IgnorePublicAcls",
  "BlockPublicPolicy",
  "RestrictPublicBuckets",
] as const satisfies readonly (keyof PublicAccessBlockConfiguration)[];

export async function checkPublicAccess(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = { what: "the public access block", action: "s3:GetBucketPublicAccessBlock", signal };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetPublicAccessBlockCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  const set = asked.is === "there" ? (asked.value.PublicAccessBlockConfiguration ?? {}) : {};
  const open = BLOCKS.filter((name) => set[name] !== true);
  if (open.length === 0) return ok("all four blocks are on");
  const fix = BLOCKS.map((name) => `${name}=true`).join(",");
  return warn(
    `not all public access is blocked: ${open.join(", ")} ${open.length === 1 ? "is" : "are"} off`,
    `aws s3api put-public-access-block --bucket ${Bucket} --public-access-block-configuration ${fix}`,
  );
}

export async function checkEncryption(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = { what: "the encryption", action: "s3:GetEncryptionConfiguration", signal };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetBucketEncryptionCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  const [rule] = asked.is === "there" ? (asked.value.ServerSideEncryptionConfiguration?.Rules ?? []) : [];
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: key } = rule?.ApplyServerSideEncryptionByDefault ?? {};
  if (algorithm !== undefined) return ok(`${algorithm}${key === undefined ? "" : ` with ${key}`}`);
  return warn(
    "the bucket encrypts nothing by default",
    `aws s3api put-bucket-encryption --bucket ${Bucket} --server-side-encryption-configuration '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'`,
  );
}

export async function checkOwnership(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = { what: "the ownership controls", action: "s3:GetBucketOwnershipControls", signal };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetBucketOwnershipControlsCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  const [rule] = asked.is === "there" ? (asked.value.OwnershipControls?.Rules ?? []) : [];
  if (rule?.ObjectOwnership === "BucketOwnerEnforced") return ok("BucketOwnerEnforced: ACLs count for nothing");
  return warn(
    `${rule?.ObjectOwnership ?? "no ownership controls"}: an object's ACL can open it to others`,
    `aws s3api put-bucket-ownership-controls --bucket ${Bucket} --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'`,
  );
}

/** Errors: `bad_config` for a policy that lets everybody in. */
export async function checkPolicy(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = { what: "the policy's status", action: "s3:GetBucketPolicyStatus", signal };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetBucketPolicyStatusCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  if (asked.is === "missing") {
    return warn("no policy: nothing refuses requests without TLS", "apply terraform/, whose policy does");
  }
  const isPublic = asked.value.PolicyStatus?.IsPublic;
  if (isPublic === false) return ok("not public");
  if (isPublic === undefined) return skip("this store doesn't tell whether its policy is public");
  throw new TaskflowError("bad_config", "the bucket's policy is public: everybody is let in", {
    hint: `aws s3api get-bucket-policy --bucket ${Bucket} shows it: name who may, in place of "Principal": "*"`,
  });
}
