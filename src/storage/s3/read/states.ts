/** What HEAD tells in headers that have a grammar of their own: the copy of an archived object, and the coming end. */
import { isArchiveClass } from "../../archive-class.ts";
import type { ArchiveState, Expiry } from "../../driver.ts";

/**
 * `x-amz-restore`: `ongoing-request="true"`, or `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`
 * (API reference, HeadObject). `null`: can be read as it is. `archiveStatus`: of INTELLIGENT_TIERING.
 */
export function archiveStateOf(
  storageClass: string,
  restore: string | undefined,
  archiveStatus?: string,
): ArchiveState | null {
  if (!isArchiveClass(storageClass) && archiveStatus === undefined) return null;
  if (restore === undefined) return { state: "archived", until: null };
  if (/ongoing-request\s*=\s*"true"/.test(restore)) return { state: "thawing", until: null };
  return { state: "thawed", until: dateIn(restore) };
}

/** `x-amz-expiration`: `expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", rule-id="a%20rule"` (API reference, HeadObject). */
export function expiryOf(expiration: string | undefined): Expiry | null {
  const at = expiration === undefined ? null : dateIn(expiration);
  if (expiration === undefined || at === null) return null;
  const rule = /rule-id="([^"]*)"/.exec(expiration)?.[1];
  return { at, rule: rule === undefined ? null : decoded(rule) };
}

function dateIn(header: string): Date | null {
  const text = /expiry-date="([^"]*)"/.exec(header)?.[1];
  const date = new Date(text ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
