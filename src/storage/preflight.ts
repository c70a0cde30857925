/** What a browser asks before a page may use a link, and whether it would take the answer (Fetch standard, CORS protocol). */

/** The question, as it stands in the request's headers. */
export interface Preflight {
  /** `https://app.example.com`. */
  readonly origin: string;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: readonly string[];
}

export interface PreflightReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The headers to send with OPTIONS. */
export function preflightHeaders({ origin, method, headers }: Preflight): Record<string, string> {
  return {
    Origin: origin,
    "Access-Control-Request-Method": method,
    ...(headers.length === 0 ? {} : { "Access-Control-Request-Headers": [...headers].sort().join(",") }),
  };
}

/** Why a browser would refuse the page; `null`: it would go on. */
export function refusalOf({ origin, method, headers }: Preflight, reply: PreflightReply): string | null {
  const { status } = reply;
  const allowed = valuesOf(reply, "access-control-allow-origin");
  if (!allowed.includes("*") && !allowed.includes(origin)) {
    return allowed.length === 0
      ? `${origin} is not allowed (${status})`
      : `${allowed.join(", ")} is allowed, not ${origin}`;
  }
  if (status < 200 || status > 299) return `the answer is ${status}`;
  const methods = valuesOf(reply, "access-control-allow-methods");
  if (!SAFE_METHODS.has(method) && !methods.includes("*") && !methods.includes(method)) {
    return `${method} is not allowed${methods.length === 0 ? "" : `, only ${methods.join(", ")}`}`;
  }
  const names = new Set(valuesOf(reply, "access-control-allow-headers").map((name) => name.toLowerCase()));
  const missing = headers.filter((name) => !names.has("*") && !names.has(name));
  return missing.length === 0
    ? null
    : `${missing.length === 1 ? "header" : "headers"} ${missing.join(", ")} not allowed`;
}

/** Browsers let these through whatever the answer says. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"]);

function valuesOf({ headers }: PreflightReply, name: string): readonly string[] {
  const value = headers[name] ?? [];
  const text = typeof value === "string" ? value : value.join(",");
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
