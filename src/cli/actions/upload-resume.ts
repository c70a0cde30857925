/** What an upload tells of an earlier one that was interrupted, and of what it leaves itself. */
import { realpath } from "node:fs/promises";
import type { Source } from "../../attachments/source.ts";
import type { UploadRequest } from "../../attachments/upload.ts";
import type { ResumeEvent } from "../../storage/resume.ts";
import { formatDayTime, formatShare } from "../output/format.ts";
import type { Progress } from "../output/progress.ts";

export interface ResumeTerms {
  /** `--no-resume`. */
  readonly anew: boolean;
  /** Of the file, where there are several. */
  readonly name: string | null;
  readonly progress: Progress;
  note(text: string): void;
}

/** No store keeps parts of less: finding out where a file really is would be in vain. */
const SMALLEST_RESUMED = 5 * 1024 * 1024;

/** `{}` for what can't be found or read again, or is too small to be sent in parts. */
export async function resumeOf(
  file: string,
  { size, repeatable }: Source,
  terms: ResumeTerms,
): Promise<Pick<UploadRequest, "resume">> {
  if (!repeatable || size === null || size < SMALLEST_RESUMED) return {};
  // None where it was removed since it was opened, or never had a name: `/dev/fd/5`.
  const path = await realpath(file).catch(() => null);
  return path === null ? {} : { resume: { path, anew: terms.anew, tell: (event) => tell(event, terms) } };
}

function tell(event: ResumeEvent, { name, progress, note }: ResumeTerms): void {
  const of = name === null ? "" : ` ${name}`;
  switch (event.kind) {
    case "resuming":
      progress.skip(event.bytes);
      if (event.bytes === 0) return;
      note(`resuming${of}: ${formatShare(event.bytes, event.size)} are there, begun ${formatDayTime(event.begunAt)}`);
      return;
    case "changed":
      note(`the file${of} changed since ${formatDayTime(event.begunAt)}: starting anew, what was sent then is removed`);
      return;
    case "busy":
      note(`another run is sending the same file${of}: this one sends its own`);
      return;
    case "kept":
      if (event.bytes === 0) return;
      note(
        `${formatShare(event.bytes, event.size)}${of === "" ? "" : ` of${of}`} are there: the same command sends the rest`,
      );
  }
}
