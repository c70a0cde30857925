/** A driver that works on so many operations at once; the others wait for their turn, first come first served. */
import { unlessAborted } from "./abortable.ts";
import type { StorageDriver, Versions } from "./driver.ts";
import type { Lifecycle } from "./lifecycle/lifecycle.ts";

export const DEFAULT_LIMIT = 64;

/**
 * Bounds what is in flight: each `put`, `head`, `get`, and each step of a listing or of a `delete`. The bytes of a
 * `get` are read outside the bound, and so is what a caller does between two steps: a caller that holds one operation
 * open while it starts another can't wait for itself. A signal ends the waiting too.
 */
export function limit(driver: StorageDriver, most: number = DEFAULT_LIMIT): StorageDriver {
  const turn = createTurns(most);
  const { versions, archive, lifecycle, check } = driver;
  return {
    location: driver.location,
    supports: driver.supports,
    ...(versions === undefined ? {} : { versions: limitVersions(versions, turn) }),
    ...(archive === undefined
      ? {}
      : { archive: { thaw: (key, options) => turn(options.signal, () => archive.thaw(key, options)) } }),
    ...(lifecycle === undefined ? {} : { lifecycle: limitLifecycle(lifecycle, turn) }),
    ...(driver.presigner === undefined ? {} : { presigner: driver.presigner }),
    put: (key, body, options) => turn(options.signal, () => driver.put(key, body, options)),
    head: (key, options) => turn(options.signal, () => driver.head(key, options)),
    inspect: (key, options) => turn(options.signal, () => driver.inspect(key, options)),
    get: (key, options) => turn(options.signal, () => driver.get(key, options)),
    list: (prefix, options) => limitEach(turn, options.signal, driver.list(prefix, options)),
    delete: (keys, options) => limitEach(turn, options.signal, driver.delete(keys, options)),
    ...(check === undefined ? {} : { check }),
    close: () => driver.close(),
  };
}

/** Runs `work` when it is its turn. */
type Turn = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

function limitVersions(versions: Versions, turn: Turn): Versions {
  const { firstRecord } = versions;
  return {
    ...versions,
    listDeleted: (prefix, options) => limitEach(turn, options.signal, versions.listDeleted(prefix, options)),
    headDeleted: (key, options) => turn(options.signal, () => versions.headDeleted(key, options)),
    ...(firstRecord === undefined
      ? {}
      : { firstRecord: (key, options) => turn(options.signal, () => firstRecord(key, options)) }),
    undelete: (keys, options) => limitEach(turn, options.signal, versions.undelete(keys, options)),
    purge: (keys, options) => limitEach(turn, options.signal, versions.purge(keys, options)),
  };
}

function limitLifecycle(lifecycle: Lifecycle, turn: Turn): Lifecycle {
  const { apply } = lifecycle;
  return {
    rules: (options) => turn(options.signal, () => lifecycle.rules(options)),
    kept: (prefix, options) => limitEach(turn, options.signal, lifecycle.kept(prefix, options)),
    tags: (version, options) => turn(options.signal, () => lifecycle.tags(version, options)),
    unfinished: (prefix, options) => limitEach(turn, options.signal, lifecycle.unfinished(prefix, options)),
    ...(apply === undefined
      ? {}
      : { apply: (steps, options) => limitEach(turn, options.signal, apply(steps, options)) }),
  };
}

function limitEach<T>(turn: Turn, signal: AbortSignal, items: AsyncIterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]();
      return {
        next: () => turn(signal, () => iterator.next()),
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

interface Ticket {
  call: (() => void) | null;
}

function createTurns(most: number): Turn {
  const waiting = new Set<Ticket>();
  let running = 0;

  async function enter(signal: AbortSignal): Promise<void> {
    const ticket: Ticket = { call: null };
    const called = new Promise<void>((resolve) => {
      ticket.call = resolve;
    });
    waiting.add(ticket);
    try {
      await unlessAborted(called, signal);
    } catch (error) {
      // Called and aborted in the same moment: the turn goes on to the next one.
      if (!waiting.delete(ticket)) leave();
      throw error;
    }
  }

  function leave(): void {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next.call?.();
  }

  return async (signal, work) => {
    if (running < most) running += 1;
    else await enter(signal);
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
