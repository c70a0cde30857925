/** What was asked of the double, in order, without secrets. */
import { matches } from "./faults.ts";
import type { FaultMatch } from "./faults.ts";

export interface LoggedRequest {
  /** `x-amz-request-id` of the reply. */
  readonly id: string;
  /** As the SDK calls it, without `Command`; `Unknown` for what the double doesn't do. */
  readonly operation: string;
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  /** As sent, without the query. */
  readonly path: string;
  /** Decoded; signatures and tokens hidden. */
  readonly query: Readonly<Record<string, string>>;
  /** Signatures and tokens hidden. */
  readonly headers: Readonly<Record<string, string>>;
  /** Which connection it came on, counted from 1. */
  readonly connection: number;
  /** Of the reply; 0 while there is none, for ever where none was sent. */
  status: number;
  /** S3's code, where it was refused. */
  code: string | null;
  /** Of the request's body, as far as it was read. */
  bytesReceived: number;
  /** What the test made of it. */
  fault: string | null;
}

export interface Log {
  readonly requests: readonly LoggedRequest[];
  add(
    facts: Pick<LoggedRequest, "id" | "operation" | "method" | "bucket" | "key" | "path" | "connection">,
    query: Iterable<readonly [string, string]>,
    headers: Iterable<readonly [string, string]>,
  ): LoggedRequest;
  arrival(match: FaultMatch): Promise<LoggedRequest>;
  clear(): void;
}

export function createLog(): Log {
  const requests: LoggedRequest[] = [];
  const waiting = new Set<{ match: FaultMatch; tell: (request: LoggedRequest) => void }>();
  return {
    requests,
    add(facts, query, headers) {
      const blank = { status: 0, code: null, bytesReceived: 0, fault: null };
      const request: LoggedRequest = { ...facts, ...blank, query: redacted(query), headers: redacted(headers) };
      requests.push(request);
      for (const waiter of waiting) {
        if (!matches(waiter.match, request.operation, request.key)) continue;
        waiting.delete(waiter);
        waiter.tell(request);
      }
      return request;
    },
    arrival: (match) => new Promise((tell) => void waiting.add({ match, tell })),
    clear() {
      requests.length = 0;
    },
  };
}

const HIDDEN = "[hidden]";
const SECRET = new Set(["x-amz-signature", "x-amz-security-token", "authorization"]);

function redacted(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries(
    [...pairs].map(([name, value]) => {
      if (!SECRET.has(name.toLowerCase())) return [name, value];
      // Whose key signed what is no secret, and tests ask for it.
      return [
        name,
        name.toLowerCase() === "authorization" ? value.replace(/Signature=.*/, `Signature=${HIDDEN}`) : HIDDEN,
      ];
    }),
  );
}
