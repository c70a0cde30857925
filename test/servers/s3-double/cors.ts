/** The answer to a browser's OPTIONS, by the bucket's CORS rules (API reference, "OPTIONS object"). Nobody signs it. */
import type { Bucket } from "./bucket.ts";
import { empty } from "./call.ts";
import type { Reply } from "./call.ts";
import { S3Error } from "./s3-error.ts";
import { childText, parseXml } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

export function preflight(bucket: Bucket | undefined, headers: ReadonlyMap<string, string>): Reply {
  if (bucket === undefined) throw new S3Error("NoSuchBucket");
  const origin = headers.get("origin");
  const method = headers.get("access-control-request-method");
  const asked = listOf(headers.get("access-control-request-headers"));
  if (origin === undefined) {
    throw new S3Error("BadRequest", { message: "Insufficient information. Origin request header needed." });
  }
  if (method === undefined) {
    throw new S3Error("BadRequest", { message: "Invalid Access-Control-Request-Method: null" });
  }
  const configuration = parseXml(bucket.settings.get("cors") ?? "");
  if (configuration === null) throw forbidden("CORSResponse: CORS is not enabled for this bucket.");
  const rule = configuration.children.find(
    (each) =>
      textsOf(each, "AllowedOrigin").some((pattern) => fits(pattern, origin)) &&
      textsOf(each, "AllowedMethod").includes(method) &&
      asked.every((name) => textsOf(each, "AllowedHeader").some((pattern) => fits(pattern.toLowerCase(), name))),
  );
  if (rule === undefined) throw forbidden("CORSResponse: This CORS request is not allowed.");
  const exposed = textsOf(rule, "ExposeHeader").join(", ");
  const maxAge = childText(rule, "MaxAgeSeconds");
  return empty(200, {
    "access-control-allow-origin": textsOf(rule, "AllowedOrigin").includes("*") ? "*" : origin,
    "access-control-allow-methods": textsOf(rule, "AllowedMethod").join(", "),
    ...(asked.length === 0 ? {} : { "access-control-allow-headers": asked.join(", ") }),
    ...(exposed === "" ? {} : { "access-control-expose-headers": exposed }),
    ...(maxAge === undefined ? {} : { "access-control-max-age": maxAge }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  });
}

function forbidden(message: string): S3Error {
  return new S3Error("AccessForbidden", { status: 403, message });
}

function textsOf(rule: XmlElement, name: string): string[] {
  return rule.children.filter((child) => child.name === name).map(({ text }) => text);
}

/** One `*` stands for anything. */
function fits(pattern: string, text: string): boolean {
  const [before = "", after] = pattern.split("*");
  if (after === undefined) return pattern === text;
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

function listOf(header: string | undefined): string[] {
  return (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
}
