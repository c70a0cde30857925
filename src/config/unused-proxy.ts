/** Proxies, which are not used: other programs may reach by one what taskflow doesn't. */
import { isLoopback } from "./parse-url.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The variable that names a proxy to the endpoint (`null`: to AWS); `null`: there is none, or it isn't meant for it. */
export function unusedProxy(env: Env, endpoint: string | null): string | null {
  const { protocol, hostname } = new URL(endpoint ?? "https://s3.amazonaws.com");
  if ((endpoint !== null && isLoopback(endpoint)) || isExempt(env, hostname)) return null;
  const names = protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  return [...names, "ALL_PROXY", "all_proxy"].find((name) => (env[name] ?? "") !== "") ?? null;
}

/** By NO_PROXY: hosts, or the domains that they are in, or all. */
function isExempt(env: Env, hostname: string): boolean {
  const entries = (env["NO_PROXY"] ?? env["no_proxy"] ?? "").toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => {
    const domain = entry.replace(/:\d+$/, "").replace(/^\*?\./, "");
    return entry === "*" || (domain !== "" && (hostname === domain || hostname.endsWith(`.${domain}`)));
  });
}
