/**
 * THE table of settings. Options, variables, the user file, `config list`, the help and the README all come from here;
 * a setting that is not here does not exist.
 */
import { TaskflowError } from "../errors.ts";
import type { Location } from "../storage/location.ts";
import { nearest } from "./nearest.ts";

export type SettingType = keyof ValueOfType;

/** What a parsed value of each type is. */
export interface ValueOfType {
  readonly string: string;
  readonly boolean: boolean;
  /** Bytes. */
  readonly size: number;
  /** Seconds. */
  readonly duration: number;
  readonly integer: number;
  readonly list: readonly string[];
  /** http or https, without a slash at its end. */
  readonly url: string;
  /** Absolute. */
  readonly path: string;
  /** The path of a folder is absolute. */
  readonly store: Location;
  /** A bucket's name. */
  readonly bucket: string;
}

export interface Setting {
  readonly flag: `--${string}` | null;
  /** In order: within one source the first that is set counts. */
  readonly variables: readonly [string, ...string[]];
  readonly type: SettingType;
  /**
   * In the grammar of the type, as a person would write it; `null`: unset. A path's default is relative to the user's
   * configuration folder, any other path to the working directory or to the `.env` that names it.
   */
  readonly default: string | null;
  /** What holds while it is unset, where `default` can't say it. */
  readonly defaultText: string | null;
  readonly help: string;
  /** Never printed, and never in the user file. */
  readonly secret: boolean;
  /** Whether `taskflow config set` may keep it. */
  readonly userFile: boolean;
  /** Settings of one group come from one source, all of them or none. */
  readonly group: "credentials" | null;
  /** What a string, or each entry of a list, has to look like. */
  readonly pattern: { readonly matches: RegExp; readonly says: string } | null;
}

const PLAIN = { flag: null, default: null, defaultText: null, pattern: null, group: null } as const;
const KEPT = { secret: false, userFile: true } as const;
const CREDENTIAL = { ...PLAIN, type: "string", secret: true, userFile: false, group: "credentials" } as const;

export const SETTINGS = {
  store: {
    ...PLAIN,
    ...KEPT,
    flag: "--store",
    variables: ["TASKFLOW_STORE"],
    type: "store",
    defaultText: "the bucket with USE_S3=true, else a folder",
    help: "the store: a folder (./uploads) or s3://BUCKET",
  },
  "use-s3": {
    ...PLAIN,
    ...KEPT,
    variables: ["USE_S3"],
    type: "boolean",
    help: "true: the bucket of AWS_S3_BUCKET; false: a folder",
  },
  bucket: {
    ...PLAIN,
    ...KEPT,
    variables: ["AWS_S3_BUCKET"],
    type: "bucket",
    help: "the bucket that USE_S3=true uses",
  },
  region: {
    ...PLAIN,
    ...KEPT,
    flag: "--region",
    variables: ["AWS_REGION", "AWS_DEFAULT_REGION"],
    type: "string",
    defaultText: "the profile's, else asked of the bucket; us-east-1 with an endpoint",
    help: "the bucket's region",
    pattern: { matches: /^[A-Za-z0-9-]{1,63}$/, says: "not the name of a region, such as eu-central-1" },
  },
  profile: {
    ...PLAIN,
    ...KEPT,
    flag: "--profile",
    variables: ["AWS_PROFILE"],
    type: "string",
    help: "the profile of the AWS configuration files to sign in with",
  },
  "access-key-id": { ...CREDENTIAL, variables: ["AWS_ACCESS_KEY_ID"], help: "the id of the access key" },
  "secret-access-key": { ...CREDENTIAL, variables: ["AWS_SECRET_ACCESS_KEY"], help: "the secret of the access key" },
  "session-token": {
    ...CREDENTIAL,
    variables: ["AWS_SESSION_TOKEN"],
    help: "the session that temporary keys belong to",
  },
  "credential-expiration": {
    ...CREDENTIAL,
    secret: false,
    variables: ["AWS_CREDENTIAL_EXPIRATION"],
    help: "when temporary keys end (ISO 8601)",
  },
  endpoint: {
    ...PLAIN,
    ...KEPT,
    flag: "--endpoint",
    variables: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
    type: "url",
    defaultText: "AWS",
    help: "the address of an S3-compatible store (MinIO, Ceph, R2)",
  },
  "ca-file": {
    ...PLAIN,
    ...KEPT,
    flag: "--ca-file",
    variables: ["AWS_CA_BUNDLE"],
    type: "path",
    help: "certificates to trust beside the system's (PEM)",
  },
  "link-endpoint": {
    ...PLAIN,
    ...KEPT,
    variables: ["TASKFLOW_LINK_ENDPOINT"],
    type: "url",
    defaultText: "the endpoint",
    help: "the base that links are signed for, where it is another than the endpoint",
  },
  "max-size": {
    ...PLAIN,
    ...KEPT,
    variables: ["TASKFLOW_MAX_SIZE"],
    type: "size",
    defaultText: "the store's own limit; 5 GiB for serve and upload links",
    help: "the largest attachment that is accepted",
  },
  "allowed-types": {
    ...PLAIN,
    ...KEPT,
    variables: ["TASKFLOW_ALLOWED_TYPES"],
    type: "list",
    defaultText: "all",
    help: "the media types that are accepted: image/*,application/pdf",
    pattern: {
      matches: /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/(?:\*|[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*)$/,
      says: "not a media type, such as image/png or image/*",
    },
  },
  "retry-for": {
    ...PLAIN,
    ...KEPT,
    flag: "--retry-for",
    variables: ["TASKFLOW_RETRY_FOR"],
    type: "duration",
    default: "60s",
    help: "how long to keep trying, counted from the last part that arrived",
  },
  url: {
    ...PLAIN,
    ...KEPT,
    variables: ["TASKFLOW_URL"],
    type: "url",
    default: "http://127.0.0.1:8787",
    help: "the public base of serve, for a folder store's links and for permanent links",
  },
  "url-key-file": {
    ...PLAIN,
    ...KEPT,
    variables: ["TASKFLOW_URL_KEY_FILE"],
    type: "path",
    default: "url-key",
    defaultText: "in the user's configuration folder",
    help: "the key that signs a folder store's links (0600, made on first use)",
  },
  token: {
    ...PLAIN,
    variables: ["TASKFLOW_TOKEN"],
    type: "string",
    secret: true,
    userFile: false,
    defaultText: "made and shown at start",
    help: "the bearer token that serve asks of API callers",
    pattern: { matches: /^[\x21-\x7e]+$/, says: "a token is printable ASCII without spaces" },
  },
  user: {
    ...PLAIN,
    ...KEPT,
    variables: ["TASKFLOW_USER"],
    type: "string",
    defaultText: "the login name, or the CI's actor",
    help: "who attachments are recorded as uploaded by (claimed, not proven)",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The type of a setting's value: `null` only where it has no default. */
export type SettingValue<N extends SettingName> =
  | ValueOfType[(typeof SETTINGS)[N]["type"]]
  | ((typeof SETTINGS)[N]["default"] extends null ? null : never);

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The table's entry, widened to what all entries have in common. */
export function setting(name: SettingName): Setting {
  return SETTINGS[name];
}

/** The setting that a person means by its name or one of its variables; `usage` with the nearest name otherwise. */
export function settingNamed(text: string): SettingName {
  const known = SETTING_NAMES.find((name) => name === text || setting(name).variables.includes(text));
  if (known !== undefined) return known;
  const near = nearest(text, [...SETTING_NAMES, ...SETTING_NAMES.flatMap((name) => setting(name).variables)]);
  throw new TaskflowError("usage", `no setting ${JSON.stringify(text)}`, {
    hint: near === null ? "taskflow config list shows all of them" : `did you mean ${near}?`,
  });
}
