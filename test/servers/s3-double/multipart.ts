/** Multipart uploads until they are completed: begin, parts, lists, abort. */
import { randomBytes } from "node:crypto";
import { empty, xmlReply } from "./call.ts";
import type { Call, Reply } from "./call.ts";
import { algorithmNamed, digestOf, headerName, statedChecksum } from "./checksums.ts";
import { encoder, pageSize } from "./listing.ts";
import { readAttributes } from "./object-headers.ts";
import { invalidArgument, invalidRequest, S3Error } from "./s3-error.ts";
import type { Part, Upload } from "./upload.ts";
import { s3Document } from "./xml.ts";

const MOST_PARTS = 10_000;

export function createMultipartUpload(call: Call): Reply {
  const { bucket, key, headers, now } = call.facts;
  const attributes = readAttributes(headers);
  if (headers.has("x-amz-tagging")) call.demand("s3:PutObjectTagging");
  const checksum = statedUploadChecksum(call);
  const id = randomBytes(48).toString("base64url");
  bucket.uploads.set(id, { id, key, startedAt: now, attributes, checksum, parts: new Map() });
  return xmlReply(
    s3Document("InitiateMultipartUploadResult", { Bucket: bucket.name, Key: key, UploadId: id }),
    checksum === null ? {} : { "x-amz-checksum-algorithm": checksum.algorithm, "x-amz-checksum-type": checksum.type },
  );
}

function statedUploadChecksum(call: Call): Upload["checksum"] {
  const [name, type] = [call.header("x-amz-checksum-algorithm"), call.header("x-amz-checksum-type") ?? "COMPOSITE"];
  if (name === undefined) {
    if (call.header("x-amz-checksum-type") === undefined) return null;
    throw invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
  }
  const algorithm = algorithmNamed(name);
  if (type !== "COMPOSITE" && type !== "FULL_OBJECT")
    throw invalidRequest("Value for x-amz-checksum-type header is invalid.");
  if (type === "FULL_OBJECT" && algorithm.startsWith("SHA")) {
    throw invalidRequest(
      `The FULL_OBJECT checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type };
}

export function uploadPart(call: Call): Reply {
  const { body, headers, world } = call.facts;
  const { upload, number } = partAsked(call);
  const stated = statedChecksum(headers);
  if (stated !== null && upload.checksum !== null && stated.algorithm !== upload.checksum.algorithm) {
    const [expected, actual] = [upload.checksum.algorithm.toLowerCase(), stated.algorithm.toLowerCase()];
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
    );
  }
  if (body.size > world.limits.maxPutBytes) throw new S3Error("EntityTooLarge");
  const part = addPart(call, upload, number, body.bytes, body.size, body.md5);
  return empty(200, {
    etag: `"${part.etag}"`,
    ...(stated === null ? {} : { [headerName(stated.algorithm)]: stated.value }),
  });
}

/** The upload and the number that the query names. */
export function partAsked(call: Call): { upload: Upload; number: number } {
  const text = call.query("partNumber") ?? "";
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MOST_PARTS) {
    throw invalidArgument("partNumber", text, `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`);
  }
  return { upload: uploadAsked(call), number };
}

export function addPart(
  call: Call,
  upload: Upload,
  number: number,
  bytes: Buffer | null,
  size: number,
  etag: string,
): Part {
  const algorithm = upload.checksum?.algorithm;
  const read = algorithm === undefined ? undefined : call.facts.body.sums.get(algorithm);
  const copied = algorithm === undefined || bytes === null ? null : digestOf(algorithm, bytes);
  const part = { number, size, etag, bytes, checksum: read ?? copied, modifiedAt: call.facts.now };
  upload.parts.set(number, part);
  return part;
}

export function uploadAsked(call: Call): Upload {
  const { bucket, key } = call.facts;
  const id = call.query("uploadId") ?? "";
  const upload = bucket.uploads.get(id);
  if (upload === undefined || upload.key !== key) throw new S3Error("NoSuchUpload", { details: { UploadId: id } });
  return upload;
}

export function abortMultipartUpload(call: Call): Reply {
  call.facts.bucket.uploads.delete(uploadAsked(call).id);
  return empty(204);
}

export function listParts(call: Call): Reply {
  const { bucket, key } = call.facts;
  const upload = uploadAsked(call);
  const after = Number(call.query("part-number-marker") ?? 0);
  const rest = sortedParts(upload).filter(({ number }) => number > after);
  const page = rest.slice(0, pageSize(call, "max-parts"));
  return xmlReply(
    s3Document("ListPartsResult", {
      Bucket: bucket.name,
      Key: key,
      UploadId: upload.id,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.number ?? 0,
      MaxParts: call.query("max-parts") ?? 1000,
      IsTruncated: page.length < rest.length,
      StorageClass: upload.attributes.storageClass,
      ChecksumAlgorithm: upload.checksum?.algorithm,
      ChecksumType: upload.checksum?.type,
      Part: page.map((part) => ({
        PartNumber: part.number,
        LastModified: part.modifiedAt.toISOString(),
        ETag: `"${part.etag}"`,
        Size: part.size,
        ...partChecksum(upload, part),
      })),
    }),
  );
}

export function partChecksum(upload: Upload, part: Part): Record<string, string> {
  if (upload.checksum === null || part.checksum === null) return {};
  return { [`Checksum${upload.checksum.algorithm}`]: part.checksum };
}

export function listMultipartUploads(call: Call): Reply {
  const { bucket } = call.facts;
  const prefix = call.query("prefix") ?? "";
  const [keyMarker, idMarker] = [call.query("key-marker") ?? "", call.query("upload-id-marker") ?? ""];
  const encode = encoder(call);
  const uploads = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort(
      (a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || a.startedAt.getTime() - b.startedAt.getTime(),
    );
  const marker = uploads.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  const rest =
    marker === -1
      ? uploads.filter(({ key }) => Buffer.compare(Buffer.from(key), Buffer.from(keyMarker)) > 0)
      : uploads.slice(marker + 1);
  const page = rest.slice(0, pageSize(call, "max-uploads"));
  const truncated = page.length < rest.length;
  return xmlReply(
    s3Document("ListMultipartUploadsResult", {
      Bucket: bucket.name,
      Prefix: encode(prefix),
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: truncated ? encode(page.at(-1)?.key ?? "") : undefined,
      NextUploadIdMarker: truncated ? page.at(-1)?.id : undefined,
      MaxUploads: call.query("max-uploads") ?? 1000,
      EncodingType: call.query("encoding-type"),
      IsTruncated: truncated,
      Upload: page.map((upload) => ({
        Key: encode(upload.key),
        UploadId: upload.id,
        StorageClass: upload.attributes.storageClass,
        Initiated: upload.startedAt.toISOString(),
        ChecksumAlgorithm: upload.checksum?.algorithm,
        ChecksumType: upload.checksum?.type,
      })),
    }),
  );
}

function sortedParts(upload: Upload): Part[] {
  return [...upload.parts.values()].sort((a, b) => a.number - b.number);
}
