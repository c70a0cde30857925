/** Finds the attachments that items name: one listing for all items of a task, one request for a full key. */
import { pMapIterable } from "p-map";
import { TaskflowError, isLacking, isTaskflowError, toTaskflowError } from "../errors.ts";
import type { DeletedObject, ObjectInfo, StorageDriver } from "../storage/driver.ts";
import { ambiguous, matchItem } from "./items.ts";
import type { ItemMatch } from "./items.ts";
import { isUuid, taskPrefix } from "./key.ts";
import { ifKept, keepsNothing, list, versionsOf } from "./list.ts";
import { newestOf } from "./newest.ts";
import { groupByTask } from "./operands.ts";
import type { ItemRef } from "./operands.ts";
import { attachmentOf, detailedAttachmentOf } from "./types.ts";
import type { Attachment } from "./types.ts";

export interface FindOptions {
  /** Where to look. `any` prefers the live one; `live-first` asks for deleted ones only where there is none. */
  readonly among: "live" | "deleted" | "any" | "live-first";
  /** Of several attachments with the name: take the newest, or refuse with `ambiguous`. */
  readonly several: "newest" | "refuse";
  readonly signal: AbortSignal;
}

export type Found =
  | { readonly ref: ItemRef; readonly attachment: Attachment; /** Further ones of the name. */ readonly older: number }
  | { readonly ref: ItemRef; readonly error: TaskflowError };

const KEYS_AT_ONCE = 16;

/** One outcome an item, in the order given. Errors of the store itself are thrown. */
export async function* findItems(
  driver: StorageDriver,
  items: readonly ItemRef[],
  options: FindOptions,
): AsyncGenerator<Found, void, undefined> {
  const found = new Map<ItemRef, Found>();
  const named = items.filter(({ kind }) => kind === "item");
  for (const [task, refs] of groupByTask(named)) {
    const outcomes = await onEachSide(refs, options, (some, how) => findByName(driver, task, some, how));
    for (const outcome of outcomes) found.set(outcome.ref, outcome);
  }
  const outcomes = pMapIterable(items, async (ref) => found.get(ref) ?? (await findOne(driver, ref, options)), {
    concurrency: KEYS_AT_ONCE,
    backpressure: 4 * KEYS_AT_ONCE,
  });
  yield* outcomes;
}

/** One outcome a key, in the order given, for keys that come one by one (stdin); what is settled already passes. */
export async function* findKeys(
  driver: StorageDriver,
  refs: AsyncIterable<ItemRef | Found>,
  options: FindOptions,
): AsyncGenerator<Found, void, undefined> {
  yield* pMapIterable(refs, async (ref) => ("ref" in ref ? ref : await findOne(driver, ref, options)), {
    concurrency: KEYS_AT_ONCE,
    backpressure: 4 * KEYS_AT_ONCE,
  });
}

async function findOne(driver: StorageDriver, ref: ItemRef, options: FindOptions): Promise<Found> {
  const [found] = await onEachSide([ref], options, async ([one = ref], how) => [await findByKey(driver, one, how)]);
  return found ?? { ref, error: notFound(ref, options) };
}

type Find = (refs: readonly ItemRef[], options: FindOptions) => Promise<Found[]>;

/** For `live-first`: who may not see what was deleted is told what the first look says. */
async function onEachSide(refs: readonly ItemRef[], options: FindOptions, find: Find): Promise<Found[]> {
  if (options.among !== "live-first") return await find(refs, options);
  const live = await find(refs, { ...options, among: "live" });
  const missing = live.flatMap((one) => ("error" in one && one.error.code === "not_found" ? [one.ref] : []));
  if (missing.length === 0) return live;
  const deleted = await find(missing, { ...options, among: "deleted" }).catch((error: unknown): Found[] => {
    if (isTaskflowError(error) && UNSEEN.has(error.code)) return [];
    throw error;
  });
  const others = new Map(deleted.flatMap((one) => ("attachment" in one ? [[one.ref, one]] : [])));
  return live.map((one) => others.get(one.ref) ?? one);
}

/** Of the other side of delete: it may not be seen, or isn't there. */
const UNSEEN: ReadonlySet<string> = new Set(["access_denied", "unsupported"]);

async function findByKey(driver: StorageDriver, ref: ItemRef, options: FindOptions): Promise<Found> {
  if (ref.kind !== "key" || ref.elsewhere) return { ref, error: notFound(ref, options) };
  const { signal } = options;
  const keys = [ref.key, ...(ref.orKey === undefined ? [] : [ref.orKey])];
  for (const [key, deleted] of keys.flatMap((key) => sides(options).map((side) => [key, side] as const))) {
    try {
      const object = deleted
        ? await versionsOf(driver).headDeleted(key, { signal })
        : await driver.head(key, { signal });
      const attachment = detailedAttachmentOf(object);
      return attachment === null ? { ref, error: notFound(ref, options) } : { ref, attachment, older: 0 };
    } catch (error) {
      if (!isNothing(error, deleted && options.among !== "deleted")) throw error;
    }
  }
  return { ref, error: await absent(driver, ref, options, (other) => keys.includes(other.key)) };
}

/** There is none, or where it would be kept there is no such place. */
function isNothing(error: unknown, orLacking: boolean): boolean {
  return (isTaskflowError(error) && error.code === "not_found") || (orLacking && isLacking(error));
}

/** Whether to look among the deleted ones, in the order to look. */
function sides({ among }: FindOptions): readonly boolean[] {
  return among === "any" ? [false, true] : [among === "deleted"];
}

/** The listing is read once and only what some item could mean is kept, however long it is. */
async function findByName(
  driver: StorageDriver,
  task: string,
  refs: readonly ItemRef[],
  options: FindOptions,
): Promise<Found[]> {
  const candidates = await candidatesFor(driver, task, refs, options);
  return await Promise.all(
    refs.map(async (ref): Promise<Found> => {
      try {
        const match = matchItem(itemOf(ref), candidates);
        if (match === null) {
          return { ref, error: await absent(driver, ref, options, (other) => matchesOne(ref, other)) };
        }
        return { ref, ...(await chosen(driver, ref, match, options)) };
      } catch (error) {
        return { ref, error: toTaskflowError(error) };
      }
    }),
  );
}

async function chosen(
  driver: StorageDriver,
  ref: ItemRef,
  { matches }: ItemMatch<Attachment>,
  options: FindOptions,
): Promise<{ attachment: Attachment; older: number }> {
  if (matches.length > 1 && options.several === "refuse") throw ambiguous(itemOf(ref), matches);
  return { attachment: await newestOf(driver, matches, options.signal), older: matches.length - 1 };
}

async function candidatesFor(
  driver: StorageDriver,
  task: string,
  refs: readonly ItemRef[],
  options: FindOptions,
): Promise<Attachment[]> {
  const candidates: Attachment[] = [];
  const { signal } = options;
  for (const deleted of sides(options)) {
    const objects: AsyncIterable<ObjectInfo | DeletedObject> = deleted
      ? versionsOf(driver).listDeleted(taskPrefix(task), { signal })
      : driver.list(taskPrefix(task), { signal });
    for await (const object of options.among === "any" ? ifKept(objects) : objects) {
      const attachment = attachmentOf(object);
      if (attachment !== null && refs.some((ref) => matchesOne(ref, attachment))) candidates.push(attachment);
    }
  }
  return candidates;
}

function matchesOne(ref: ItemRef, attachment: Attachment): boolean {
  return matchItem(itemOf(ref), [attachment]) !== null;
}

function itemOf(ref: ItemRef): string {
  return ref.kind === "item" ? ref.item : ref.text;
}

/** Not there: but perhaps on the other side of delete, and then that is worth saying. */
async function absent(
  driver: StorageDriver,
  ref: ItemRef,
  options: FindOptions,
  isIt: (attachment: Attachment) => boolean,
): Promise<TaskflowError> {
  if (driver.versions === undefined || options.among === "any") return notFound(ref, options);
  try {
    const other = await onTheOtherSide(driver, ref, options, isIt);
    if (other !== null) return other;
  } catch (error) {
    // Who may see the one side only gets the answer of that.
    if (!isTaskflowError(error) || !UNSEEN.has(error.code)) throw error;
  }
  const { signal } = options;
  const keepsOthers = options.among === "live" || (await driver.versions.keepsDeleted?.({ signal })) !== false;
  return keepsOthers ? notFound(ref, options) : keepsNothing(driver);
}

async function onTheOtherSide(
  driver: StorageDriver,
  ref: ItemRef,
  options: FindOptions,
  isIt: (attachment: Attachment) => boolean,
): Promise<TaskflowError | null> {
  const wantedDeleted = options.among === "deleted";
  const others = list(driver, { task: ref.task, deleted: !wantedDeleted, order: "key", signal: options.signal });
  for await (const other of others.attachments) {
    if (!isIt(other)) continue;
    if (wantedDeleted) {
      return new TaskflowError("exists", `${describe(ref)} is not deleted`, {
        hint: null,
        context: { key: other.key },
      });
    }
    return new TaskflowError("not_found", `${describe(ref)} was deleted`, {
      // A foreign id may be that of several.
      hint: isUuid(other.id)
        ? `bring it back with: taskflow attach undelete ${other.task} ${other.id}`
        : `taskflow attach list ${other.task} --deleted shows its full key, which undelete takes`,
    });
  }
  return null;
}

function notFound(ref: ItemRef, { among }: FindOptions): TaskflowError {
  const deleted = among === "deleted";
  return new TaskflowError("not_found", `no ${deleted ? "deleted " : ""}attachment ${describe(ref)}`, {
    hint: `taskflow attach list ${ref.task}${deleted ? " --deleted" : ""}`,
  });
}

function describe(ref: ItemRef): string {
  return ref.kind === "key" ? ref.key : `"${ref.item}" on ${ref.task}`;
}
