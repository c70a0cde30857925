/**
 * Attachments of tasks as a library: `openStorage` opens a store, `AttachmentStore` works on it. Nothing here reads the
 * environment, prints, or ends the process.
 */
import { parseLocation } from "./storage/location.ts";
import { openDriver } from "./storage/open.ts";
import { DEFAULT_S3_SETTINGS } from "./storage/s3-settings.ts";
import type { S3Settings } from "./storage/s3-settings.ts";
import type { StorageDriver } from "./storage/driver.ts";

export { AttachmentStore } from "./attachments/store.ts";
export type {
  AttachmentStoreOptions,
  DownloadPlace,
  LinkOptions,
  UploadInput,
  UploadInputOptions,
  UploadLinkOptions,
} from "./attachments/store.ts";
export type { Attachment, AttachmentDetails } from "./attachments/types.ts";
export type { DownloadedFile, Verified } from "./attachments/download.ts";
export type { IfExists } from "./attachments/if-exists.ts";
export type { Listing, ListQuery } from "./attachments/list.ts";
export type { ListOrder } from "./attachments/list-orders.ts";
export type { Link } from "./attachments/presign.ts";
export type { UploadPolicy, UploadResult } from "./attachments/upload.ts";
export type { Verification } from "./attachments/verify.ts";
export type { StorageDriver } from "./storage/driver.ts";
export type { SignedRequest } from "./storage/presigner.ts";
export type { S3Credentials, S3Settings } from "./storage/s3-settings.ts";
export { TaskflowError, isTaskflowError } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";

export interface OpenStorageOptions {
  /** Make the folder a store where it is none. Default: `no_store`. */
  readonly create?: boolean;
  /** How a bucket is reached; what is absent is as AWS's own SDK has it. */
  readonly s3?: Partial<S3Settings>;
  /** What signs a folder's links; absent, it has none (`unsupported`). A bucket signs with its own credentials. */
  readonly links?: FolderLinks;
  /** Told what is wrong with the folder and yet no reason to stop, such as a mode that lets others write. */
  readonly onWarning?: (text: string) => void;
}

export interface FolderLinks {
  /** Where `serve` answers, http or https, without a slash at its end. */
  readonly baseUrl: string;
  /** Absolute; made with a new key where there is none. `serve` must use the same one: TASKFLOW_URL_KEY_FILE. */
  readonly keyFile: string;
  /** `process.getuid()`: then a key file that others own or can read is refused. Absent: nobody looks. */
  readonly uid?: number;
}

/**
 * Opens a store: a folder, written with a `/` in it (`./uploads`), or `s3://bucket`.
 * Errors: `usage` for anything else, `no_store`, `bad_config`, `permission`, `unsupported`.
 */
export async function openStorage(where: string, options: OpenStorageOptions = {}): Promise<StorageDriver> {
  const { links } = options;
  return await openDriver(parseLocation(where), {
    create: options.create === true,
    s3: () => ({ ...DEFAULT_S3_SETTINGS, ...options.s3 }),
    ...(links === undefined ? {} : { links: () => ({ uid: null, ...links, now: () => new Date() }) }),
    ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
  });
}
