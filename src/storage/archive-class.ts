/** Their bytes must be asked for first (S3 User Guide, "Working with archived objects"). GLACIER_IR can be read at once. */
const ARCHIVED_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

export function isArchiveClass(storageClass: string): boolean {
  return ARCHIVED_CLASSES.has(storageClass);
}
