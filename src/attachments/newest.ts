/** Which of several attachments was attached last. */
import pMap from "p-map";
import { TaskflowError, isTaskflowError } from "../errors.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { versionsOf } from "./list.ts";
import { detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";

const AT_ONCE = 16;

/** S3 tells times in whole seconds: of two within one, the recorded times decide. */
export async function newestOf(
  driver: StorageDriver,
  matches: readonly Attachment[],
  signal: AbortSignal,
): Promise<Attachment> {
  const [first, ...others] = matches.toSorted(newestFirst);
  if (first === undefined) throw new TaskflowError("internal", "the newest of none");
  const tied = others.filter(({ createdAt }) => createdAt.getTime() === first.createdAt.getTime());
  if (tied.length === 0) return first;
  const recorded = await pMap([first, ...tied], (one) => withRecord(driver, one, signal), { concurrency: AT_ONCE });
  const [newest] = recorded.toSorted((a, b) => newestFirst(a.read, b.read));
  return newest?.listed ?? first;
}

/** As it was listed, where its record is gone or may not be read. */
async function withRecord(
  driver: StorageDriver,
  listed: Attachment,
  signal: AbortSignal,
): Promise<{ listed: Attachment; read: Attachment }> {
  try {
    const object = listed.deleted
      ? await versionsOf(driver).headDeleted(listed.key, { signal })
      : await driver.head(listed.key, { signal });
    return { listed, read: detailedAttachmentOf(object) ?? listed };
  } catch (error) {
    if (isTaskflowError(error) && LEFT_AS_LISTED.has(error.code)) return { listed, read: listed };
    throw error;
  }
}

const LEFT_AS_LISTED: ReadonlySet<string> = new Set(["not_found", "access_denied", "unsupported"]);

/** Of one time the first by key, as a list has it. */
function newestFirst(a: Attachment, b: Attachment): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || (a.key < b.key ? -1 : 1);
}
