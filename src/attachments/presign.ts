/** Links to what is attached, and links to attach with. */
import { TaskflowError } from "../errors.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { checkMetadata } from "../storage/metadata.ts";
import type { Disposition, Presigner, SignedRequest } from "../storage/presigner.ts";
import { parseType, typeAllowed } from "./content-type.ts";
import { contentDisposition } from "./disposition.ts";
import { makeKey, parseKey } from "./key.ts";
import { checkReadable, endingWith } from "./link-end.ts";
import { safeName } from "./name.ts";
import { isSafeToShow } from "./served-type.ts";
import type { AttachmentDetails } from "./types.ts";
import type { UploadPolicy } from "./upload.ts";

export interface Link {
  readonly request: SignedRequest;
  readonly key: string;
  readonly id: string;
  /** Of the download, or of the attachment to be. */
  readonly name: string;
}

export interface DownloadLinkOptions {
  readonly expiresSeconds: number;
  /** The attachment's name; the link bears its cleaned form. */
  readonly name: string;
  /** Show it in the browser, where its type is safe, or nobody has looked. */
  readonly inline?: boolean;
  /** What is known of it; a link ends no later than its bytes can be read. Absent: nobody has looked. */
  readonly details?: AttachmentDetails | undefined;
  readonly signal: AbortSignal;
}

export interface UploadLinkRequest {
  readonly method: "PUT" | "POST";
  readonly task: string;
  /** The true name; the key gets a cleaned form of it. */
  readonly name: string;
  readonly expiresSeconds: number;
  /** Must be sent then. */
  readonly type?: string;
  /** Exactly so many bytes. */
  readonly size?: number;
  /** At most so many bytes; the policy's, else `DEFAULT_LINK_SIZE`, where neither is given. */
  readonly maxSize?: number;
  /** Hex. */
  readonly sha256?: string;
  readonly policy: UploadPolicy;
  readonly signal: AbortSignal;
}

/** How long a link lasts where nobody said, in seconds. */
export const DEFAULT_EXPIRES_SECONDS = 3600;

/** What a link may bring where nobody said: 5 GiB, also the most that S3 takes in one PUT. */
export const DEFAULT_LINK_SIZE = 5 * 1024 ** 3;

/**
 * A link to download what is under the key, whether or not anything is: the caller has looked, or was told not to.
 * Errors: `usage` for what is no attachment's key; `archived` where its bytes can't be read; `unsupported`; the store's
 * own.
 */
export async function linkToDownload(driver: StorageDriver, key: string, options: DownloadLinkOptions): Promise<Link> {
  const parts = parseKey(key);
  if (parts === null) throw new TaskflowError("usage", `${JSON.stringify(key)} is not the key of an attachment`);
  const { expiresSeconds, signal, inline = false, details } = options;
  checkReadable(parts, details ?? {});
  const isShown = inline && (details === undefined || isSafeToShow(details.type));
  const disposition = dispositionOf(options.name, isShown ? "inline" : "attachment");
  const request = await presignerOf(driver).get(key, { expiresSeconds, disposition, signal });
  return { request: endingWith(request, details ?? {}), key, id: parts.id, name: disposition.name };
}

/**
 * A link to attach one file with, once, under a key that is fixed now.
 * Errors: `usage` for task, name or type; `too_large`, `type_not_allowed` by policy; `unsupported`; the store's own.
 */
export async function linkToUpload(
  driver: StorageDriver,
  request: UploadLinkRequest,
  tools: { uuid(): string },
): Promise<Link> {
  const { method, policy, expiresSeconds, signal, size, sha256 } = request;
  const id = tools.uuid();
  const key = makeKey(request.task, id, request.name);
  const name = request.name.normalize("NFC");
  checkMetadata({ name, createdAt: new Date(0), uploadedBy: null, note: null, meta: {} });
  const presigner = presignerOf(driver);
  const type = request.type === undefined ? null : parseType(request.type);
  checkType(name, type, policy, presigner);
  const most = Math.min(policy.maxSize ?? DEFAULT_LINK_SIZE, driver.supports.maxSize);
  const asked = size ?? request.maxSize ?? most;
  if (asked > most) {
    throw new TaskflowError("too_large", `a link for ${asked} bytes, more than the ${most} that may be stored`, {
      hint: "TASKFLOW_MAX_SIZE and the store's own limit decide",
    });
  }
  const options = { expiresSeconds, name, type, size: size ?? null, maxSize: asked, sha256: sha256 ?? null, signal };
  if (method === "PUT") return { request: await presigner.put(key, options), key, id, name };
  if (presigner.post === undefined) {
    throw new TaskflowError("unsupported", `${driver.location} has no upload forms: they are S3's own`, {
      hint: "presign --put makes a link that takes the file itself: curl -T FILE URL",
    });
  }
  return { request: await presigner.post(key, options), key, id, name };
}

/** `serve` holds every upload to the policy; S3 only to what is signed. Errors: `type_not_allowed`. */
function checkType(name: string, type: string | null, { allowedTypes }: UploadPolicy, { gate }: Presigner): void {
  if (allowedTypes === undefined || (type === null && gate !== undefined)) return;
  if (type !== null && typeAllowed(type, allowedTypes)) return;
  const why = type === null ? "any type could be sent with this link" : `${name} is ${type}, which is not allowed here`;
  throw new TaskflowError("type_not_allowed", why, {
    hint: `${type === null ? "name one with --type; " : ""}allowed: ${allowedTypes.join(", ")} (TASKFLOW_ALLOWED_TYPES)`,
  });
}

/** Errors: `unsupported` where this store can't sign. */
export function presignerOf(driver: StorageDriver): Presigner {
  if (driver.presigner !== undefined) return driver.presigner;
  throw new TaskflowError("unsupported", `${driver.location} was opened without what signs links`);
}

export function dispositionOf(name: string, kind: Disposition["kind"]): Disposition {
  return { kind, name: safeName(name), header: contentDisposition(name, kind) };
}
