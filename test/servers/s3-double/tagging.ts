/** The tags of an object. */
import { empty, xmlReply } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { checkTags } from "./object-headers.ts";
import { versionAsked } from "./read.ts";
import { S3Error } from "./s3-error.ts";
import { childText, parseXml, s3Document } from "./xml.ts";

export function getObjectTagging(call: Call): Reply {
  const version = versionAsked(call);
  const tags = Object.entries(version.tags).map(([Key, Value]) => ({ Key, Value }));
  return xmlReply(s3Document("Tagging", { TagSet: { Tag: tags } }), call.facts.bucket.versionHeader(version));
}

export function putObjectTagging(call: Call): Reply {
  const { bucket, body } = call.facts;
  const version = versionAsked(call);
  const root = parseXml(body.bytes?.toString("utf8") ?? "");
  const set = root?.children.find(({ name }) => name === "TagSet");
  if (root?.name !== "Tagging" || set === undefined) throw new S3Error("MalformedXML");
  const tags = checkTags(
    set.children.map((tag) => [childText(tag, "Key") ?? "", childText(tag, "Value") ?? ""] as const),
  );
  bucket.replace(version, { ...version, tags });
  return empty(200, bucket.versionHeader(version));
}

export function deleteObjectTagging(call: Call): Reply {
  const { bucket } = call.facts;
  const version = versionAsked(call);
  bucket.replace(version, { ...version, tags: {} });
  return empty(204, bucket.versionHeader(version));
}
