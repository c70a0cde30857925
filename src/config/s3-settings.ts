/** How a bucket is reached, by the settings. */
import path from "node:path";
import type { LedgerSettings, S3Settings } from "../storage/s3-settings.ts";
import { isLoopback } from "./parse-url.ts";
import type { Settings } from "./resolve.ts";
import type { Origin } from "./sources.ts";
import { unusedProxy } from "./unused-proxy.ts";
import type { UserFileSurroundings } from "./user-file.ts";

/** What runs this. */
export interface RunningProcess {
  self(): LedgerSettings["owner"];
  isAlive(pid: number): boolean;
}

/**
 * Errors: `usage` and `bad_config` for bad values, `no_credentials` where half of the keys is set.
 * `warn`: told of an endpoint that sends everything readable over a network.
 */
export function s3SettingsOf(
  settings: Settings,
  bucketOrigin: Origin,
  around: Omit<UserFileSurroundings, "uid"> & RunningProcess,
  warn: (text: string) => void,
): S3Settings {
  const endpoint = settings.get("endpoint");
  if (endpoint?.startsWith("http:") === true && !isLoopback(endpoint)) {
    warn(`${endpoint} is not encrypted: whoever is in between reads what is sent, and can change what comes`);
  }
  const state = stateFolder(around);
  return {
    region: settings.get("region"),
    regionOrigin: settings.get("region") === null ? null : describeOrigin(settings.origin("region")),
    endpoint,
    endpointOrigin: endpoint === null ? null : describeOrigin(settings.origin("endpoint")),
    unusedProxy: unusedProxy(around.env, endpoint),
    linkEndpoint: settings.get("link-endpoint"),
    credentials: settings.credentials(),
    caFile: settings.get("ca-file"),
    retryForSeconds: settings.get("retry-for"),
    spoolFolder: state === null ? null : path.join(state, "spool"),
    ledger:
      state === null
        ? null
        : { folder: path.join(state, "uploads"), owner: around.self(), isAlive: (pid) => around.isAlive(pid) },
    bucketOrigin: describeOrigin(bucketOrigin),
  };
}

/**
 * The folder for what a later run may want: `$XDG_STATE_HOME/taskflow`, else `~/.local/state/taskflow`; on Windows
 * `%LOCALAPPDATA%/taskflow`. `null` where there is no HOME either.
 */
export function stateFolder({ env, home, platform }: Omit<UserFileSurroundings, "uid">): string | null {
  const named = platform === "win32" ? env["LOCALAPPDATA"] : env["XDG_STATE_HOME"];
  if (named !== undefined && path.isAbsolute(named)) return path.join(named, "taskflow");
  if (home === null || home === "") return null;
  return path.join(home, ...(platform === "win32" ? ["AppData", "Local"] : [".local", "state"]), "taskflow");
}

/** `AWS_S3_BUCKET in /abs/.env line 2`; an option by its name alone. */
export function describeOrigin({ source, name, text }: Origin): string {
  return source === "flag" ? name : `${name} in ${text}`;
}
