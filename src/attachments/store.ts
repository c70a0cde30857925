/** The library's face: attachments of one store, by task and name, without a command line around them. */
import { randomUUID } from "node:crypto";
import path from "node:path";
import { TaskflowError, toTaskflowError } from "../errors.ts";
import type { KeyResult, StorageDriver } from "../storage/driver.ts";
import { downloadFile, readAttachment } from "./download.ts";
import type { DownloadedFile } from "./download.ts";
import { findItems } from "./find.ts";
import type { FindOptions } from "./find.ts";
import type { IfExists } from "./if-exists.ts";
import { list, versionsOf } from "./list.ts";
import type { Listing, ListQuery } from "./list.ts";
import { parseOperands } from "./operands.ts";
import { DEFAULT_EXPIRES_SECONDS, linkToDownload, linkToUpload } from "./presign.ts";
import type { DownloadLinkOptions, Link, UploadLinkRequest } from "./presign.ts";
import { openFileSource } from "./file-source.ts";
import { openStreamSource } from "./source.ts";
import type { Source } from "./source.ts";
import { detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";
import { upload } from "./upload.ts";
import type { UploadPolicy, UploadRequest, UploadResult } from "./upload.ts";
import { verify } from "./verify.ts";
import type { Verification } from "./verify.ts";

export interface AttachmentStoreOptions {
  /** Recorded with each upload; claimed, not proven. */
  readonly uploadedBy?: string;
  readonly policy?: UploadPolicy;
  /** Ends whatever is under way. */
  readonly signal?: AbortSignal;
}

/** What to attach: a file, bytes, or a stream that is read once. */
export type UploadInput =
  | { readonly file: string; readonly name?: string }
  | { readonly bytes: Uint8Array | string; readonly name: string }
  | { readonly stream: AsyncIterable<Uint8Array>; readonly name: string };

export type UploadInputOptions = Partial<
  Pick<UploadRequest, "type" | "note" | "meta" | "tags" | "storageClass" | "replace" | "allowEmpty" | "onBytes">
>;

export interface DownloadPlace {
  /** The file to write, or the folder that gets the attachment under its own name. */
  readonly file?: string;
  readonly folder?: string;
  /** Default: `fail`, with the error `exists`. */
  readonly ifExists?: IfExists;
}

/** `expiresSeconds`: 1 to 604,800, an hour where it is absent. `name`: what it is saved under, instead of its own. */
export type LinkOptions = Partial<Pick<DownloadLinkOptions, "expiresSeconds" | "name" | "inline">>;

/** `method`: PUT, unless a form for browsers is asked for with POST. */
export type UploadLinkOptions = Partial<
  Pick<UploadLinkRequest, "method" | "expiresSeconds" | "type" | "size" | "maxSize" | "sha256">
>;

/**
 * Attachments in a store that `openStorage` opened. An item is an id, the first four or more characters of one, a file
 * name, or a full key. Every rejection is a TaskflowError; act on its `code`.
 */
export class AttachmentStore {
  readonly #driver: StorageDriver;
  readonly #options: AttachmentStoreOptions;
  readonly #signal: AbortSignal;

  constructor(storage: StorageDriver, options: AttachmentStoreOptions = {}) {
    this.#driver = storage;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
  }

  /** Where it is: an absolute path or `s3://bucket`. */
  get location(): string {
    return this.#driver.location;
  }

  /** Attaches; resolves once it is durable. The same name twice is two attachments. */
  async upload(task: string, input: UploadInput, options: UploadInputOptions = {}): Promise<UploadResult> {
    const source = await openInput(input);
    try {
      return await upload(
        this.#driver,
        {
          ...options,
          task,
          name: input.name ?? path.basename("file" in input ? input.file : ""),
          source,
          // Bytes in memory may be none on purpose; only a pipe that brings nothing is suspicious.
          allowEmpty: options.allowEmpty ?? "bytes" in input,
          uploadedBy: this.#options.uploadedBy ?? null,
          ...(this.#options.policy === undefined ? {} : { policy: this.#options.policy }),
          signal: this.#signal,
        },
        { now: () => new Date(), uuid: randomUUID },
      );
    } finally {
      await source.close();
    }
  }

  /** What is attached to a task, newest first (up to 10,000, else in key order); `null`: everywhere, in key order. */
  list(task: string | null, query: Omit<ListQuery, "task" | "signal"> = {}): Listing {
    return list(this.#driver, { ...query, task, signal: this.#signal });
  }

  /** Everything known of one attachment; of two with one name, the newest. `not_found`, `ambiguous`. */
  async show(task: string, item: string): Promise<Attachment> {
    const { key } = await this.#find(task, item, { among: "live", several: "newest" });
    const attachment = detailedAttachmentOf(await this.#driver.head(key, { signal: this.#signal }));
    if (attachment === null) throw new TaskflowError("not_found", `no attachment ${JSON.stringify(item)} on ${task}`);
    return attachment;
  }

  /** Its bytes. After the last one it rejects with `checksum_mismatch` if they are not what was attached. */
  async *read(task: string, item: string): AsyncGenerator<Uint8Array, void, undefined> {
    const { key } = await this.#find(task, item, { among: "live", several: "newest" });
    yield* readAttachment(this.#driver, key, { signal: this.#signal });
  }

  /** Writes it to a file that is whole and verified, or not there at all. `exists`, `checksum_mismatch`. */
  async download(task: string, item: string, place: DownloadPlace): Promise<DownloadedFile> {
    const { key } = await this.#find(task, item, { among: "live", several: "newest" });
    const { file, folder, ifExists } = place;
    return await downloadFile(this.#driver, key, {
      ...(file === undefined ? {} : { file: path.resolve(file) }),
      ...(folder === undefined ? {} : { folder: path.resolve(folder) }),
      ...(ifExists === undefined ? {} : { ifExists }),
      signal: this.#signal,
    });
  }

  /** Hashes it again: whether it is what was attached. That it isn't is an answer, no rejection. `not_found`. */
  async verify(task: string, item: string): Promise<Verification> {
    const { key } = await this.#find(task, item, { among: "live", several: "newest" });
    const verification = await verify(this.#driver, key, { signal: this.#signal });
    if (verification === null) throw new TaskflowError("not_found", `${key} is gone already`);
    return verification;
  }

  /**
   * A link to download it with, good for whoever has it until it ends: a bucket answers it, or `serve` for a folder that
   * was opened with `links`. `not_found`, `archived`, `unsupported`, `expired_credentials`.
   */
  async link(task: string, item: string, options: LinkOptions = {}): Promise<Link> {
    const { key, name, details } = await this.show(task, item);
    const { expiresSeconds = DEFAULT_EXPIRES_SECONDS, ...more } = options;
    return await linkToDownload(this.#driver, key, { name, ...more, expiresSeconds, details, signal: this.#signal });
  }

  /** A link to attach one file with, under a key that is fixed now. As `link`; `too_large`, `type_not_allowed` by policy. */
  async uploadLink(task: string, name: string, options: UploadLinkOptions = {}): Promise<Link> {
    const { expiresSeconds = DEFAULT_EXPIRES_SECONDS, method = "PUT", ...more } = options;
    const policy = this.#options.policy ?? {};
    const request = { ...more, method, task, name, expiresSeconds, policy, signal: this.#signal };
    return await linkToUpload(this.#driver, request, { uuid: randomUUID });
  }

  /** Deletes one attachment, undoably where the store keeps versions. Two of one name are `ambiguous`. */
  async delete(task: string, item: string): Promise<Attachment> {
    const found = await this.#find(task, item, { among: "live", several: "refuse" });
    for await (const result of this.#driver.delete([found.key], { signal: this.#signal })) {
      if (result.error !== undefined) throw result.error;
      if (result.existed === false) throw new TaskflowError("not_found", `${found.key} is gone already`);
      return { ...found, deleted: true, deletedAt: result.deletedAt };
    }
    throw new TaskflowError("internal", `no answer for ${found.key}`);
  }

  /** Brings back what was deleted. `not_found`, `exists`, `unsupported`. */
  async undelete(task: string, item: string): Promise<Attachment> {
    const found = await this.#find(task, item, { among: "deleted", several: "refuse" });
    await single(versionsOf(this.#driver).undelete([found.key], { signal: this.#signal }), found.key);
    const { deletedAt: _, ...live } = found;
    return { ...live, deleted: false };
  }

  /** Destroys it for good, live or deleted. `not_found`, `ambiguous`, `unsupported`. */
  async purge(task: string, item: string): Promise<void> {
    const found = await this.#find(task, item, { among: "any", several: "refuse" });
    await single(versionsOf(this.#driver).purge([found.key], { signal: this.#signal }), found.key);
  }

  async close(): Promise<void> {
    await this.#driver.close();
  }

  async #find(task: string, item: string, options: Omit<FindOptions, "signal">): Promise<Attachment> {
    const bucket = this.location.startsWith("s3://") ? this.location.slice("s3://".length) : null;
    const { items } = parseOperands([item], task, bucket);
    for await (const found of findItems(this.#driver, items, { ...options, signal: this.#signal })) {
      if ("error" in found) throw found.error;
      return found.attachment;
    }
    throw new TaskflowError("internal", `no answer for ${item}`);
  }
}

async function single(results: AsyncIterable<KeyResult>, key: string): Promise<void> {
  for await (const { error } of results) {
    if (error !== undefined) throw toTaskflowError(error);
    return;
  }
  throw new TaskflowError("internal", `no answer for ${key}`);
}

async function openInput(input: UploadInput): Promise<Source> {
  if ("file" in input) return await openFileSource(path.resolve(input.file));
  if ("stream" in input) return await openStreamSource(input.stream);
  const bytes = typeof input.bytes === "string" ? Buffer.from(input.bytes) : input.bytes;
  return await openStreamSource(once(bytes));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
