/** The faces of a link. */
import type { Link } from "../attachments/presign.ts";
import { isSafeImage } from "../attachments/served-type.ts";
import type { LimitedBy, SignedRequest } from "../storage/presigner.ts";
import { shellQuote } from "./output/format.ts";
import type { JsonObject } from "./output/json-document.ts";
import { printable } from "./output/printable.ts";

export function linkJson(link: Link): JsonObject {
  const { request, key, id, name } = link;
  const { method, url, headers, fields, requestedExpiresAt, expiresAt, limitedBy } = request;
  return {
    method,
    url,
    headers,
    fields,
    key,
    id,
    name,
    requestedExpiresAt: requestedExpiresAt.toISOString(),
    expiresAt: expiresAt === null ? null : expiresAt.toISOString(),
    limitedBy,
    curl: curlLine(link),
  };
}

/**
 * A line for a POSIX shell that uses the link: the download into a file of its name, the upload from one. `-g`, because
 * curl would take brackets in names for patterns.
 */
export function curlLine({ request, name }: Link): string {
  const { method, url, fields } = request;
  const file = name.startsWith("-") ? `./${name}` : name;
  const words =
    method === "GET"
      ? ["curl", "-fsSg", "-o", file, ...headerWords(request), url]
      : method === "PUT"
        ? ["curl", "-fsSg", "-T", file, ...headerWords(request), url]
        : ["curl", "-fsSg", ...formWords(fields ?? {}), "-F", `file=@${formQuote(file)}`, url];
  return words.map((word) => shellQuote(word)).join(" ");
}

/** The headers that an upload needs, as a shell takes them for curl; `null` where it needs none. */
export function headersText(request: SignedRequest): string | null {
  const words = headerWords(request);
  return words.length === 0 ? null : words.map((word) => shellQuote(word)).join(" ");
}

/** Without the length: curl tells the file's own, and one of another size is then refused, not cut. */
function headerWords({ headers }: SignedRequest): string[] {
  return Object.entries(headers)
    .filter(([header]) => header !== "Content-Length")
    .flatMap(([header, text]) => ["-H", `${header}: ${text}`]);
}

/** How a link ends that may end sooner than asked, for people; `null` where it doesn't. */
export function earlyEndText({ request, key }: Link): string | null {
  const { expiresAt, requestedExpiresAt, limitedBy } = request;
  if (expiresAt !== null && expiresAt >= requestedExpiresAt) return null;
  const when = expiresAt === null ? "and nobody says when that is" : `at ${expiresAt.toISOString()}`;
  return `the link to ${key} ends ${EARLY_ENDS[limitedBy]}, ${when}`;
}

const EARLY_ENDS: Readonly<Record<LimitedBy, string>> = {
  request: "as asked",
  credentials: "with the credentials that sign it",
  thaw: "with the thawed copy",
  expiry: "when the store's rules remove the attachment",
};

/** `[name](url)`, or `![name](url)` for an image that a page may show. */
export function markdownLink(name: string, url: string, type: string | null): string {
  const text = printable(name).replace(/[\\`*_[\]<>~|&!#]/g, "\\$&");
  const target = url.replaceAll("(", "%28").replaceAll(")", "%29");
  return `${isSafeImage(type) ? "!" : ""}[${text}](${target})`;
}

/** curl ends an unquoted file name at `;` and `,`. */
function formQuote(file: string): string {
  return `"${file.replace(/[\\"]/g, "\\$&")}"`;
}

/** `--form-string`: a value that begins with `@` or `<` is no file. */
function formWords(fields: Readonly<Record<string, string>>): string[] {
  return Object.entries(fields).flatMap(([name, text]) => ["--form-string", `${name}=${text}`]);
}
