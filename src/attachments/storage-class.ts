import { TaskflowError } from "../errors.ts";

/** S3's storage classes for general purpose buckets (Amazon S3 API Reference: PutObject, x-amz-storage-class). */
export const STORAGE_CLASSES = [
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
] as const;

export const DEFAULT_STORAGE_CLASS = "STANDARD";

/** `usage` for what S3 doesn't know; case doesn't matter. */
export function parseStorageClass(text: string): string {
  const upper = text.toUpperCase().replaceAll("-", "_");
  const known = STORAGE_CLASSES.find((name) => name === upper);
  if (known !== undefined) return known;
  throw new TaskflowError("usage", `there is no storage class '${text}'`, { hint: STORAGE_CLASSES.join(", ") });
}
