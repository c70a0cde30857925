/** Listings, a page at a time, that end only where S3 says so: a broken page is an error, never a shorter list. */
import { TaskflowError } from "../../../errors.ts";
import { failed } from "../failures/errors.ts";
import { notS3 } from "../failures/network.ts";
import type { Call } from "../failures/errors.ts";
import type { S3Store } from "../store.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; `null`: this was the last one. */
  readonly next: string | null;
}

/**
 * All items of all pages. Errors: `network` where a page leads to one that was there before, so that it would never
 * end.
 */
export async function* eachOfPages<T>(
  call: Call,
  read: (from: string | null) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  const seen = new Set<string>();
  let from: string | null = null;
  for (;;) {
    const page: Page<T> = await read(from);
    yield* page.items;
    if (page.next === null) return;
    if (seen.has(page.next)) throw incomplete(call, "the store leads round in a circle");
    seen.add(page.next);
    from = page.next;
  }
}

/** What every page of S3 has, and nothing else's. */
interface ListReply {
  readonly IsTruncated?: boolean | undefined;
  readonly Name?: string | undefined;
}

/** Errors: `network` where this is no page of S3's: the SDK takes HTML, or nothing at all, for an empty one. */
export function checkPage(store: S3Store, call: Call, reply: ListReply): boolean {
  if (reply.IsTruncated !== undefined && reply.Name !== undefined) return reply.IsTruncated;
  throw failed(call.act, notS3(store));
}

export function incomplete(call: Call, why: string): TaskflowError {
  return new TaskflowError("network", `cannot ${call.act}: ${why}`, {
    hint: "the list is not complete; run the same command again",
  });
}

/** A key as `encoding-type=url` has it: percent-encoded, a blank as `+` on AWS. */
export function decodeKey(text: string, encoding: string | undefined): string {
  if (encoding !== "url") return text;
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    // Not encoded, whatever the reply says.
    return text;
  }
}

/** The key as it is. Errors: `network` where it isn't under the prefix: who deletes a task by its listing would delete another. */
export function listedKey(call: Call, prefix: string, text: string, encoding: string | undefined): string {
  const key = decodeKey(text, encoding);
  if (!key.startsWith(prefix)) throw incomplete(call, "the store lists what was not asked for");
  return key;
}
