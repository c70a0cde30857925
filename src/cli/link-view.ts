/** The faces of a link. */
import type { Link } from "../attachments/presign.ts";
import { isSafeImage } from "../attachments/served-type.ts";
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
  const { method, url, headers, fields } = request;
  const sent = Object.entries(headers).flatMap(([header, text]) => ["-H", `${header}: ${text}`]);
  const file = name.startsWith("-") ? `./${name}` : name;
  const words =
    method === "GET"
      ? ["curl", "-fsSg", "-o", file, ...sent, url]
      : method === "PUT"
        ? ["curl", "-fsSg", "-T", file, ...sent, url]
        : ["curl", "-fsSg", ...sent, ...formWords(fields ?? {}), "-F", `file=@${file}`, url];
  return words.map((word) => shellQuote(word)).join(" ");
}

/** `[name](url)`, or `![name](url)` for an image that a page may show. */
export function markdownLink(name: string, url: string, type: string | null): string {
  const text = printable(name).replace(/[\\`*_[\]<>~|&!#]/g, "\\$&");
  const target = url.replaceAll("(", "%28").replaceAll(")", "%29");
  return `${isSafeImage(type) ? "!" : ""}[${text}](${target})`;
}

/** `--form-string`: a value that begins with `@` or `<` is no file. */
function formWords(fields: Readonly<Record<string, string>>): string[] {
  return Object.entries(fields).flatMap(([name, text]) => ["--form-string", `${name}=${text}`]);
}
