/** What a reply tells of an object, as the driver's callers have it. */
import type { StoredObject } from "../../driver.ts";
import { decodeRecord } from "../../metadata.ts";
import { dateOf } from "../client/reply.ts";
import { archiveStateOf, expiryOf } from "./states.ts";

/** S3 leaves it out of HEAD and GET where it is this. */
export const DEFAULT_CLASS = "STANDARD";

/** AWS lists times in whole seconds, as its headers have them; others in milliseconds, which those don't tell. */
export function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

/** What HEAD and GET have in common. */
interface Described {
  readonly ContentType?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly StorageClass?: string | undefined;
  readonly Restore?: string | undefined;
  readonly ArchiveStatus?: string | undefined;
  readonly Expiration?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}

/** `size`: of the whole object. */
export function describe(
  key: string,
  size: number,
  output: Described,
  tags: Readonly<Record<string, string>>,
): StoredObject {
  const storageClass = output.StorageClass ?? DEFAULT_CLASS;
  const archive = archiveStateOf(storageClass, output.Restore, output.ArchiveStatus);
  const expires = expiryOf(output.Expiration);
  return {
    key,
    size,
    modifiedAt: output.LastModified ?? dateOf(output) ?? new Date(0),
    storageClass,
    type: output.ContentType ?? null,
    record: decodeRecord(output.Metadata ?? {}),
    tags,
    ...(archive === null ? {} : { archive }),
    ...(expires === null ? {} : { expires }),
  };
}
