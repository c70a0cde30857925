/** Which store is meant: the text of `--store` and `TASKFLOW_STORE`. */
import { TaskflowError } from "../errors.ts";

export interface FolderLocation {
  readonly kind: "folder";
  /** As it was written: relative to whatever the text is relative to. */
  readonly path: string;
}

export interface S3Location {
  readonly kind: "s3";
  readonly bucket: string;
}

export type Location = FolderLocation | S3Location;

/**
 * A folder is written with a `/` in it (`./x`, `/x`, `x/`), a bucket as `s3://bucket`.
 * Errors: `usage`, with the way out.
 */
export function parseLocation(text: string): Location {
  if (text === "") throw unclear("the store is an empty text", "name a folder (./uploads) or a bucket (s3://bucket)");
  if (text.includes("\0")) throw unclear("the store's name has a NUL in it", "name a folder or a bucket without it");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  if (scheme?.toLowerCase() === "s3") return parseBucket(text);
  if (scheme !== undefined && text.startsWith(`${scheme}://`)) {
    throw unclear(`there are no ${scheme}:// stores`, "name a folder (./uploads) or a bucket (s3://bucket)");
  }
  if (!text.includes("/")) {
    throw unclear(
      `'${text}' may be a folder or a bucket`,
      `write ./${text} for the folder, s3://${text} for the bucket`,
    );
  }
  return { kind: "folder", path: text };
}

/** As it is written, for people. */
export function formatLocation(location: Location): string {
  return location.kind === "s3" ? `s3://${location.bucket}` : location.path;
}

function parseBucket(text: string): S3Location {
  const rest = text.slice("s3:".length);
  if (!rest.startsWith("//")) {
    const name = rest.replace(/^\/+/, "").split("/")[0] ?? "";
    throw unclear(`'${text}' is neither a bucket nor a folder`, `write s3://${name} for the bucket`);
  }
  const [bucket = "", ...after] = rest.slice(2).split("/");
  if (bucket === "") throw unclear(`'${text}' names no bucket`, "write s3://bucket");
  if (after.some((part) => part !== "")) {
    throw unclear(
      `'${text}': a store is a whole bucket, because keys are tasks/<task>/<name> everywhere`,
      `write s3://${bucket}`,
    );
  }
  if (!BUCKET.test(bucket)) {
    throw unclear(`'${bucket}' is no bucket name`, "3 to 63 lower-case letters, digits, dots and hyphens");
  }
  return { kind: "s3", bucket };
}

/** S3's rule, and the capitals and underscores that its oldest buckets and other servers have. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

function unclear(message: string, hint: string): TaskflowError {
  return new TaskflowError("usage", message, { hint });
}
