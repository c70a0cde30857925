/** Who could get at the bucket's contents beside those who should. What Terraform sets, for buckets made otherwise too. */
import {
  GetBucketEncryptionCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyStatusCommand,
  GetPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import type { PublicAccessBlockConfiguration } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import { ok, warn } from "../../check.ts";
import type { Finding } from "../../check.ts";
import type { S3Store } from "../store.ts";
import { ask, awsLine, notTold } from "./setting.ts";

const BLOCKS = [
  "BlockPublicAcls",
  "IgnorePublicAcls",
  "BlockPublicPolicy",
  "RestrictPublicBuckets",
] as const satisfies readonly (keyof PublicAccessBlockConfiguration)[];

/** The setting of a bucket whose objects are encrypted with keys of S3's own. */
const AES256 = '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}';

export async function checkPublicAccess(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = {
    what: "the public access block",
    action: "s3:GetBucketPublicAccessBlock",
    missing: "NoSuchPublicAccessBlockConfiguration",
    signal,
  };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetPublicAccessBlockCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  const set = asked.is === "missing" ? {} : asked.value.PublicAccessBlockConfiguration;
  if (set === undefined) return notTold(question.what);
  const open = BLOCKS.filter((name) => set[name] !== true);
  if (open.length === 0) return ok("all four blocks are on");
  const fix = BLOCKS.map((name) => `${name}=true`).join(",");
  return warn(
    `not all public access is blocked: ${open.join(", ")} ${open.length === 1 ? "is" : "are"} off`,
    awsLine(store, `put-public-access-block --public-access-block-configuration ${fix}`),
  );
}

export async function checkEncryption(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = {
    what: "the encryption",
    action: "s3:GetEncryptionConfiguration",
    missing: "ServerSideEncryptionConfigurationNotFoundError",
    signal,
  };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetBucketEncryptionCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  const rules = asked.is === "missing" ? [] : asked.value.ServerSideEncryptionConfiguration?.Rules;
  if (rules === undefined) return notTold(question.what);
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: key } = rules[0]?.ApplyServerSideEncryptionByDefault ?? {};
  if (algorithm !== undefined) return ok(`${algorithm}${key === undefined ? "" : ` with ${key}`}`);
  return warn(
    "the bucket encrypts nothing by default",
    awsLine(store, `put-bucket-encryption --server-side-encryption-configuration '${AES256}'`),
  );
}

export async function checkOwnership(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = {
    what: "the ownership controls",
    action: "s3:GetBucketOwnershipControls",
    missing: "OwnershipControlsNotFoundError",
    signal,
  };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetBucketOwnershipControlsCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  const rules = asked.is === "missing" ? [] : asked.value.OwnershipControls?.Rules;
  if (rules === undefined) return notTold(question.what);
  const [rule] = rules;
  if (rule?.ObjectOwnership === "BucketOwnerEnforced") return ok("BucketOwnerEnforced: ACLs count for nothing");
  return warn(
    `${rule?.ObjectOwnership ?? "no ownership controls"}: an object's ACL can open it to others`,
    awsLine(
      store,
      "put-bucket-ownership-controls --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'",
    ),
  );
}

/** Errors: `bad_config` for a policy that lets everybody in. */
export async function checkPolicy(store: S3Store, signal: AbortSignal): Promise<Finding> {
  const { bucket: Bucket } = store;
  const question = {
    what: "the policy's status",
    action: "s3:GetBucketPolicyStatus",
    missing: "NoSuchBucketPolicy",
    signal,
  };
  const asked = await ask(store, question, (client, options) =>
    client.send(new GetBucketPolicyStatusCommand({ Bucket }), options),
  );
  if (asked.is === "unknown") return asked.finding;
  if (asked.is === "missing") {
    return warn("no policy: nothing refuses requests without TLS", "apply terraform/, whose policy does");
  }
  const isPublic = asked.value.PolicyStatus?.IsPublic;
  if (isPublic === false) return ok("not public");
  if (isPublic === undefined) return notTold(question.what);
  throw new TaskflowError("bad_config", "the bucket's policy is public: everybody is let in", {
    hint: `name who may in place of "Principal": "*": ${awsLine(store, "get-bucket-policy")}`,
  });
}
