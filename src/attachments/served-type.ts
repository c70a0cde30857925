/** Which media types a browser may be told: everything else is handed over as a file of unknown kind. */

/** Images that browsers show and that can hold no script. */
const IMAGES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
const OTHERS: ReadonlySet<string> = new Set(["application/pdf", "text/plain"]);

/** Whether an attachment of this type may be shown in the browser rather than saved, and under its own type. */
export function isSafeToShow(type: string | null): boolean {
  return isSafeImage(type) || OTHERS.has(essenceOf(type));
}

/** Whether a page may show it as a picture. */
export function isSafeImage(type: string | null): boolean {
  return IMAGES.has(essenceOf(type));
}

/**
 * The type to send: its own where it is safe, else `application/octet-stream`. Text that doesn't say in which characters
 * is called UTF-8: without a word browsers take it for Windows-1252.
 */
export function servedType(type: string | null): string {
  if (type === null || !isSafeToShow(type)) return "application/octet-stream";
  return type.trim().toLowerCase() === "text/plain" ? "text/plain; charset=utf-8" : type;
}

export function isPdf(type: string | null): boolean {
  return essenceOf(type) === "application/pdf";
}

function essenceOf(type: string | null): string {
  return (type ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
