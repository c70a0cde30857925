/** Reading files that decide where data goes: only where nobody else can have written them. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from "node:fs";

/** Larger ones are not read: no settings fill this. */
const MAX_BYTES = 64 * 1024;

/**
 * The file's text; or one line that says why it is not read, and the fix; `null` where there is no such file.
 * Refused is what another user owns (`uid` is this one's), what everyone may write, what is larger than 64 KiB or no
 * text. The checks are made on the open file, so that it can't be exchanged after them. `uid: null` skips the owner
 * and the mode, for systems without them.
 */
export function readPrivateFile(file: string, uid: number | null): { text: string } | { refused: string } | null {
  let descriptor: number | null = null;
  try {
    // The link itself counts too: one of another user's could choose which file of ours is read.
    const link = lstatSync(file, { throwIfNoEntry: false });
    if (link === undefined || link.isDirectory()) return null;
    // O_NONBLOCK: opening a FIFO would wait for its writer. Windows has neither.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const reason = refusal(link, fstatSync(descriptor), uid);
    if (reason !== null) return { refused: `${file} is not read: ${reason}` };
    const content = readFileSync(descriptor);
    // PowerShell's `>` writes UTF-16.
    if (content.includes(0)) return { refused: `${file} is not read: save it as UTF-8` };
    return { text: content.toString() };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    return { refused: `${file} is not read: ${code === "EACCES" ? "permission denied" : code}` };
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function refusal(link: Stats, stats: Stats, uid: number | null): string | null {
  if (!stats.isFile()) return "it is not a plain file";
  if (stats.size > MAX_BYTES) return "it is larger than 64 KiB";
  if (uid === null) return null;
  const other = [link, stats].find((each) => each.uid !== uid);
  if (other !== undefined) return `it is owned by another user (uid ${other.uid}); chown it to uid ${uid} to use it`;
  return (stats.mode & 0o002) === 0 ? null : "everyone may write it; chmod o-w it to use it";
}
