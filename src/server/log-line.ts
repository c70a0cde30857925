/** One line a request, for people and for grep; nothing in it opens anything. */
import { printableTarget } from "./links.ts";
import type { LogEntry } from "./server.ts";

/** `2026-11-23T20:14:05.000Z GET /_/…3Kx0aQ 200 18432 12ms tasks/T-42/…`; `-` for what there is none of. */
export function logLine({ method, target, status, bytes, milliseconds, note, error }: LogEntry, now: Date): string {
  const failure = error === undefined ? null : `${error.code}: ${error.message}`;
  return [
    now.toISOString(),
    method ?? "-",
    target === null ? "-" : shown(target),
    status ?? "-",
    bytes ?? "-",
    `${milliseconds}ms`,
    ...(note === undefined ? [] : [note]),
    ...(failure === null ? [] : [failure]),
  ].join(" ");
}

const LONGEST = 80;

/** A link's token wherever it stands: a mistyped address may have it in the query. */
function shown(target: string): string {
  const link = printableTarget(target);
  if (link !== null) return link;
  const path = target.split("?", 1)[0] ?? "";
  const clean = path.replace(/[\w-]{40,}/g, "…");
  const query = path.length < target.length ? "?…" : "";
  return `${clean.length > LONGEST ? `${clean.slice(0, LONGEST)}…` : clean}${query}`;
}
