/** CompleteMultipartUpload: the stated parts in order, proven, as one object. */
import { createHash } from "node:crypto";
import type { Content } from "./bucket.ts";
import { xmlReply } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { combine, digestOf, headerName, isWellFormed, statedChecksum } from "./checksums.ts";
import type { Checksum } from "./checksums.ts";
import { uploadAsked } from "./multipart.ts";
import { checkWriteConditions } from "./objects.ts";
import { invalidRequest, notImplemented, S3Error } from "./s3-error.ts";
import type { Part, Upload } from "./upload.ts";
import { childText, parseXml, s3Document } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

export function completeMultipartUpload(call: Call): Reply {
  const { bucket, key, body, now, world } = call.facts;
  const upload = uploadAsked(call);
  const root = parseXml(body.bytes?.toString("utf8") ?? "");
  const stated = root?.children.filter(({ name }) => name === "Part") ?? [];
  if (root?.name !== "CompleteMultipartUpload" || stated.length === 0) throw new S3Error("MalformedXML");
  const numbers = stated.map((part) => Number(childText(part, "PartNumber")));
  if (numbers.some((number, at) => number <= (numbers[at - 1] ?? 0)))
    throw new S3Error("InvalidPartOrder", { details: { UploadId: upload.id } });
  const parts = stated.map((each) => statedPart(upload, each));
  const small = parts.slice(0, -1).find(({ size }) => size < world.limits.minPartBytes);
  if (small !== undefined) {
    throw new S3Error("EntityTooSmall", {
      details: {
        ProposedSize: String(small.size),
        MinSizeAllowed: String(world.limits.minPartBytes),
        PartNumber: String(small.number),
        ETag: small.etag,
      },
    });
  }
  const content = joined(upload, parts);
  checkWhole(call, upload, content);
  checkWriteConditions(call, bucket, key);
  bucket.uploads.delete(upload.id);
  const version = bucket.put(key, { ...content, ...upload.attributes }, now);
  const { checksum } = version;
  return xmlReply(
    s3Document("CompleteMultipartUploadResult", {
      Location: `http://${bucket.name}.s3.${bucket.region}.amazonaws.com/${encodeURIComponent(key)}`,
      Bucket: bucket.name,
      Key: key,
      ETag: `"${version.etag}"`,
      ...(checksum === null ? {} : { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type }),
    }),
    bucket.versionHeader(version),
  );
}

function statedPart(upload: Upload, stated: XmlElement): Part {
  const number = Number(childText(stated, "PartNumber"));
  const etag = childText(stated, "ETag")?.replaceAll('"', "");
  const part = upload.parts.get(number);
  const invalid = new S3Error("InvalidPart", {
    details: { UploadId: upload.id, PartNumber: String(number), ETag: etag ?? "" },
  });
  if (part === undefined || part.etag !== etag) throw invalid;
  const { checksum } = upload;
  if (checksum === null) return part;
  const value = childText(stated, `Checksum${checksum.algorithm}`);
  if (value === undefined && checksum.type === "COMPOSITE") {
    throw invalidRequest(
      `The upload was created using a ${checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  if (value !== undefined && value !== part.checksum) throw invalid;
  return part;
}

function joined(upload: Upload, parts: readonly Part[]): Content {
  const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")));
  const kept = parts.flatMap(({ bytes }) => (bytes === null ? [] : [bytes]));
  return {
    size: parts.reduce((sum, { size }) => sum + size, 0),
    etag: `${createHash("md5").update(md5s).digest("hex")}-${parts.length}`,
    bytes: kept.length === parts.length ? Buffer.concat(kept) : null,
    checksum: joinedChecksum(upload, parts),
  };
}

function joinedChecksum({ checksum }: Upload, parts: readonly Part[]): Checksum | null {
  if (checksum === null) return null;
  const { algorithm, type } = checksum;
  const values = parts.map((part) => part.checksum ?? "");
  if (type === "COMPOSITE") {
    const all = Buffer.concat(values.map((value) => Buffer.from(value, "base64")));
    return { algorithm, type, value: `${digestOf(algorithm, all)}-${parts.length}` };
  }
  if (algorithm !== "CRC32" && algorithm !== "CRC32C") throw notImplemented(`a full-object ${algorithm}`);
  let [whole = ""] = values;
  for (const part of parts.slice(1)) whole = combine(algorithm, whole, part.checksum ?? "", part.size);
  return { algorithm, type, value: whole };
}

/** What Complete says of the whole object: its size, the kind of its checksum, the checksum itself. */
function checkWhole(call: Call, upload: Upload, { size, checksum }: Content): void {
  const stated = statedChecksum(call.facts.headers);
  const type = call.header("x-amz-checksum-type");
  if (type !== undefined && type !== (upload.checksum?.type ?? "")) {
    throw invalidRequest(
      `The upload was created using the ${upload.checksum?.type ?? "null"} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  if (stated !== null && stated.algorithm !== checksum?.algorithm) {
    const [expected, actual] = [checksum?.algorithm.toLowerCase() ?? "null", stated.algorithm.toLowerCase()];
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
    );
  }
  if (stated !== null && !isWellFormed(stated.algorithm, stated.value.replace(/-\d+$/, ""))) {
    throw invalidRequest(`Value for ${headerName(stated.algorithm)} header is invalid.`);
  }
  if (stated !== null && stated.value !== checksum?.value) {
    throw new S3Error("BadDigest", {
      message: `The ${stated.algorithm} you specified did not match the calculated checksum.`,
    });
  }
  const objectSize = call.header("x-amz-mp-object-size");
  if (objectSize !== undefined && Number(objectSize) !== size) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${objectSize} does not match what was computed: ${size}`,
    );
  }
}
