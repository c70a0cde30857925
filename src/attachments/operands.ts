/** Which tasks and items the operands of a command name: task first, then the items. */
import { TaskflowError } from "../errors.ts";
import { parseKey } from "./key.ts";
import { parseTask } from "./task.ts";

/** One operand that stands for attachments. */
export type ItemRef = {
  /** Its place among the operands given, counted from 0: errors in JSON carry it. */
  readonly index: number;
  /** As given. */
  readonly text: string;
  /** Where to look. */
  readonly task: string;
} & (
  | { readonly kind: "item"; readonly item: string }
  /** `elsewhere`: the key is of another task than the command names, so it resolves to `not_found`. */
  | {
      readonly kind: "key";
      readonly key: string;
      readonly elsewhere: boolean;
      /** The key that is meant where there is none as it is written: a line of a listing escapes odd characters. */
      readonly orKey?: string;
    }
);

export interface Operands {
  /** The task that the command names for all its items; `null` where each item brings its own. */
  readonly task: string | null;
  /** In the order given. */
  readonly items: readonly ItemRef[];
}

/**
 * The one rule: the first operand is TASK, unless it contains `/`: then all operands are items, each a full key,
 * TASK/ITEM or `s3://bucket/key`. With `taskOption` (`--task`) all operands are items. Below a named task an item with
 * `/` that is no full key is a name, as `upload -r` gives them. `bucket` is the store's, `null` for a folder.
 * `-` is the caller's.
 *
 * @throws `usage` for an empty operand, a wrong task id, another bucket, or an item without a task.
 */
export function parseOperands(
  operands: readonly string[],
  taskOption: string | undefined,
  bucket: string | null,
): Operands {
  const empty = operands.indexOf("");
  if (empty !== -1) {
    throw new TaskflowError("usage", `operand ${empty + 1} is empty`, { hint: "is a variable of the script unset?" });
  }
  const [first] = operands;
  const isNamed = taskOption === undefined && first !== undefined && !first.includes("/");
  const name = isNamed ? first : taskOption;
  const task = name === undefined ? null : parseTask(name);
  const items = operands
    .map((text, index) => ({ text, index }))
    .slice(isNamed ? 1 : 0)
    .map(({ text, index }) => parseItem(text, index, task, bucket));
  return { task, items };
}

/**
 * The key that a line of stdin or an operand spells: a full key, or `s3://` with the store's own bucket.
 *
 * @throws `usage` where it is neither, or no attachment's key.
 */
export function parseKeyOperand(text: string, bucket: string | null): { readonly key: string; readonly task: string } {
  const key = text.startsWith(S3) ? keyOfUrl(text, bucket) : text;
  const parts = parseKey(key);
  if (parts === null) {
    throw new TaskflowError("usage", `${JSON.stringify(text)} is not the key of an attachment`, {
      hint: "a full key is tasks/TASK/ID_NAME, as upload and list print it",
    });
  }
  return { key, task: parts.task };
}

/** The items by task, tasks in the order they first appear: one listing serves all of a group. */
export function groupByTask(items: readonly ItemRef[]): ReadonlyMap<string, readonly ItemRef[]> {
  const groups = new Map<string, ItemRef[]>();
  for (const item of items) {
    const group = groups.get(item.task);
    if (group === undefined) groups.set(item.task, [item]);
    else group.push(item);
  }
  return groups;
}

const S3 = "s3://";
const FULL_KEY = /^tasks\/[^/]+\/./s;

function parseItem(text: string, index: number, task: string | null, bucket: string | null): ItemRef {
  const isUrl = text.startsWith(S3);
  if (task !== null) {
    if (!isUrl && parseKey(text) === null) return { index, text, task, kind: "item", item: text };
    const { key, task: own } = parseKeyOperand(text, bucket);
    return { index, text, task, kind: "key", key, elsewhere: own !== task };
  }
  if (isUrl || FULL_KEY.test(text)) {
    const { key, task: own } = parseKeyOperand(text, bucket);
    return { index, text, task: own, kind: "key", key, elsewhere: false };
  }
  const slash = text.indexOf("/");
  if (slash < 1 || slash === text.length - 1) {
    const lacks = slash < 1 ? "no task" : "no item";
    throw new TaskflowError("usage", `${JSON.stringify(text)} names ${lacks}`, {
      hint: "without a TASK before them, items are full keys, TASK/ITEM or s3://BUCKET/KEY; or use --task",
    });
  }
  return { index, text, task: parseTask(text.slice(0, slash)), kind: "item", item: text.slice(slash + 1) };
}

function keyOfUrl(text: string, bucket: string | null): string {
  const slash = text.indexOf("/", S3.length);
  const named = text.slice(S3.length, slash === -1 ? undefined : slash);
  if (bucket === null) {
    throw new TaskflowError("usage", `${JSON.stringify(text)} is in a bucket, but the store is a folder`, {
      hint: named === "" ? "name a store with --store" : `use --store s3://${named}`,
    });
  }
  if (named !== bucket) {
    throw new TaskflowError("usage", `${JSON.stringify(text)} is in another bucket than the store, s3://${bucket}`, {
      hint: named === "" ? `write s3://${bucket}/KEY` : `use --store s3://${named}`,
    });
  }
  return slash === -1 ? "" : text.slice(slash + 1);
}
