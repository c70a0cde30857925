/** What is attached: newest first where that fits in memory, else in the store's key order, streamed. */
import { pMapIterable } from "p-map";
import { TaskflowError, isLacking, isTaskflowError } from "../errors.ts";
import type { DeletedObject, ListOptions, StorageDriver } from "../storage/driver.ts";
import { taskPrefix } from "./key.ts";
import { SORTED_AT_MOST } from "./list-orders.ts";
import { PREFIX, comparator, cursorOf, keyCursor, otherOrder, parseCursor } from "./list-cursor.ts";
import type { ListOrder } from "./list-orders.ts";
import { attachmentOf, detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";

export interface ListQuery {
  /** `null`: the whole store. */
  readonly task: string | null;
  readonly deleted?: boolean;
  /** Of deleted ones: where the store keeps none, there are none, and that is no error. */
  readonly ifKept?: boolean;
  /** Tells whether a name is wanted: the key's; with `details` the true one will do too, and is read for it. */
  readonly matches?: (name: string) => boolean;
  /** Only what was attached (or, of deleted ones, deleted) at or after this time, by the store's clock. */
  readonly since?: Date;
  /** Absent: newest first within a task of up to 10,000 attachments, else key order. */
  readonly order?: ListOrder;
  /** At most so many attachments. */
  readonly limit?: number;
  /** The `next` of an earlier list, in the same order. */
  readonly after?: string;
  /** Read each attachment's record too: a request each, 16 at a time. */
  readonly details?: boolean;
  /** Told the key of everything that is no attachment, as far as the list came. */
  readonly onOther?: (key: string) => void;
  readonly signal: AbortSignal;
}

export interface Listing {
  readonly attachments: AsyncIterable<Attachment>;
  /** The order they come in; known once the first has come or the list has ended. */
  order(): ListOrder;
  /** Where to go on if the limit cut the list; known at its end. */
  next(): string | null;
}

const DETAILS_AT_ONCE = 16;

/**
 * Errors: `usage` where an order needs a limit or `after` is of another order; `unsupported` for deleted ones where the
 * store keeps none; else the driver's. Fewer attachments than the truth are never an end, always an error.
 */
export function list(driver: StorageDriver, query: ListQuery): Listing {
  const { limit = Infinity } = query;
  if (query.order !== undefined && query.order !== "key" && query.task === null && limit > SORTED_AT_MOST) {
    throw needsLimit(query.order);
  }
  // A list in key order is gone on with in key order: the task was too large to be sorted, and may be no more.
  const isKeyCursor = query.after?.startsWith(PREFIX) === true;
  let order: ListOrder = query.order ?? (query.task === null || isKeyCursor ? "key" : "newest");
  let next: string | null = null;
  const cut = (attachment: Attachment): void => {
    next = cursorOf(attachment, order);
  };

  async function* sorted(): AsyncGenerator<Attachment, void, undefined> {
    const all = filtered(driver, query)[Symbol.asyncIterator]();
    const compare = comparator(order);
    const from = query.after === undefined ? null : parseCursor(query.after, order);
    const kept: Attachment[] = [];
    const room = limit <= SORTED_AT_MOST ? limit + 1 : SORTED_AT_MOST + 1;
    const bounded = limit <= SORTED_AT_MOST && (query.order !== undefined || query.task === null);
    let seen = 0;
    for (;;) {
      const one = await all.next();
      if (one.done === true) break;
      seen += 1;
      if (!bounded && seen > SORTED_AT_MOST) {
        if (query.order !== undefined) throw needsLimit(order);
        // Too many to sort: what was kept is still in key order, and the rest follows as it comes.
        if (from !== null) throw otherOrder("key");
        order = "key";
        yield* limited(chain([...kept, one.value], { [Symbol.asyncIterator]: () => all }), limit, cut);
        return;
      }
      if (from !== null && compare(one.value, from) <= 0) continue;
      kept.push(one.value);
      if (bounded && kept.length >= 2 * room) kept.sort(compare).splice(room);
    }
    kept.sort(compare);
    yield* limited(chain(kept), limit, cut);
  }

  const inOrder = order === "key" ? limited(filtered(driver, query, keyCursor(query.after)), limit, cut) : sorted();
  const attachments = query.details === true ? withDetails(driver, query, inOrder) : inOrder;
  return { attachments, order: () => order, next: () => next };
}

/** Everything that the filters let through, in key order. */
function filtered(
  driver: StorageDriver,
  query: ListQuery,
  after?: string,
): AsyncGenerator<Attachment, void, undefined> {
  const { matches, details } = query;
  if (matches === undefined || details !== true) return wanted(driver, query, after);
  const { matches: _, ...others } = query;
  return ofName(driver, query, matches, wanted(driver, others, after));
}

/** What has such a name in its key, or in its record, which is read only where the key's is another. */
async function* ofName(
  driver: StorageDriver,
  query: ListQuery,
  matches: (name: string) => boolean,
  attachments: AsyncIterable<Attachment>,
): AsyncGenerator<Attachment, void, undefined> {
  const looked = pMapIterable(
    attachments,
    async (attachment) => {
      if (matches(attachment.name)) return attachment;
      const detailed = await detailsOf(driver, query, attachment.key);
      return detailed !== null && matches(detailed.name) ? attachment : null;
    },
    { concurrency: DETAILS_AT_ONCE, backpressure: 4 * DETAILS_AT_ONCE },
  );
  for await (const attachment of looked) if (attachment !== null) yield attachment;
}

async function* wanted(
  driver: StorageDriver,
  query: ListQuery,
  after?: string,
): AsyncGenerator<Attachment, void, undefined> {
  const prefix = query.task === null ? PREFIX : taskPrefix(query.task);
  const options = { signal: query.signal, ...(after === undefined ? {} : { after }) };
  const objects = query.deleted === true ? deletedOf(driver, prefix, options, query) : driver.list(prefix, options);
  for await (const object of objects) {
    const attachment = attachmentOf(object);
    if (attachment === null) {
      query.onOther?.(object.key);
      continue;
    }
    if (query.matches !== undefined && !query.matches(attachment.name)) continue;
    if (query.since !== undefined && (attachment.deletedAt ?? attachment.createdAt) < query.since) continue;
    yield attachment;
  }
}

function deletedOf(
  driver: StorageDriver,
  prefix: string,
  options: ListOptions,
  query: ListQuery,
): AsyncIterable<DeletedObject> {
  const deleted = versionsOf(driver).listDeleted(prefix, options);
  return query.ifKept === true ? ifKept(deleted) : deleted;
}

export function versionsOf(driver: StorageDriver): NonNullable<StorageDriver["versions"]> {
  if (driver.versions !== undefined) return driver.versions;
  throw keepsNothing(driver);
}

/** What comes of the deleted ones; none where the store keeps none. A list that has begun is never cut short. */
export async function* ifKept<One>(deleted: AsyncIterable<One>): AsyncGenerator<One, void, undefined> {
  let hasBegun = false;
  try {
    for await (const one of deleted) {
      hasBegun = true;
      yield one;
    }
  } catch (error) {
    if (hasBegun || !isLacking(error)) throw error;
  }
}

export function keepsNothing({ location }: StorageDriver): TaskflowError {
  return new TaskflowError("unsupported", `${location} does not keep what was deleted`, {
    hint: "turn on versioning of the bucket",
  });
}

function limited(
  attachments: AsyncIterable<Attachment>,
  limit: number,
  cut: (last: Attachment) => void,
): AsyncIterable<Attachment> {
  // Each generator that a long list passes through costs it a tenth.
  return limit === Infinity ? attachments : cutAt(attachments, limit, cut);
}

async function* cutAt(
  attachments: AsyncIterable<Attachment>,
  limit: number,
  cut: (last: Attachment) => void,
): AsyncGenerator<Attachment, void, undefined> {
  let given = 0;
  let last: Attachment | null = null;
  for await (const attachment of attachments) {
    if (given === limit) {
      if (last !== null) cut(last);
      return;
    }
    given += 1;
    last = attachment;
    yield attachment;
  }
}

async function* chain(
  first: readonly Attachment[],
  rest?: AsyncIterable<Attachment>,
): AsyncGenerator<Attachment, void, undefined> {
  yield* first;
  if (rest !== undefined) yield* rest;
}

async function* withDetails(
  driver: StorageDriver,
  query: ListQuery,
  attachments: AsyncIterable<Attachment>,
): AsyncGenerator<Attachment, void, undefined> {
  const detailed = pMapIterable(attachments, ({ key }) => detailsOf(driver, query, key), {
    concurrency: DETAILS_AT_ONCE,
    backpressure: 4 * DETAILS_AT_ONCE,
  });
  for await (const attachment of detailed) if (attachment !== null) yield attachment;
}

/** `null` where it was deleted or undeleted since it was listed. */
async function detailsOf(
  driver: StorageDriver,
  { deleted, signal }: ListQuery,
  key: string,
): Promise<Attachment | null> {
  try {
    return detailedAttachmentOf(
      deleted === true ? await versionsOf(driver).headDeleted(key, { signal }) : await driver.head(key, { signal }),
    );
  } catch (error) {
    if (isTaskflowError(error) && error.code === "not_found") return null;
    throw error;
  }
}

function needsLimit(order: ListOrder): TaskflowError {
  return new TaskflowError(
    "usage",
    `a list this long is sorted by ${order} only with a --limit of at most ${SORTED_AT_MOST}`,
    { hint: "add --limit 100, or take --sort key" },
  );
}
