/** What a test makes go wrong: which request, and what happens to it. */

export interface FaultMatch {
  /** As the SDK calls it, without `Command`: `PutObject`, `ListObjectsV2` … Absent: any. */
  readonly operation?: string;
  readonly key?: string | RegExp;
  /** Only this one of those that match, counted from 1. */
  readonly nth?: number;
  /** Only the first of those that match. Absent, and no `nth`: all until the fault is removed. */
  readonly times?: number;
}

/** By key: the code, and the message where it is not the usual one. */
export type KeyFailures = Readonly<Record<string, string | { readonly code: string; readonly message: string }>>;

export type ListingQuirk = "same-token" | "truncated-without-token";

export type FaultAction =
  | { readonly kind: "reply"; readonly reply: ScriptedReply; readonly times?: number; readonly early?: true }
  | { readonly kind: "reset-before"; readonly bytesRead: number }
  | { readonly kind: "reset-after-storing" }
  | { readonly kind: "cut"; readonly afterBytes: number; readonly contentLength: boolean }
  | { readonly kind: "stall"; readonly afterBytes: number }
  | { readonly kind: "flip"; readonly at: number; readonly of: "reply" | "request" }
  | { readonly kind: "drip"; readonly bytes: number; readonly everyMs: number }
  | { readonly kind: "silent" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "listing"; readonly quirk: ListingQuirk }
  | { readonly kind: "fail-keys"; readonly codes: KeyFailures };

export interface ScriptedReply {
  readonly status: number;
  /** Of S3's error body, if there is no `body`. */
  readonly code?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Answers this, and does nothing else. */
export const reply = (scripted: ScriptedReply): FaultAction => ({ kind: "reply", reply: scripted });
/** Answers this before the body has come, reads that to its end and drops it, and keeps the connection: as nginx does. */
export const earlyReply = (scripted: ScriptedReply): FaultAction => ({ kind: "reply", reply: scripted, early: true });
/** Reads so many bytes of the body, then resets the connection: nothing is stored. */
export const resetBefore = (bytesRead = 0): FaultAction => ({ kind: "reset-before", bytesRead });
/** Does what was asked, then resets the connection: the reply is lost. */
export const resetAfterStoring = (): FaultAction => ({ kind: "reset-after-storing" });
/** Ends the reply's body early: with a Content-Length by a reset, without one as if it were whole. */
export const cutBody = (afterBytes: number, { contentLength = true } = {}): FaultAction => ({
  kind: "cut",
  afterBytes,
  contentLength,
});
/** Sends so many bytes of the reply's body, then nothing for ever. */
export const stallBody = (afterBytes: number): FaultAction => ({ kind: "stall", afterBytes });
/** Turns one bit of one byte of the reply's body. */
export const flipByte = (at: number): FaultAction => ({ kind: "flip", at, of: "reply" });
/** Turns one bit of one byte of the request's body before the double looks at it. */
export const flipSentByte = (at: number): FaultAction => ({ kind: "flip", at, of: "request" });
/** Sends the reply's body so many bytes at a time. */
export const drip = (bytes: number, everyMs: number): FaultAction => ({ kind: "drip", bytes, everyMs });
/** Takes the request and never answers. */
export const silent = (): FaultAction => ({ kind: "silent" });
/** Answers honestly, later. */
export const delay = (ms: number): FaultAction => ({ kind: "delay", ms });
/** 503 SlowDown so many times, honest afterwards. */
export const slowDown = (times: number, retryAfterSeconds?: number): FaultAction => ({
  kind: "reply",
  times,
  reply: {
    status: 503,
    code: "SlowDown",
    ...(retryAfterSeconds === undefined ? {} : { headers: { "retry-after": String(retryAfterSeconds) } }),
  },
});
/** 200 with an error in the body, as S3 answers when a long copy or completion fails after it began to answer. Nothing is stored. */
export const okWithErrorBody = (code = "InternalError"): FaultAction => ({
  kind: "reply",
  reply: { status: 200, code },
});
/** 200 and nothing. Nothing is stored. */
export const emptyBody = (): FaultAction => ({ kind: "reply", reply: { status: 200, body: "" } });
/** What a captive portal answers. */
export const html = (): FaultAction => ({
  kind: "reply",
  reply: {
    status: 200,
    headers: { "content-type": "text/html" },
    body: "<!doctype html><title>Welcome</title><p>Please sign in to this network.",
  },
});
/** Each page of the listing is the first, and its token is the same for ever. */
export const sameToken = (): FaultAction => ({ kind: "listing", quirk: "same-token" });
/** The listing says that there is more, and not where. */
export const truncatedWithoutToken = (): FaultAction => ({ kind: "listing", quirk: "truncated-without-token" });
/** DeleteObjects answers 200 with these codes for these keys, which stay. */
export const failKeys = (codes: KeyFailures): FaultAction => ({ kind: "fail-keys", codes });

export interface Fault {
  /** How often it struck. */
  readonly hits: number;
  remove(): void;
}

export interface Faults {
  add(match: FaultMatch, action: FaultAction): Fault;
  /** The action for this request, which counts as one more that matched. The fault added first wins. */
  take(operation: string, key: string): FaultAction | null;
  clear(): void;
}

interface Rule {
  readonly match: FaultMatch;
  readonly action: FaultAction;
  seen: number;
  hits: number;
}

export function createFaults(): Faults {
  const rules = new Set<Rule>();
  return {
    add(match, action) {
      const rule: Rule = { match, action, seen: 0, hits: 0 };
      rules.add(rule);
      return {
        get hits() {
          return rule.hits;
        },
        remove: () => void rules.delete(rule),
      };
    },
    take(operation, key) {
      let taken: FaultAction | null = null;
      for (const rule of rules) {
        if (!matches(rule.match, operation, key)) continue;
        rule.seen += 1;
        if (taken !== null || !isDue(rule)) continue;
        rule.hits += 1;
        taken = rule.action;
      }
      return taken;
    },
    clear: () => rules.clear(),
  };
}

export function matches({ operation, key }: FaultMatch, actual: string, actualKey: string): boolean {
  if (operation !== undefined && operation !== actual) return false;
  if (key === undefined) return true;
  return typeof key === "string" ? key === actualKey : key.test(actualKey);
}

function isDue({ match, action, seen, hits }: Rule): boolean {
  if (match.nth !== undefined) return seen === match.nth;
  const times = match.times ?? (action.kind === "reply" ? action.times : undefined);
  return times === undefined || hits < times;
}
