/**
 * An S3 of our own over real HTTP, for tests: signatures, expiry and checksums are verified, versions are kept, and
 * faults happen on request. What it doesn't do is 501, never a pretended success.
 *
 *     const s3 = await startS3Double({ buckets: { attachments: { versioning: "Enabled" } } });
 *     const client = new S3Client({ endpoint: s3.endpoint, region: s3.region, credentials: s3.credentials, forcePathStyle: true });
 *     s3.fault({ operation: "PutObject", nth: 1 }, resetAfterStoring());
 *     …
 *     expect(s3.requests.map(({ operation, status }) => [operation, status])).toEqual([["PutObject", 0], ["PutObject", 412]]);
 *     await s3.close();
 */
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Bucket } from "./bucket.ts";
import type { BucketOptions } from "./bucket.ts";
import type { Limits, World } from "./call.ts";
import { exchange } from "./exchange.ts";
import { createFaults } from "./faults.ts";
import type { Fault, FaultAction, FaultMatch } from "./faults.ts";
import { createInspection } from "./inspect.ts";
import type { Inspection } from "./inspect.ts";
import { createLog } from "./log.ts";
import type { LoggedRequest } from "./log.ts";
import type { User } from "./permissions.ts";

export interface S3DoubleOptions {
  readonly buckets: Readonly<Record<string, BucketOptions>>;
  /** Of the endpoint. Absent: us-east-1. */
  readonly region?: string;
  /** Absent: one who may do everything. */
  readonly users?: readonly User[];
  /** Absent: this machine's clock. */
  readonly now?: () => Date;
  readonly limits?: Partial<Limits>;
  /** Contents are hashed and dropped: for measuring uploads. */
  readonly discard?: boolean;
  /** As `World.gateway`. */
  readonly gateway?: boolean;
  /** PEM: it speaks https. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface S3Double extends Inspection {
  readonly endpoint: string;
  readonly region: string;
  /** Of the first user, as the SDK takes them. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** In the order of their arrival. */
  readonly requests: readonly LoggedRequest[];
  /** How many connections were opened. */
  readonly connections: number;
  fault(match: FaultMatch, action: FaultAction): Fault;
  /** The next request that matches, as soon as its headers are there. */
  arrival(match: FaultMatch): Promise<LoggedRequest>;
  /** Moves the double's clock against the one it was given. */
  shiftClock(ms: number): void;
  now(): Date;
  addBucket(name: string, options?: BucketOptions): void;
  /** Forgets requests, faults and the shifted clock; what is stored stays. */
  clear(): void;
  /** Drops all connections. */
  close(): Promise<void>;
}

const GIB = 1024 ** 3;
const LIMITS: Limits = {
  listPage: 1000,
  deleteBatch: 1000,
  minPartBytes: 5 * 1024 ** 2,
  maxPutBytes: 5 * GIB,
  maxCopyBytes: 5 * GIB,
};
const EVERYTHING: User = {
  accessKeyId: "AKIAS3DOUBLE00000001",
  secretAccessKey: "not-a-secret/only+the-double-knows-it",
};

export async function startS3Double(options: S3DoubleOptions): Promise<S3Double> {
  const region = options.region ?? "us-east-1";
  const users = options.users ?? [EVERYTHING];
  let shiftMs = 0;
  const now = (): Date => new Date((options.now?.() ?? new Date()).getTime() + shiftMs);
  const buckets = new Map<string, Bucket>();
  const addBucket = (name: string, bucket: BucketOptions = {}): void => {
    buckets.set(name, new Bucket(name, bucket.region ?? region, bucket.versioning ?? "Unversioned"));
  };
  for (const [name, bucket] of Object.entries(options.buckets)) addBucket(name, bucket);
  const limits = { ...LIMITS, ...options.limits };
  const world: World = { region, buckets, users, now, limits, gateway: options.gateway === true };
  const [faults, log, stopping] = [createFaults(), createLog(), new AbortController()];
  const connections = new WeakMap<Socket, number>();
  let connectionCount = 0;

  const listener =
    (expectsContinue: boolean): RequestListener =>
    (request, response) => {
      response.sendDate = false;
      const connection = connections.get(request.socket) ?? 0;
      const invite = expectsContinue ? { invite: () => response.writeContinue() } : {};
      exchange(request, response, {
        world,
        faults,
        log,
        connection,
        discard: options.discard === true,
        signal: stopping.signal,
        ...invite,
      }).catch(() => request.socket.destroy());
    };
  const server =
    options.tls === undefined ? createServer(listener(false)) : createTlsServer(options.tls, listener(false));
  server.on("checkContinue", listener(true));
  server.on(options.tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    connectionCount += 1;
    connections.set(socket, connectionCount);
  });
  // A server that closes idle connections races with clients that use them again.
  Object.assign(server, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const [{ accessKeyId, secretAccessKey, sessionToken } = EVERYTHING] = users;

  return {
    ...createInspection(buckets, now),
    endpoint: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    requests: log.requests,
    get connections() {
      return connectionCount;
    },
    fault: (match, action) => faults.add(match, action),
    arrival: (match) => log.arrival(match),
    shiftClock(ms) {
      shiftMs += ms;
    },
    now,
    addBucket,
    clear() {
      faults.clear();
      log.clear();
      shiftMs = 0;
    },
    async close() {
      stopping.abort();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
