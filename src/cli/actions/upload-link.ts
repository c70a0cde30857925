/** `upload --link` and `--markdown`: the link to what was just attached. */
import { DEFAULT_EXPIRES_SECONDS, linkToDownload } from "../../attachments/presign.ts";
import { parseStorageClass } from "../../attachments/storage-class.ts";
import type { Attachment } from "../../attachments/types.ts";
import { TaskflowError, toTaskflowError } from "../../errors.ts";
import { isArchiveClass } from "../../storage/archive-class.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { UploadOptions } from "../commands/upload.ts";
import { earlyEndText, markdownLink } from "../link-view.ts";
import { shellQuote } from "../output/format.ts";
import { printable } from "../output/printable.ts";
import type { Session } from "../session.ts";
import { getLinksReady } from "./links-ready.ts";

export type LinkTo = (attachment: Attachment) => Promise<string>;

/** Errors: `usage` for an option that would be ignored. */
export function checkLinkOptions(options: UploadOptions): void {
  if (options.expires === undefined || wantsLink(options)) return;
  throw new TaskflowError("usage", "--expires is for links: add --link or --markdown", { hint: null });
}

export function wantsLink(options: UploadOptions): boolean {
  return options.link === true || options.markdown === true;
}

/**
 * Signs a link to each attachment; `null` where none is wanted, or nothing is attached (`-n`). Whatever would be wrong
 * with all of them is an error now, before anything is attached.
 */
export async function linksOf<Row>(
  session: Session<Row>,
  driver: StorageDriver,
  options: UploadOptions,
): Promise<LinkTo | null> {
  if (!wantsLink(options) || options.dryRun === true || driver.presigner === undefined) return null;
  // A folder's classes are labels: `serve` reads whatever is there.
  if (driver.presigner.gate === undefined) checkReadableClass(options);
  await getLinksReady(session, driver, options);
  return async ({ key, name, details }) => {
    try {
      const expiresSeconds = options.expires ?? DEFAULT_EXPIRES_SECONDS;
      const link = await linkToDownload(driver, key, { expiresSeconds, name, details, signal: session.ctx.signal });
      const early = earlyEndText(link);
      if (early !== null) await session.report.warning(printable(early));
      return link.request.url;
    } catch (error) {
      const { code, message, hint: said, retryable } = toTaskflowError(error);
      // The same command once more would attach it once more.
      const hint = retryable ? `make one with: taskflow attach presign ${shellQuote(key)}` : said;
      throw new TaskflowError(code, `${key} is attached, but there is no link to it: ${message}`, {
        hint,
        cause: error,
      });
    }
  };
}

/** Errors: `archived` where nobody could read what is attached. */
function checkReadableClass({ storageClass }: UploadOptions): void {
  if (storageClass === undefined || !isArchiveClass(parseStorageClass(storageClass))) return;
  throw new TaskflowError("archived", `what goes to ${storageClass} can't be read by a link`, {
    hint: "leave the link out, or take --storage-class GLACIER_IR",
  });
}

/** What stdout says of it: the link in the form that was asked for. */
export function linkLine({ name, details }: Attachment, link: string, options: UploadOptions): string {
  return options.markdown === true ? markdownLink(name, link, details?.type ?? null) : link;
}
