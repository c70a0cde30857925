/** PUT by a link: one upload, checked before anybody can see it. */
import type { IncomingMessage } from "node:http";
import { detectType, DETECT_BYTES, parseType, typeAllowed } from "../attachments/content-type.ts";
import { DEFAULT_LINK_SIZE } from "../attachments/presign.ts";
import { openStreamSource } from "../attachments/source.ts";
import type { UploadPolicy } from "../attachments/upload.ts";
import { TaskflowError, isTaskflowError, toTaskflowError } from "../errors.ts";
import type { StorageDriver } from "../storage/driver.ts";
import type { LinkGate, PutGrant } from "../storage/presigner.ts";
import { sendReply } from "./exchange.ts";
import type { Answered, Exchange, Reply } from "./exchange.ts";
import type { Limits } from "./limits.ts";
import { uploadChunks } from "./upload-body.ts";

export interface UploadSurroundings {
  readonly driver: StorageDriver;
  readonly gate: LinkGate;
  readonly policy: UploadPolicy;
  readonly limits: Limits;
  readonly now: () => Date;
}

/**
 * Stores what a granted PUT brings, once. Whatever is wrong with it, nothing of it stays and the link can be used again.
 * Errors: `exists`, `too_large`, `checksum_mismatch`, `changed` for fewer bytes, `network`; the store's own.
 */
export async function receiveUpload(
  exchange: Exchange,
  grant: PutGrant,
  surroundings: UploadSurroundings,
): Promise<Answered> {
  const { req, res, signal, expectsContinue } = exchange;
  const { driver, gate, policy, limits } = surroundings;
  const note = grant.key;
  const maxSize = Math.min(policy.maxSize ?? DEFAULT_LINK_SIZE, grant.maxSize ?? Infinity, driver.supports.maxSize);
  const refusal = refuseHead(exchange, grant, maxSize);
  if (refusal !== null) {
    await sendReply(exchange, refusal, limits.lingerMs);
    return { note };
  }
  await refuseSpent(exchange, grant, surroundings);
  const begin = (): void => {
    if (expectsContinue) res.writeContinue();
  };
  const source = await openStreamSource(uploadChunks(req, limits, begin));
  // Its arrival is watched byte by byte; once all is here, the disk may take longer to keep it than a client may stall.
  req.socket.setTimeout(0);
  try {
    const type = grant.type ?? claimedType(req) ?? (await detect());
    if (policy.allowedTypes !== undefined && !typeAllowed(type, policy.allowedTypes)) {
      throw new TaskflowError("type_not_allowed", `${grant.key} would be ${type}`);
    }
    const stored = await driver.put(
      grant.key,
      { ...source, size: grant.size ?? lengthOf(exchange) },
      {
        record: { name: grant.name, createdAt: surroundings.now(), uploadedBy: null, note: null, meta: {} },
        type,
        ifAbsent: true,
        maxSize,
        ...(grant.sha256 === null ? {} : { sha256: grant.sha256 }),
        signal,
      },
    );
    // It is stored, whatever comes of this: until it is purged its own record refuses a second upload too.
    const unspent = await gate.spend(grant).then(() => null, toTaskflowError);
    req.socket.setTimeout(limits.stalledMs);
    const headers = stored.record === null ? {} : { ETag: `"${stored.record.sha256}"` };
    await sendReply(exchange, { status: 201, headers }, limits.lingerMs);
    return { note: unspent === null ? note : `${note} (not marked as used: ${unspent.message})`, bytes: stored.size };
  } finally {
    req.socket.setTimeout(limits.stalledMs);
    await source.close();
  }

  async function detect(): Promise<string> {
    return await detectType(await source.peek(DETECT_BYTES), grant.name);
  }
}

/** What the head of the request tells already, before a byte of the body is asked for. */
function refuseHead({ req }: Exchange, grant: PutGrant, maxSize: number): Reply | null {
  const { headers } = req;
  const length = lengthOf({ req });
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) {
    return { status: 411, text: "send the file as the body of this request, with its Content-Length" };
  }
  if (headers["content-range"] !== undefined) return { status: 400, text: "send the whole file in one request" };
  if ((headers["content-encoding"] ?? "identity") !== "identity") {
    return { status: 415, text: "send the file as it is, without Content-Encoding" };
  }
  // There is nothing yet that could match.
  if (headers["if-match"] !== undefined) return { status: 412, text: "there is nothing here yet" };
  if (grant.type !== null && typeOf(req) !== grant.type) {
    return { status: 415, text: `this link takes Content-Type: ${grant.type}` };
  }
  if (length !== null && length > maxSize) return { status: 413, text: `this link takes at most ${maxSize} bytes` };
  if (length !== null && grant.size !== null && length !== grant.size) {
    return { status: 400, text: `this link takes exactly ${grant.size} bytes` };
  }
  return null;
}

/** Errors: `exists`. */
async function refuseSpent({ signal }: Exchange, grant: PutGrant, { driver, gate }: UploadSurroundings): Promise<void> {
  if (!(await gate.isSpent(grant))) {
    try {
      await driver.head(grant.key, { signal });
    } catch (error) {
      if (isTaskflowError(error) && error.code === "not_found") return;
      throw error;
    }
  }
  throw new TaskflowError("exists", `the link for ${grant.key} was used`);
}

/** `null` where the client doesn't say, or says what its library says of any bytes. */
function claimedType(req: IncomingMessage): string | null {
  const type = typeOf(req);
  return type?.startsWith("application/x-www-form-urlencoded") === true ? null : type;
}

function typeOf({ headers }: IncomingMessage): string | null {
  const header = headers["content-type"];
  if (header === undefined) return null;
  try {
    return parseType(header);
  } catch {
    // What is no media type says nothing.
    return null;
  }
}

function lengthOf({ req }: Pick<Exchange, "req">): number | null {
  const text = req.headers["content-length"];
  return text === undefined ? null : Number(text);
}
