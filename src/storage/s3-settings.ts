/** What the S3 driver wants to know from whoever opens it. Plain values: where they come from is not its concern. */

/** How to sign in. `keys` as they are; `profile` from AWS's own files; `chain`: wherever the SDK looks. */
export type S3Credentials =
  | {
      readonly kind: "keys";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string | null;
      /** `null`: not known, or never. */
      readonly expiresAt: Date | null;
      /** Where they stand, for people: `the environment`. */
      readonly origin?: { readonly text: string };
    }
  | { readonly kind: "profile"; readonly profile: string }
  | { readonly kind: "chain" };

/** Where uploads are noted that a later run may go on with, and who notes them. */
export interface LedgerSettings {
  /** Absolute, made on first use. */
  readonly folder: string;
  readonly owner: {
    readonly host: string;
    /** Another after each start of the machine. */
    readonly boot: string;
    readonly pid: number;
  };
  /** Whether a process of this machine lives. */
  readonly isAlive: (pid: number) => boolean;
}

export interface S3Settings {
  /** `null`: the profile's, else asked of the bucket; with an endpoint us-east-1. */
  readonly region: string | null;
  /** Where the region is set, for people; `null`: nowhere. */
  readonly regionOrigin: string | null;
  /** http or https, without a slash at its end; `null`: AWS. */
  readonly endpoint: string | null;
  /** Where the endpoint is set, for people; `null`: nowhere, or by a program. */
  readonly endpointOrigin: string | null;
  /** The variable that names a proxy to the endpoint, which is not used; `null`: none does. */
  readonly unusedProxy: string | null;
  /** The base that links are signed for; `null`: the endpoint. */
  readonly linkEndpoint: string | null;
  readonly credentials: S3Credentials;
  /** A file of certificates (PEM) to trust beside the system's. */
  readonly caFile: string | null;
  /** How long to keep trying, counted from the last part that arrived. */
  readonly retryForSeconds: number;
  /** Where a body that can be read once waits until it is whole, absolute, made on first use; `null`: the system's. */
  readonly spoolFolder: string | null;
  /** `null`: an upload that is interrupted leaves nothing behind, and begins anew. */
  readonly ledger: LedgerSettings | null;
  /** Where the bucket's name stands, for people: `/abs/.env line 2`. */
  readonly bucketOrigin: string | null;
}

export const DEFAULT_S3_SETTINGS: S3Settings = {
  region: null,
  regionOrigin: null,
  endpoint: null,
  endpointOrigin: null,
  unusedProxy: null,
  linkEndpoint: null,
  credentials: { kind: "chain" },
  caFile: null,
  retryForSeconds: 60,
  spoolFolder: null,
  ledger: null,
  bucketOrigin: null,
};
