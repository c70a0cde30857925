/** The body of a form upload, taken apart (RFC 7578). */
import { S3Error } from "./s3-error.ts";

export interface Form {
  /** Before the file, names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly file: Buffer;
}

/** The boundary that a form's Content-Type names. */
export function boundaryOf(contentType: string | undefined): string {
  const [, quoted, bare] = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? "") ?? [];
  const boundary = quoted ?? bare;
  if (boundary !== undefined) return boundary;
  throw new S3Error("PreconditionFailed", {
    details: { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" },
  });
}

/** What comes after the file is not looked at, as S3 has it. */
export function parseForm(body: Buffer, boundary: string): Form {
  const fields = new Map<string, string>();
  const delimiter = `\r\n--${boundary}`;
  let rest = Buffer.concat([Buffer.from("\r\n"), body]);
  for (;;) {
    const begin = rest.indexOf(delimiter);
    if (begin === -1) throw new S3Error("MalformedPOSTRequest");
    rest = rest.subarray(begin + delimiter.length);
    if (rest.subarray(0, 2).toString() === "--") break;
    const [head, content] = partOf(rest.subarray(0, rest.indexOf(delimiter)));
    const name = /;\s*name="([^"]*)"/i.exec(head)?.[1]?.toLowerCase();
    if (name === undefined) throw new S3Error("MalformedPOSTRequest");
    if (name === "file") return { fields, file: content };
    if (fields.has(name)) throw new S3Error("InvalidArgument", { message: `The field ${name} is given twice` });
    fields.set(name, content.toString("utf8"));
  }
  throw new S3Error("InvalidArgument", {
    message: "POST requires exactly one file upload per request.",
    details: { ArgumentName: "file", ArgumentValue: "0" },
  });
}

function partOf(part: Buffer): [head: string, content: Buffer] {
  const end = part.indexOf("\r\n\r\n");
  if (end === -1) throw new S3Error("MalformedPOSTRequest");
  return [part.subarray(0, end).toString("utf8"), part.subarray(end + 4)];
}
