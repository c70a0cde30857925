/** How far the leading bytes of a file tell its type, where its name says something else. */

/**
 * The type that the bytes decide on, `null` where they don't: nothing is recognized, or only a container or a short
 * signature that goes well with what the extension says. `named` is the extension's type, `null` if it has none.
 */
export async function trustedType(bytes: Uint8Array, named: string | null): Promise<string | null> {
  const { mimes, recognized } = await sniff(bytes);
  const isText = looksLikeText(bytes);
  // `.ts` and `.mts` are TypeScript far more often than MPEG, which never reads as text.
  if (isText && named === "video/mp2t") return "text/plain";
  if (recognized === null) return null;
  if (isText && !isSpelledOut(recognized, bytes, named)) return null;
  if (recognized === "application/x-apple-diskimage") return null; // two bytes that begin each zlib stream as well
  if (recognized === "audio/mpeg" && bytes[0] === 0xff && bytes[1] === 0xfe) return null; // UTF-16's byte order mark
  // file-type reads zeros beyond the end: two bytes would make a font.
  if (bytes.length < SHORTEST_HEADER && /^(?:font|image\/x-icon)/.test(recognized)) return null;
  if (named === null || named === recognized) return recognized;
  const family = FAMILIES.find((pattern) => pattern.test(recognized) && pattern.test(named));
  if (family !== undefined) return null;
  return OPEN_CONTAINERS.has(recognized) && mayContain(recognized, named, mimes) ? null : recognized;
}

/** Types that differ by what is inside, further in than we look: the extension knows better. */
const FAMILIES: readonly RegExp[] = [
  /^(?:(?:video|audio|application)\/(?:mp4|x-m4[av]|quicktime|3gpp2?)|image\/mj2)$/,
  /^(?:video|audio|application)\/(?:ogg|opus|speex)$/,
  /^(?:video|audio)\/(?:x-)?(?:matroska|webm)(?:-3d)?$/,
  /^(?:video|audio|application)\/(?:vnd\.ms-asf|x-ms-(?:asf|wma|wmv|wax|wvx))$/,
  /^image\/(?:heic|heif)(?:-sequence)?$/,
  /^(?:image\/tiff|image\/(?:x-|prs\.).*)$/,
  /^(?:text|application)\/(?:.*\+)?xml(?:-.*)?$|^image\/svg\+xml$|^text\/(?:html|plain|markdown|xsl)$/,
  /^application\/(?:postscript|eps|illustrator)$/,
  /^application\/(?:java-archive|vnd\.android\.package-archive|x-xpinstall)$/,
];

/** Containers of anything, and signatures so short that they hit other formats too. */
const OPEN_CONTAINERS: ReadonlySet<string> = new Set([
  "application/zip",
  "application/x-cfb",
  "application/xml",
  "application/gzip",
  "application/x-tar",
  "application/x-sqlite3",
  "application/x-unix-archive",
  "application/x-compress",
  "application/x-cpio",
  "application/x-arj",
  "audio/vnd.dolby.dd-raw",
  "audio/mpeg",
  "audio/aac",
]);

/** What is told from its container only by parts that may lie further in; all else known would have been seen. */
const CONTAINED: Readonly<Record<string, RegExp>> = {
  "application/zip":
    /officedocument|opendocument|macroenabled|\+zip$|java-archive|android\.package|x-xpinstall|model\/3mf|visio/,
  "application/x-cfb": /msword|ms-(?:excel|powerpoint|outlook|project|works)|visio|x-msi|x-msdownload/,
};

/** Whether a file of the named type can begin as this container: it is a document, not one we'd have recognized. */
function mayContain(container: string, named: string, mimes: ReadonlySet<string>): boolean {
  if (CONTAINED[container]?.test(named) === true) return true;
  return /^(?:application|model)\//.test(named) && !mimes.has(named) && !named.endsWith("json");
}

/** Formats that are text themselves; all others that "begin" a text do so by chance: `BM`, `MZ`, `GIF`, `CWS`. */
const TEXT_FORMATS =
  /^(?:application\/(?:pdf|rtf|xml|eps|pgp-encrypted|x-ms-regedit)|text\/.*|image\/gif|application\/postscript)$/;

function isSpelledOut(recognized: string, bytes: Uint8Array, named: string | null): boolean {
  if (named === recognized) return true;
  const start = Buffer.from(bytes.subarray(0, 6)).toString("latin1");
  if (recognized === "image/gif") return start === "GIF87a" || start === "GIF89a";
  if (recognized === "application/postscript") return start.startsWith("%!PS");
  return TEXT_FORMATS.test(recognized);
}

const SHORTEST_HEADER = 6;

/** Has no byte that text never has (WHATWG MIME Sniffing: binary data bytes). Nothing at all is not text. */
function looksLikeText(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((byte) => byte > 0x1f || BREAKS.has(byte));
}

const BREAKS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x1b]);

async function sniff(bytes: Uint8Array): Promise<{ mimes: ReadonlySet<string>; recognized: string | null }> {
  const { fileTypeFromBuffer, supportedMimeTypes: mimes } = await import("file-type/core");
  // The library would inflate it, to look for a tar that we'd call gzip all the same.
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return { mimes, recognized: "application/gzip" };
  try {
    const found = await fileTypeFromBuffer(bytes);
    return { mimes, recognized: found?.mime.split(";", 1)[0]?.trim().toLowerCase() ?? null };
  } catch {
    // A parser that trips over hostile bytes has recognized nothing.
    return { mimes, recognized: null };
  }
}
