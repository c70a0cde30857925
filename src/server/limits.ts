/** What one client may take of the server. */
export interface Limits {
  /** Bytes of a request's first line and headers together; more is 431. */
  readonly headBytes: number;
  /** For the whole head to arrive, from the first moment of the connection; longer is 408. */
  readonly headMs: number;
  /** Between two requests on one connection. */
  readonly keepAliveMs: number;
  /** Further ones are closed at once. */
  readonly connections: number;
  /** Without a byte of an upload; longer is 408. There is no limit on the whole, which would end long uploads. */
  readonly idleMs: number;
  /** An upload must bring so many bytes in each window; fewer is 408. */
  readonly floorBytes: number;
  readonly floorWindowMs: number;
  /** Without a byte taken of an answer: then the connection is closed. */
  readonly stalledMs: number;
  /** How long a body that nobody wants is read on, so that its sender gets to read the answer. */
  readonly lingerMs: number;
  /** Between a signal to stop and the end of what still runs. */
  readonly drainMs: number;
}

export const LIMITS: Limits = {
  headBytes: 8192,
  headMs: 10_000,
  keepAliveMs: 5000,
  connections: 512,
  idleMs: 30_000,
  floorBytes: 64 * 1024,
  floorWindowMs: 60_000,
  stalledMs: 60_000,
  lingerMs: 2000,
  drainMs: 5000,
};
