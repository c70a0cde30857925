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
import { awsLine, judged } from "./setting.ts";

const BLOCKS = [
  "BlockPublicAcls",
  "IgnorePublicAcls",
  "BlockPublicPolicy",
  "RestrictPublicBuckets",
] as const satisfies readonly (keyof PublicAccessBlockConfiguration)[];

/** The setting of a bucket whose objects are encrypted with keys of S3's own. */
const AES256 = '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}';

export function checkPublicAccess(store: S3Store, signal: AbortSignal): Promise<Finding> {
  return judged(
    store,
    {
      what: "the public access block",
      action: "s3:GetBucketPublicAccessBlock",
      missing: "NoSuchPublicAccessBlockConfiguration",
      signal,
    },
    async (client, options) =>
      (await client.send(new GetPublicAccessBlockCommand({ Bucket: store.bucket }), options))
        .PublicAccessBlockConfiguration,
    (set) => {
      const open = BLOCKS.filter((name) => set?.[name] !== true);
      if (open.length === 0) return ok("all four blocks are on");
      const all = BLOCKS.map((name) => `${name}=true`).join(",");
      return warn(
        `not all public access is blocked: ${open.join(", ")} ${open.length === 1 ? "is" : "are"} off`,
        awsLine(store, `put-public-access-block --public-access-block-configuration ${all}`),
      );
    },
  );
}

export function checkEncryption(store: S3Store, signal: AbortSignal): Promise<Finding> {
  return judged(
    store,
    {
      what: "the encryption",
      action: "s3:GetEncryptionConfiguration",
      missing: "ServerSideEncryptionConfigurationNotFoundError",
      signal,
    },
    async (client, options) =>
      (await client.send(new GetBucketEncryptionCommand({ Bucket: store.bucket }), options))
        .ServerSideEncryptionConfiguration,
    (set) => {
      const { SSEAlgorithm: algorithm, KMSMasterKeyID: key } =
        set?.Rules?.[0]?.ApplyServerSideEncryptionByDefault ?? {};
      if (algorithm !== undefined) return ok(`${algorithm}${key === undefined ? "" : ` with ${key}`}`);
      return warn(
        "the bucket encrypts nothing by default",
        awsLine(store, `put-bucket-encryption --server-side-encryption-configuration '${AES256}'`),
      );
    },
  );
}

export function checkOwnership(store: S3Store, signal: AbortSignal): Promise<Finding> {
  return judged(
    store,
    {
      what: "the ownership controls",
      action: "s3:GetBucketOwnershipControls",
      missing: "OwnershipControlsNotFoundError",
      signal,
    },
    async (client, options) =>
      (await client.send(new GetBucketOwnershipControlsCommand({ Bucket: store.bucket }), options)).OwnershipControls,
    (set) => {
      const ownership = set?.Rules?.[0]?.ObjectOwnership;
      if (ownership === "BucketOwnerEnforced") return ok("BucketOwnerEnforced: ACLs count for nothing");
      return warn(
        `${ownership ?? "no ownership controls"}: an object's ACL can open it to others`,
        awsLine(
          store,
          "put-bucket-ownership-controls --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'",
        ),
      );
    },
  );
}

/** Errors: `bad_config` for a policy that lets everybody in. */
export function checkPolicy(store: S3Store, signal: AbortSignal): Promise<Finding> {
  return judged(
    store,
    {
      what: "whether the policy is public",
      action: "s3:GetBucketPolicyStatus",
      missing: "NoSuchBucketPolicy",
      signal,
    },
    async (client, options) =>
      (await client.send(new GetBucketPolicyStatusCommand({ Bucket: store.bucket }), options)).PolicyStatus?.IsPublic,
    (isPublic) => {
      if (isPublic === null) {
        return warn("no policy: nothing refuses requests without TLS", "apply terraform/, whose policy does");
      }
      if (!isPublic) return ok("not public");
      throw new TaskflowError("bad_config", "the bucket's policy is public: everybody is let in", {
        hint: `name who may in place of "Principal": "*": ${awsLine(store, "get-bucket-policy")}`,
      });
    },
  );
}
