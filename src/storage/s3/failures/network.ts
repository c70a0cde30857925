/** What is said where it was not S3 that answered: nothing did, or another kind of server. */
import type { Meaning } from "./meanings.ts";
import { messageOf, socketCode, statusOf } from "./sdk-error.ts";
import type { S3Store } from "../store.ts";

/** A reply that is none of S3's: a captive portal, a proxy's page, another server. */
export function notS3(store: S3Store, what = "what answered is not S3"): Meaning {
  const inTheWay = "a proxy or a login page may be in the way";
  const { endpoint } = store.settings;
  return {
    code: "network",
    why: `${what} (${server(store)})`,
    hint: endpoint === null ? inTheWay : `${inTheWay}, or ${endpointSetting(store)} names another kind of server`,
  };
}

export function server({ settings: { endpoint } }: S3Store): string {
  return endpoint ?? "S3";
}

/** What names the endpoint, as a person would look for it. */
export function endpointSetting({ settings: { endpointOrigin } }: S3Store): string {
  return endpointOrigin ?? "the endpoint";
}

/** `undefined` where a reply came. */
export function sockets(error: unknown, store: S3Store): Meaning | undefined {
  const code = socketCode(error);
  if (code === null || statusOf(error) !== null) return undefined;
  const { hostname = "", address, port } = Object(error) as { hostname?: string; address?: string; port?: number };
  const where = hostname || (address === undefined ? server(store) : `${address}:${port ?? ""}`);
  const check = whatToCheck(store);
  if (/CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return {
      code: "network",
      why: `the certificate of ${where} is not trusted (${code})`,
      hint: "name the authority's certificate with --ca-file or AWS_CA_BUNDLE",
    };
  }
  // Node's parser, of what isn't HTTP at all.
  if (code.startsWith("HPE_")) return notS3(store);
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { code: "network", why: `the name ${where} can't be looked up (${code})`, hint: check };
    case "ECONNREFUSED":
      return { code: "network", why: `nothing answers at ${where}`, hint: check };
    case "ETIMEDOUT":
      return { code: "network", why: `${where} doesn't answer: ${messageOf(error)}`, hint: check };
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return { code: "network", why: `${where} doesn't speak TLS`, hint: "check http or https in the endpoint" };
    default:
      return { code: "network", why: `the connection to ${where} broke (${code})` };
  }
}

function whatToCheck(store: S3Store): string {
  const { endpoint, unusedProxy } = store.settings;
  const check = endpoint === null ? "check the network" : `check the network and ${endpointSetting(store)}`;
  return unusedProxy === null ? check : `${check}; ${unusedProxy} is set, but taskflow uses no proxy`;
}
