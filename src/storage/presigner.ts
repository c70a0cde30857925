/**
 * Links: requests signed beforehand, for whoever holds them, until they end. S3 answers its own; a store without a
 * server (a folder) has `serve` answer them, which asks the store's `LinkGate` what each one grants.
 */

/** How a download is shown and named. */
export interface Disposition {
  readonly kind: "attachment" | "inline";
  readonly name: string;
  /** Both, as the value of Content-Disposition: ASCII, for stores that send what they are told. */
  readonly header: string;
}

interface PresignOptions {
  /** From now, a whole number of seconds; checked by the caller. */
  readonly expiresSeconds: number;
  readonly signal: AbortSignal;
}

export interface PresignGetOptions extends PresignOptions {
  readonly disposition: Disposition;
}

export interface PresignPutOptions extends PresignOptions {
  /** The true name, to be recorded. */
  readonly name: string;
  /** What must be sent: other types are refused. `null`: any. */
  readonly type: string | null;
  /** Exactly so many bytes; `null`: any number, up to `maxSize`. */
  readonly size: number | null;
  /** Bytes; `null`: the store's own limit. `unsupported` where a store's PUT can't bind it. */
  readonly maxSize: number | null;
  /** Hex: other bytes are refused. `null`: any. */
  readonly sha256: string | null;
}

/** What made the link end when it does: the wish, or what ends sooner. */
export type LimitedBy = "request" | "credentials" | "thaw" | "expiry";

/** A request that anybody can send. */
export interface SignedRequest {
  readonly method: "GET" | "PUT" | "POST";
  /** A secret: whoever has it may do what it says. */
  readonly url: string;
  /** To be sent with it, to the letter. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a form, in the order to send them; `null` for other methods. */
  readonly fields: Readonly<Record<string, string>> | null;
  readonly requestedExpiresAt: Date;
  /** `null`: not known. */
  readonly expiresAt: Date | null;
  readonly limitedBy: LimitedBy;
}

/** Signs without asking whether the object exists. Keys are checked as everywhere. */
export interface Presigner {
  /** Rejects as a signature would, for whoever wants to know before other work. */
  ready(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Good for HEAD too. */
  get(key: string, options: PresignGetOptions): Promise<SignedRequest>;
  /** Good once: never where something is under the key already. */
  put(key: string, options: PresignPutOptions): Promise<SignedRequest>;
  /** A form for browsers, with a range of sizes. Presence is the capability. */
  post?(key: string, options: PresignPutOptions): Promise<SignedRequest>;
  /** Present where the links lead to `serve`. */
  readonly gate?: LinkGate;
}

/** What the server of a store's links asks. */
export interface LinkGate {
  /**
   * Tells everybody who signs which keys are accepted, and forgets spent links that have ended. Before the first
   * `verify`; later ones see by themselves when the keys were changed.
   */
  open(): Promise<void>;
  /** What a link grants. Rejects only where the keys can't be read: then nothing is granted. */
  verify(token: string): Promise<LinkVerdict>;
  /** Whether a link to upload was used, even if what it brought is purged. */
  isSpent(grant: PutGrant): Promise<boolean>;
  /** To be called once the upload is stored, before it is acknowledged. */
  spend(grant: PutGrant): Promise<void>;
}

/** The reasons are for the log alone: a client that learns them learns how to guess. */
export type LinkVerdict =
  | { readonly ok: true; readonly grant: LinkGrant }
  | { readonly ok: false; readonly reason: "malformed" | "signature" | "expired" };

export type LinkGrant = GetGrant | PutGrant;

export interface GetGrant {
  readonly method: "GET";
  readonly key: string;
  readonly endsAt: Date;
  readonly name: string;
  readonly disposition: "attachment" | "inline";
}

export interface PutGrant extends Pick<PresignPutOptions, "name" | "type" | "size" | "maxSize" | "sha256"> {
  readonly method: "PUT";
  readonly key: string;
  readonly endsAt: Date;
}

/** What a folder store needs to sign links. */
export interface LinkSettings {
  /** The public base of `serve`, without a slash at its end. */
  readonly baseUrl: string;
  /** Absolute; made on first use. */
  readonly keyFile: string;
  /** Who must own the key file; `null` on systems without numeric users. */
  readonly uid: number | null;
  readonly now: () => Date;
}

/** What comes between the base and the token. No task id begins so. */
export const LINK_PATH = "/_/";
