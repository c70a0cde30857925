/** Secrets never reach stderr or an error in JSON, whatever text they hide in: error messages of libraries, URLs, dumps of --debug. */

const HIDDEN = "[hidden]";

const PATTERNS: readonly [RegExp, string][] = [
  // Presigned URLs and forms of S3: signature, session token, and the credential scope with its key id.
  [/((?:X-Amz-(?:Signature|Security-Token|Credential))["']?\s*[=:]\s*["']?)[^&\s"',}]+/gi, `$1${HIDDEN}`],
  [/((?:Signature|AWSAccessKeyId|x-amz-security-token)\s*[=:]\s*)[^&\s"',}]+/gi, `$1${HIDDEN}`],
  [/(authorization["']?\s*[=:]\s*["']?)[^\r\n"'}]+/gi, `$1${HIDDEN}`],
  [/(\bbearer\s+)[\w.~+/=-]+/gi, `$1${HIDDEN}`],
  // Settings that are secrets, as NAME=value or "name": "value".
  [
    /((?:AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|TASKFLOW_TOKEN|secretAccessKey|sessionToken)["']?\s*[=:]\s*["']?)[^\s"',}]+/gi,
    `$1${HIDDEN}`,
  ],
  // Links of the folder store: base64url(payload).base64url(mac), the mac is 43 characters.
  [/\b[\w-]{40,}\.[\w-]{43}\b/g, HIDDEN],
];

/** Of a value that is looked for to the letter: shorter ones are parts of other words. */
const LEAST_LENGTH = 12;

/** The text without anything that PATTERNS knows as a secret, nor any of `values` to the letter, as in a URL or not. */
export function redact(text: string, values: readonly string[] = []): string {
  let clean = text;
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  for (const value of values.filter(({ length }) => length >= LEAST_LENGTH)) {
    clean = clean.replaceAll(value, HIDDEN).replaceAll(encodeURIComponent(value), HIDDEN);
  }
  return clean;
}
