/** Whether pages of an origin may use links: the rules that are there, and what the bucket answers a browser. */
import { randomUUID } from "node:crypto";
import { GetBucketCorsCommand } from "@aws-sdk/client-s3";
import { TaskflowError } from "../../../errors.ts";
import { ok, skip, warn } from "../../check.ts";
import type { CheckOptions, Finding } from "../../check.ts";
import { preflightHeaders, refusalOf } from "../../preflight.ts";
import type { Preflight, PreflightReply } from "../../preflight.ts";
import { asTaskflowError } from "../failures/errors.ts";
import { s3Presigner } from "../links/presigner.ts";
import type { S3Store } from "../store.ts";
import { ask } from "./setting.ts";

/** Errors: `bad_config` where a browser would refuse a page of this origin. */
export async function checkCors(store: S3Store, { origin, signal }: CheckOptions): Promise<Finding> {
  const origins = await allowedOrigins(store, signal);
  if (origin !== null) return await askAsBrowser(store, origin, origins, signal);
  const how = "taskflow attach doctor --origin https://app.example.com asks as a browser does";
  if (origins === null) return skip("the CORS rules may not be read", how);
  if (origins.length === 0) return skip("no rules: pages in a browser can't use links", how);
  if (origins.includes("*")) return warn("pages of all origins may use links", "allow the exact origins alone");
  return ok(`pages of ${origins.join(", ")} may use links`);
}

/** `null`: they may not be read, or this store doesn't tell. */
async function allowedOrigins(store: S3Store, signal: AbortSignal): Promise<readonly string[] | null> {
  const question = { what: "the CORS rules", action: "s3:GetBucketCORS", missing: "NoSuchCORSConfiguration", signal };
  const asked = await ask(
    store,
    question,
    async (client, options) =>
      (await client.send(new GetBucketCorsCommand({ Bucket: store.bucket }), options)).CORSRules,
  );
  if (asked.is === "unknown") return null;
  const rules = asked.is === "there" ? asked.value : [];
  return [...new Set(rules.flatMap(({ AllowedOrigins = [] }) => AllowedOrigins))];
}

async function askAsBrowser(
  store: S3Store,
  origin: string,
  others: readonly string[] | null,
  signal: AbortSignal,
): Promise<Finding> {
  const { url, headers } = await putLink(store, signal);
  for (const asked of [
    { origin, method: "PUT", headers },
    { origin, method: "GET", headers: [] },
  ]) {
    const refusal = refusalOf(asked, await send(store, url, asked, signal));
    if (refusal === null) continue;
    const all = [...new Set([...(others ?? []), origin])].map((each) => JSON.stringify(each)).join(", ");
    throw new TaskflowError("bad_config", `a browser would not let pages of ${origin} ${asked.method}: ${refusal}`, {
      hint: `in terraform.tfvars, then terraform apply:\nallowed_origins = [${all}]`,
    });
  }
  return ok(`pages of ${origin} may GET and PUT: the bucket says so to a browser`);
}

/** Where a link leads, and the headers that whoever uses it must send. The query is the secret: a preflight needs none. */
async function putLink(store: S3Store, signal: AbortSignal): Promise<{ url: URL; headers: readonly string[] }> {
  const link = await s3Presigner(store).put(`tasks/taskflow-doctor/${randomUUID()}_probe.txt`, {
    expiresSeconds: 60,
    name: "probe.txt",
    type: "text/plain",
    size: 1,
    maxSize: null,
    sha256: "0".repeat(64),
    signal,
  });
  const url = new URL(link.url);
  url.search = "";
  // A browser sets the length itself (Fetch standard, forbidden request-header).
  const headers = Object.keys(link.headers).map((name) => name.toLowerCase());
  return { url, headers: headers.filter((name) => name !== "content-length") };
}

async function send(store: S3Store, url: URL, asked: Preflight, signal: AbortSignal): Promise<PreflightReply> {
  const { protocol, hostname, port, pathname } = url;
  const request = {
    protocol,
    hostname,
    ...(port === "" ? {} : { port: Number(port) }),
    method: "OPTIONS",
    path: pathname,
    headers: { host: url.host, ...preflightHeaders(asked) },
  };
  try {
    const { response } = await store.transport.handle(request, { abortSignal: signal });
    response.body.resume();
    return { status: response.statusCode, headers: response.headers };
  } catch (error) {
    throw asTaskflowError(error, { act: `ask ${url.host} as a browser does`, action: "s3:PutObject" }, store);
  }
}
