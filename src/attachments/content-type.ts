/** Media types: of what is attached, and of what may be. */
import { TaskflowError } from "../errors.ts";
import { trustedType } from "./signature.ts";

/** How many leading bytes `detectType` looks at; more are of no use to it. */
export const DETECT_BYTES = 4100;

/**
 * The media type of a file: of its leading bytes where they are decisive, else of its extension, else
 * `application/octet-stream`. Without parameters: an encoding is never guessed. Never throws; the bytes are copied, so
 * they need to be valid only until this returns its promise.
 */
export async function detectType(firstBytes: Uint8Array, name: string): Promise<string> {
  const bytes = new Uint8Array(firstBytes.subarray(0, DETECT_BYTES));
  const { lookup } = await import("mime-types");
  const named = lookup(extensionOf(name)) || OCTETS;
  return (await trustedType(bytes, named === OCTETS ? null : named)) ?? named;
}

/**
 * A media type as `--type` gives it: the grammar of RFC 9110, section 8.3.1, but for wildcards. Type, subtype and the
 * names of parameters come back in lower case, with `; ` between.
 *
 * @throws `usage`.
 */
export function parseType(text: string): string {
  const match = text.length > MAX_LENGTH ? null : MEDIA_TYPE.exec(text);
  if (match === null) {
    throw new TaskflowError("usage", `invalid media type ${JSON.stringify(text)}`, {
      hint: "write it as type/subtype, for example text/plain; charset=utf-8",
    });
  }
  const [, type = "", parameters = ""] = match;
  const tail = [...parameters.matchAll(PARAMETER)].map(
    ([, name = "", value = ""]) => `; ${name.toLowerCase()}=${value}`,
  );
  return type.toLowerCase() + tail.join("");
}

/**
 * A pattern of allowed types, in lower case: one type, all of a group (`image/*`) or all there are (a star on both
 * sides); without parameters.
 *
 * @throws `usage`.
 */
export function parseTypePattern(text: string): string {
  if (TYPE_PATTERN.test(text)) return text.toLowerCase();
  throw new TaskflowError("usage", `invalid pattern of media types ${JSON.stringify(text)}`, {
    hint: "write type/subtype, type/* or */*, for example image/*",
  });
}

/** Whether a type fits one of the patterns of `parseTypePattern`; its parameters don't count. No patterns, no type. */
export function typeAllowed(type: string, patterns: readonly string[]): boolean {
  const essence = (type.split(";", 1)[0] ?? "").trim().toLowerCase();
  const group = `${essence.split("/", 1)[0] ?? ""}/*`;
  return patterns
    .map((pattern) => pattern.toLowerCase())
    .some((pattern) => pattern === "*/*" || pattern === group || pattern === essence);
}

const OCTETS = "application/octet-stream";
const MAX_LENGTH = 255;
const WORD = "[!#$%&'+\\-.^_`|~0-9A-Za-z]+";
const VALUE = `(?:[!#$%&'*+\\-.^_\`|~0-9A-Za-z]+|"(?:[ !#-[\\]-~]|\\\\[ -~])*")`;
const MEDIA_TYPE = new RegExp(`^(${WORD}/${WORD})((?:[ \\t]*;[ \\t]*${WORD}=${VALUE})*)$`);
const PARAMETER = new RegExp(`;[ \\t]*(${WORD})=(${VALUE})`, "g");
const TYPE_PATTERN = new RegExp(`^(?:\\*/\\*|${WORD}/(?:\\*|${WORD}))$`);

/** With the dot, or nothing: mime-types takes a bare `pdf` for an extension, which a file of that name hasn't. */
function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot === -1 || name.includes("/", dot) ? "" : name.slice(dot);
}
