/** URLs as settings: bases that requests are sent to or links begin with. */
import { bad, good, type Parsed } from "./parse-values.ts";

const HINT = "write http://HOST:PORT or https://HOST";

/**
 * An http or https URL, without a slash at its end. Refused: credentials in it (they would be printed), a query or
 * fragment (it is a base), and link-local addresses (169.254.169.254 answers with a machine's own credentials).
 */
export function parseUrl(text: string): Parsed<string> {
  if (!/^https?:\/\//i.test(text)) return bad("not an http or https URL", HINT);
  // `new URL` would drop tabs and newlines, and read a backslash as a slash.
  if (/[\s\p{Cc}\\]/u.test(text)) return bad("holds a space, control character or backslash", HINT);
  if (/^https?:\/\/[^/]*@/i.test(text)) return bad("holds a user name or password", HINT);
  if (/[?#]/.test(text)) return bad("holds a query or fragment", HINT);
  if (!URL.canParse(text)) return bad("not a URL", HINT);
  const url = new URL(text);
  if (isLinkLocal(url.hostname)) return bad("a link-local address", HINT);
  return good(url.href.replace(/\/+$/, ""));
}

/** Whether a URL (as `parseUrl` gives it) stays on this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^127\.\d+\.\d+\.\d+$|^\[::1\]$|^localhost\.?$|\.localhost\.?$/.test(hostname);
}

/** `hostname` is normalized: dotted IPv4 whichever way it was written, compressed IPv6 in brackets. */
function isLinkLocal(hostname: string): boolean {
  return /^169\.254\.|^\[fe[89ab][0-9a-f]:|^\[::ffff:a9fe:|^\[fd00:ec2::254\]$/.test(hostname);
}

/** The origin of pages, as browsers send it: scheme, host and port, nothing after. */
export function parseOrigin(text: string): Parsed<string> {
  const url = /^https?:\/\/[^\s/?#@\\*]+$/i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url !== null) return good(url.origin);
  return bad("not an origin", "write it as the browser does, without a slash at its end: https://app.example.com");
}
