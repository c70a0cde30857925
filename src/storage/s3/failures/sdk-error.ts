/** What can be read from whatever the SDK throws. */
import { isTaskflowError } from "../../../errors.ts";

/** Of an SDK error. Everything is optional: it may be anything that was thrown. */
interface SdkError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

export function nameOf(error: unknown): string {
  const { name } = Object(error) as SdkError;
  return typeof name === "string" ? name : "";
}

export function isNamed(error: unknown, ...names: string[]): boolean {
  return names.includes(nameOf(error));
}

/** The HTTP status; `null` where no reply came. */
export function statusOf(error: unknown): number | null {
  const { $metadata } = Object(error) as SdkError;
  return $metadata?.httpStatusCode ?? null;
}

/** How often it was sent. More than once, and an earlier one may have done it. */
export function attemptsOf(error: unknown): number {
  const { $metadata } = Object(error) as SdkError;
  return $metadata?.attempts ?? 1;
}

export function headersOf(error: unknown): Readonly<Record<string, string | undefined>> {
  const { $response } = Object(error) as SdkError;
  return $response?.headers ?? {};
}

/**
 * Whether these headers are another server's: S3 speaks XML or nothing, and gives its requests ids. For GET and HEAD of
 * an object it tells only what a refusal is: a reply has the object's own type.
 */
export function isForeign(headers: Readonly<Record<string, string | undefined>>): boolean {
  const type = headers["content-type"];
  return type !== undefined && !/\bxml\b/i.test(type) && !Object.keys(headers).some((name) => /^x-amzn?-/i.test(name));
}

/** The same of a reply with an object's own type: a page for people, such as a proxy's for signing in, ETag or not. */
export function isPage(headers: Readonly<Record<string, string | undefined>>): boolean {
  return /^text\/html\b/i.test(headers["content-type"] ?? "") && isForeign(headers);
}

const FOREIGN = "ForeignReply";

/** What is thrown for a reply that the SDK took for S3's. */
export function foreignReply(httpStatusCode: number): Error {
  return Object.assign(new Error("the reply is not S3's"), { name: FOREIGN, $metadata: { httpStatusCode } });
}

/** The reply, which S3 gives an ETag wherever it has or takes an object. Throws where it has none. */
export function withETag<Reply extends { readonly ETag?: string | undefined }>(reply: Reply): Reply {
  if (reply.ETag === undefined) throw foreignReply(200);
  return reply;
}

/** Whether it was not S3 that replied. A proxy's 5xx is a failure of what is behind it. */
export function isFromStranger(error: unknown): boolean {
  const status = statusOf(error);
  return isNamed(error, FOREIGN) || (status !== null && status < 500 && isForeign(headersOf(error)));
}

/** No reply that says no: it may have happened or not. */
export function isUnclear(error: unknown): boolean {
  const status = statusOf(error);
  return status === null ? socketCode(error) !== null || isGarbage(error) : status >= 500 || status === 200;
}

/** One line. Of a profile's `credential_process` that it failed: the command may have a password in it. */
export function messageOf(error: unknown): string {
  const { message } = Object(error) as SdkError;
  return typeof message === "string" ? oneLine(message.replace(/^Command failed: [^]*/, "its command failed")) : "";
}

export function requestIdOf(error: unknown): string | null {
  const { $metadata } = Object(error) as SdkError;
  return $metadata?.requestId ?? null;
}

/** The name that Node gives to what befell the connection; `null` where it was not that. */
export function socketCode(error: unknown): string | null {
  const { code } = Object(error) as SdkError;
  if (typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  return nameOf(error) === "TimeoutError" ? "ETIMEDOUT" : null;
}

/** XML that is none, or JSON that was HTML: the SDK's parser throws. */
export function isGarbage(error: unknown): boolean {
  return nameOf(error) === "SyntaxError" || messageOf(error).includes("Deserialization error");
}

/**
 * What is kept of an SDK error: it holds the whole request, signature and session token with it, and what S3 says of a
 * wrong signature repeats them.
 */
export function causeOf(error: unknown): unknown {
  if (!(error instanceof Error) || isTaskflowError(error)) return error;
  const cause = new Error(messageOf(error));
  const code = socketCode(error);
  const frames = error.stack?.split("\n").filter((line) => /^ +at /.test(line)) ?? [];
  Object.defineProperty(cause, "name", { value: error.name });
  Object.defineProperty(cause, "stack", { value: [`${error.name}: ${cause.message}`, ...frames].join("\n") });
  return code === null ? cause : Object.assign(cause, { code });
}

/** Servers write what they like; a message is one line. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}
