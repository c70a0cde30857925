import type { ArchiveState, Expiry, ObjectInfo, StoredObject } from "../storage/driver.ts";
import { parseKey } from "./key.ts";

/** A file on a task. What was not read is absent, `null` means there is none. */
export interface Attachment {
  readonly id: string;
  readonly task: string;
  /** The true name where the record was read, else the key's. */
  readonly name: string;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** The recorded time where the record was read, else the store's. */
  readonly createdAt: Date;
  readonly storageClass: string;
  readonly deleted: boolean;
  /** Of a deleted one. */
  readonly deletedAt?: Date;
  readonly details?: AttachmentDetails;
}

/** What only a request per attachment tells. */
export interface AttachmentDetails {
  readonly type: string | null;
  /** Hex; `null`: not recorded. */
  readonly sha256: string | null;
  readonly uploadedBy: string | null;
  readonly note: string | null;
  readonly meta: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Why the record can't be read, where it can't; what it would tell is `null` then. */
  readonly damaged?: string;
  /** Present: its bytes can't be read, or only until then. */
  readonly archive?: ArchiveState;
  /** Present: when the store's rules remove it, as the store says. */
  readonly expires?: Expiry;
}

/** From a listing; `null` where the key is no attachment's. */
export function attachmentOf(object: ObjectInfo & { readonly deletedAt?: Date }): Attachment | null {
  const parts = parseKey(object.key);
  if (parts === null) return null;
  return {
    id: parts.id,
    task: parts.task,
    name: parts.name,
    key: object.key,
    size: object.size,
    createdAt: object.modifiedAt,
    storageClass: object.storageClass,
    deleted: object.deletedAt !== undefined,
    ...(object.deletedAt === undefined ? {} : { deletedAt: object.deletedAt }),
  };
}

/** From a request for the one object; `null` where the key is no attachment's. */
export function detailedAttachmentOf(object: StoredObject & { readonly deletedAt?: Date }): Attachment | null {
  const plain = attachmentOf(object);
  if (plain === null) return null;
  const { record } = object;
  return {
    ...plain,
    name: record?.name ?? plain.name,
    createdAt: record?.createdAt ?? plain.createdAt,
    details: {
      type: object.type,
      sha256: record?.sha256 ?? null,
      uploadedBy: record?.uploadedBy ?? null,
      note: record?.note ?? null,
      meta: record?.meta ?? {},
      tags: object.tags,
      ...(object.damaged === undefined ? {} : { damaged: object.damaged }),
      ...(object.archive === undefined ? {} : { archive: object.archive }),
      ...(object.expires === undefined ? {} : { expires: object.expires }),
    },
  };
}
