/** The signed links of a folder store: one token in the path, and nothing else in the URL means anything. */
import type { UploadPolicy } from "../attachments/upload.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { LINK_PATH } from "../storage/presigner.ts";
import type { LinkGate } from "../storage/presigner.ts";
import { corsHeaders, methodNotAllowed, preflight } from "./cors.ts";
import { hasBody, sendReply } from "./exchange.ts";
import type { Answered, Exchange, Reply, Route } from "./exchange.ts";
import type { Limits } from "./limits.ts";
import { sendAttachment } from "./link-download.ts";
import { receiveUpload } from "./link-upload.ts";

export interface LinkSurroundings {
  readonly driver: StorageDriver;
  readonly gate: LinkGate;
  readonly policy: UploadPolicy;
  readonly limits: Limits;
  /** Origins whose pages may use links. */
  readonly cors: readonly string[];
  readonly now: () => Date;
}

/** Far below any token's length: nothing shorter can be one, or the secret part of one. */
const SHORTEST_TOKEN = 32;

/** One body for all, or the answers would tell a guesser what is wrong with the guess. */
const FORBIDDEN: Reply = { status: 403, text: "this link is not valid, or not any more" };
const MALFORMED: Reply = { status: 400, text: "this is not a whole link: it ends with its token, and nothing follows" };

export function linkRoute(surroundings: LinkSurroundings): Route {
  return {
    match(target) {
      const token = /^\/_\/([A-Za-z0-9_.-]+)$/.exec(target)?.[1];
      if (token !== undefined) return (exchange) => answerLink(exchange, token, surroundings);
      if (!target.startsWith(LINK_PATH)) return null;
      return async (exchange) => await reply(exchange, MALFORMED, surroundings);
    },
  };
}

/** How a link's target may be shown: by the end of its mac, which tells links apart and opens none. */
export function printableTarget(target: string): string | null {
  if (!target.startsWith(LINK_PATH)) return null;
  const token = target.slice(LINK_PATH.length);
  return token.length < SHORTEST_TOKEN ? target : `${LINK_PATH}…${token.slice(-6)}`;
}

async function answerLink(exchange: Exchange, token: string, surroundings: LinkSurroundings): Promise<Answered> {
  const { req, res } = exchange;
  const { cors, driver, gate, limits } = surroundings;
  for (const [name, value] of Object.entries(corsHeaders(req, cors))) res.setHeader(name, value);
  if (req.method === "OPTIONS") return await reply(exchange, preflight(req, cors), surroundings);
  const method = req.method === "HEAD" ? "GET" : req.method;
  if (method !== "GET" && method !== "PUT") return await reply(exchange, methodNotAllowed(cors), surroundings);
  const verdict = await gate.verify(token);
  if (!verdict.ok) return await reply(exchange, FORBIDDEN, surroundings, verdict.reason);
  const { grant } = verdict;
  if (grant.method !== method) return await reply(exchange, FORBIDDEN, surroundings, `a link for ${grant.method}`);
  if (grant.method === "PUT") return await receiveUpload(exchange, grant, surroundings);
  if (hasBody(req)) {
    return await reply(exchange, { status: 400, text: "a download takes no body" }, surroundings, grant.key);
  }
  return await sendAttachment(exchange, grant, driver, limits.lingerMs);
}

async function reply(
  exchange: Exchange,
  answer: Reply,
  { limits }: LinkSurroundings,
  note?: string,
): Promise<Answered> {
  await sendReply(exchange, answer, limits.lingerMs);
  return note === undefined ? {} : { note };
}
