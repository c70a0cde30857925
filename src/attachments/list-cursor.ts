/** How a list is sorted, and where the next one goes on: `next` and `--after`. */
import { TaskflowError } from "../errors.ts";
import type { ListOrder } from "./list-orders.ts";
import type { Attachment } from "./types.ts";

export const PREFIX = "tasks/";

type Sorted = Pick<Attachment, "key" | "name" | "size" | "createdAt" | "deletedAt">;

const VALUES = {
  newest: (one: Sorted) => -timeOf(one),
  oldest: timeOf,
  size: (one: Sorted) => -one.size,
  name: () => 0,
  key: () => 0,
} as const satisfies Record<ListOrder, (one: Sorted) => number>;

function timeOf(one: Sorted): number {
  return (one.deletedAt ?? one.createdAt).getTime();
}

export function comparator(order: ListOrder): (a: Sorted, b: Sorted) => number {
  const value = VALUES[order];
  return (a, b) =>
    value(a) - value(b) || (order === "name" ? compareText(a.name, b.name) : 0) || compareText(a.key, b.key);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** In key order the key itself; else the order, the value it sorts by, and the key, so that it needn't exist any more. */
export function cursorOf(last: Attachment, order: ListOrder): string {
  if (order === "key") return last.key;
  const value = order === "name" ? encodeURIComponent(last.name) : String(order === "size" ? last.size : timeOf(last));
  return `${order}:${value}:${last.key}`;
}

export function parseCursor(text: string, order: ListOrder): Sorted {
  const [, found = "", value = "", key = ""] = /^([a-z]+):([^:]*):(.*)$/s.exec(text) ?? [];
  if (found !== order) throw otherOrder(order);
  const number = Number(value);
  const isNumber = /^-?\d{1,16}$/.test(value);
  if (order !== "name" && !isNumber) throw otherOrder(order);
  const time = new Date(order === "size" || order === "name" ? 0 : number);
  return { key, name: order === "name" ? decodeText(value) : "", size: order === "size" ? number : 0, createdAt: time };
}

export function keyCursor(after: string | undefined): string | undefined {
  if (after !== undefined && !after.startsWith(PREFIX)) throw otherOrder("key");
  return after;
}

function decodeText(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw otherOrder("name");
  }
}

export function otherOrder(order: ListOrder): TaskflowError {
  return new TaskflowError("usage", `--after is not from a list in this order (${order})`, {
    hint: "give it the `next` of the list before, with the same --sort",
  });
}
