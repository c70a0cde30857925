/** Which operation a request is: one row each. What no row takes, down to a single query parameter, is 501. */
import {
  deleteKept,
  getBucketLocation,
  getBucketPolicyStatus,
  getBucketVersioning,
  getKept,
  headBucket,
  KEPT_SETTINGS,
  putBucketVersioning,
  putKept,
} from "./bucket-settings.ts";
import type { KeptSetting } from "./bucket-settings.ts";
import type { Handler } from "./call.ts";
import { completeMultipartUpload } from "./complete.ts";
import { copyObject, uploadPartCopy } from "./copy.ts";
import { listObjectsV2, listObjectVersions } from "./listing.ts";
import {
  abortMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from "./multipart.ts";
import { deleteObject, deleteObjects, putObject } from "./objects.ts";
import { getObject, headObject } from "./read.ts";
import { restoreObject } from "./restore.ts";
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from "./tagging.ts";

export interface Operation {
  /** As the SDK calls it, without `Command`. */
  readonly name: string;
  readonly method: string;
  readonly on: "bucket" | "object";
  /** Query parameters that make it this operation. */
  readonly needs: readonly string[];
  /** Query parameters that it may have besides. */
  readonly takes: readonly string[];
  readonly needsHeader?: string;
  /** `null`: the handler asks itself, key by key. */
  readonly action: string | null;
  /** The action where a version is named. */
  readonly versionAction?: string;
  /** `xml`: small, and always kept. */
  readonly body: "none" | "content" | "xml";
  /** The stated checksum is of something else than the body. */
  readonly foreignChecksum?: boolean;
  readonly handle: Handler;
}

interface Query {
  readonly needs?: readonly string[];
  readonly takes?: readonly string[];
}

type More = Partial<Pick<Operation, "needsHeader" | "versionAction" | "foreignChecksum" | "body">>;

function row(
  on: Operation["on"],
  method: string,
  name: string,
  query: Query,
  action: string | null,
  handle: Handler,
  more: More = {},
): Operation {
  return {
    on,
    method,
    name,
    needs: query.needs ?? [],
    takes: query.takes ?? [],
    action,
    body: "none",
    handle,
    ...more,
  };
}

const LISTING = ["prefix", "max-keys", "encoding-type"];
const OVERRIDES = ["type", "language", "expires", "cache-control", "disposition", "encoding"].map((each) =>
  each.includes("-") || each === "expires" ? `response-${each}` : `response-content-${each}`,
);
const READ = { takes: ["versionId", ...OVERRIDES] };
const PART = { needs: ["uploadId", "partNumber"] };
const COPY = { needsHeader: "x-amz-copy-source" };
const TAGGING = { needs: ["tagging"], takes: ["versionId"] };

/** Those that need more come first. */
export const OPERATIONS: readonly Operation[] = [
  row("object", "PUT", "UploadPartCopy", PART, "s3:PutObject", uploadPartCopy, COPY),
  row("object", "PUT", "UploadPart", PART, "s3:PutObject", uploadPart, { body: "content" }),
  row("object", "PUT", "PutObjectTagging", TAGGING, "s3:PutObjectTagging", putObjectTagging, {
    body: "xml",
    versionAction: "s3:PutObjectVersionTagging",
  }),
  row("object", "PUT", "CopyObject", {}, "s3:PutObject", copyObject, COPY),
  row("object", "PUT", "PutObject", {}, "s3:PutObject", putObject, { body: "content" }),
  row(
    "object",
    "GET",
    "ListParts",
    { needs: ["uploadId"], takes: ["max-parts", "part-number-marker"] },
    "s3:ListMultipartUploadParts",
    listParts,
  ),
  row("object", "GET", "GetObjectTagging", TAGGING, "s3:GetObjectTagging", getObjectTagging, {
    versionAction: "s3:GetObjectVersionTagging",
  }),
  row("object", "GET", "GetObject", READ, "s3:GetObject", getObject, { versionAction: "s3:GetObjectVersion" }),
  row("object", "HEAD", "HeadObject", READ, "s3:GetObject", headObject, { versionAction: "s3:GetObjectVersion" }),
  row("object", "POST", "CreateMultipartUpload", { needs: ["uploads"] }, "s3:PutObject", createMultipartUpload),
  row("object", "POST", "CompleteMultipartUpload", { needs: ["uploadId"] }, "s3:PutObject", completeMultipartUpload, {
    body: "xml",
    foreignChecksum: true,
  }),
  row(
    "object",
    "POST",
    "RestoreObject",
    { needs: ["restore"], takes: ["versionId"] },
    "s3:RestoreObject",
    restoreObject,
    { body: "xml" },
  ),
  row(
    "object",
    "DELETE",
    "AbortMultipartUpload",
    { needs: ["uploadId"] },
    "s3:AbortMultipartUpload",
    abortMultipartUpload,
  ),
  row("object", "DELETE", "DeleteObjectTagging", TAGGING, "s3:DeleteObjectTagging", deleteObjectTagging, {
    versionAction: "s3:DeleteObjectVersionTagging",
  }),
  row("object", "DELETE", "DeleteObject", { takes: ["versionId"] }, "s3:DeleteObject", deleteObject, {
    versionAction: "s3:DeleteObjectVersion",
  }),
  row("bucket", "POST", "PostObject", {}, null, putObject, { body: "content", needsHeader: "content-type" }),
  row("bucket", "POST", "DeleteObjects", { needs: ["delete"] }, null, deleteObjects, { body: "xml" }),
  row(
    "bucket",
    "GET",
    "ListObjectsV2",
    { needs: ["list-type"], takes: [...LISTING, "delimiter", "start-after", "continuation-token", "fetch-owner"] },
    "s3:ListBucket",
    listObjectsV2,
  ),
  row(
    "bucket",
    "GET",
    "ListObjectVersions",
    { needs: ["versions"], takes: [...LISTING, "key-marker", "version-id-marker"] },
    "s3:ListBucketVersions",
    listObjectVersions,
  ),
  row(
    "bucket",
    "GET",
    "ListMultipartUploads",
    { needs: ["uploads"], takes: ["prefix", "encoding-type", "max-uploads", "key-marker", "upload-id-marker"] },
    "s3:ListBucketMultipartUploads",
    listMultipartUploads,
  ),
  row("bucket", "GET", "GetBucketLocation", { needs: ["location"] }, "s3:GetBucketLocation", getBucketLocation),
  row("bucket", "GET", "GetBucketVersioning", { needs: ["versioning"] }, "s3:GetBucketVersioning", getBucketVersioning),
  row(
    "bucket",
    "PUT",
    "PutBucketVersioning",
    { needs: ["versioning"] },
    "s3:PutBucketVersioning",
    putBucketVersioning,
    { body: "xml" },
  ),
  row(
    "bucket",
    "GET",
    "GetBucketPolicyStatus",
    { needs: ["policyStatus"] },
    "s3:GetBucketPolicyStatus",
    getBucketPolicyStatus,
  ),
  row("bucket", "HEAD", "HeadBucket", {}, "s3:ListBucket", headBucket),
  ...(Object.keys(KEPT_SETTINGS) as KeptSetting[]).flatMap(keptRows),
];

function keptRows(setting: KeptSetting): Operation[] {
  const { action } = KEPT_SETTINGS[setting];
  // The SDK's names differ from the permissions' in a few places; these are near enough for a log.
  const name =
    setting === "lifecycle"
      ? "BucketLifecycleConfiguration"
      : `Bucket${setting.charAt(0).toUpperCase()}${setting.slice(1)}`;
  const query = { needs: [setting] };
  return [
    row("bucket", "GET", `Get${name}`, query, `s3:Get${action}`, getKept(setting)),
    row("bucket", "PUT", `Put${name}`, query, `s3:Put${action}`, putKept(setting), { body: "xml" }),
    row("bucket", "DELETE", `Delete${name}`, query, `s3:Put${action}`, deleteKept(setting)),
  ];
}

/** `null`: nothing that this double does. */
export function operationOf(
  method: string,
  on: Operation["on"],
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): Operation | null {
  // `x-id` is the SDK's own name of the operation; what begins with X-Amz- is a signature or a header.
  const asked = [...query.keys()].filter((name) => name !== "x-id" && !name.toLowerCase().startsWith("x-amz-"));
  const fits = (each: Operation): boolean =>
    each.method === method &&
    each.on === on &&
    each.needs.every((name) => asked.includes(name)) &&
    asked.every((name) => each.needs.includes(name) || each.takes.includes(name)) &&
    (each.needsHeader === undefined || headers.has(each.needsHeader));
  return OPERATIONS.find(fits) ?? null;
}
