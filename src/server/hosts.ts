/** By which names the server may be called: any other Host is a page that had its own name point here (DNS rebinding). */

export interface Named {
  readonly port: number;
  /** What it listens on, as given. */
  readonly host: string;
  /** The public base of the links. */
  readonly baseUrl: string;
}

/** Values of Host, in lower case: this machine's own names and `--host` with the port, and the public base's. */
export function hostList({ port, host, baseUrl }: Named): ReadonlySet<string> {
  const names = ["127.0.0.1", "localhost", "[::1]", inUrl(host)];
  const hosts = names.map((name) => `${name}:${port}`);
  // Clients leave out the port that the scheme has by itself.
  if (port === 80) hosts.push(...names);
  const base = new URL(baseUrl);
  hosts.push(base.host);
  if (base.port === "") hosts.push(`${base.hostname}:${base.protocol === "https:" ? 443 : 80}`);
  return new Set(hosts.map((one) => one.toLowerCase()));
}

/** An address as URLs have it: IPv6 in brackets. */
export function inUrl(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
