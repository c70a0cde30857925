/** Who signs requests, and which servers may see what was signed. */
import { TaskflowError } from "../errors.ts";
import { isLoopback } from "./parse-url.ts";
import { bad, parseDate, valueOf, type Rejected } from "./parse-values.ts";
import { setting, type SettingName, type SettingValue } from "./settings.ts";
import { givenBy, type Origin } from "./sources.ts";

/** How to sign in to AWS. `keys` are one group from one source. `chain`: nothing is set, the SDK looks further. */
export type Credentials =
  | {
      readonly kind: "keys";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string | null;
      readonly expiresAt: Date | null;
      readonly origin: Origin;
    }
  | { readonly kind: "profile"; readonly profile: string; readonly origin: Origin }
  | { readonly kind: "chain" };

/** The part of `Settings` that this needs. */
export interface SettingValues {
  /** The value; `usage` for a bad one from an option, `bad_config` from elsewhere, naming where. */
  readonly get: <N extends SettingName>(name: N) => SettingValue<N>;
  /** Where it is set; `source` is `default` too where it has no value. */
  readonly origin: (name: SettingName) => Origin;
}

/** `--profile`, else keys, else `AWS_PROFILE`. `no_credentials` where half of the keys is set. */
export function credentialsOf(settings: SettingValues): Credentials {
  const byProfile = (): Credentials | null => {
    const profile = settings.get("profile");
    return profile === null ? null : { kind: "profile", profile, origin: settings.origin("profile") };
  };
  if (settings.origin("profile").source === "flag") return byProfile() ?? { kind: "chain" };
  const accessKeyId = settings.get("access-key-id");
  const secretAccessKey = settings.get("secret-access-key");
  if (accessKeyId === null && secretAccessKey === null) return byProfile() ?? { kind: "chain" };
  if (accessKeyId === null || secretAccessKey === null) {
    const [has, lacks] =
      accessKeyId === null
        ? (["secret-access-key", "access-key-id"] as const)
        : (["access-key-id", "secret-access-key"] as const);
    const { text } = settings.origin(has);
    const missing = setting(lacks).variables[0];
    throw new TaskflowError("no_credentials", `${setting(has).variables[0]} is set in ${text}, ${missing} is not`, {
      hint: `set ${missing} beside it: both come from one source`,
    });
  }
  const expiration = settings.get("credential-expiration");
  const origin = settings.origin("access-key-id");
  const expiresAt =
    expiration === null
      ? null
      : valueOf(expiration, parseDate, givenBy("credential-expiration", settings.origin("credential-expiration")));
  return {
    kind: "keys",
    accessKeyId,
    secretAccessKey,
    sessionToken: settings.get("session-token"),
    expiresAt,
    origin,
  };
}

/**
 * Why an endpoint is not used: a stranger's checkout must not have requests sent to its server that are signed with
 * this user's credentials. An endpoint of `.env` has to stay on this machine, or bring its keys along.
 */
export function strangeEndpoint(settings: SettingValues, url: string, origin: Origin): Rejected | null {
  if (origin.source !== ".env" || isLoopback(url)) return null;
  const byProfile = settings.origin("profile").source === "flag";
  if (!byProfile && settings.origin("access-key-id").source === ".env") return null;
  return bad(
    "not used with credentials from elsewhere",
    `set ${origin.name} in the environment, or put the access key beside it in that file`,
  );
}
