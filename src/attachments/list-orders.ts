/** Apart from list.ts, so that the command line can name them without loading it. */
export const LIST_ORDERS = ["newest", "oldest", "name", "size", "key"] as const;
export type ListOrder = (typeof LIST_ORDERS)[number];

/** The most attachments that are sorted in memory. */
export const SORTED_AT_MOST = 10_000;
