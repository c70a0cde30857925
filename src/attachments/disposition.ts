import { safeName } from "./name.ts";

/**
 * The value of Content-Disposition under which a download bears this name: `filename=` for old clients, `filename*=`
 * (RFC 6266, RFC 8187; formerly RFC 5987) for all others. ASCII only, so it can be signed and sent as it is.
 * The name goes through the key's name rule first, so a foreign key can bring neither a path nor a line end.
 */
export function contentDisposition(name: string, kind: "attachment" | "inline"): string {
  const safe = safeName(name);
  // `%` and two hex digits in filename= are decoded by some clients and not by others (RFC 6266, appendix D).
  const fallback = safe.replace(/[^ -~]/gu, "_").replace(/%(?=[0-9a-f]{2})/gi, "_");
  return `${kind}; filename="${fallback}"; filename*=UTF-8''${encode(safe)}`;
}

/** Of what encodeURIComponent leaves, `'`, `(`, `)` and `*` are no attr-char of RFC 8187. */
function encode(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
