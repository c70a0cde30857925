/** What the server's clock says: it decides when a link begins and ends. */
import { dateOf } from "./reply.ts";
import type { S3Store } from "../store.ts";

/** A reply's Date has whole seconds, and was on its way: less than this is no difference between clocks. */
const NOTICEABLE_MS = 5000;

/** Learns from a reply how far this machine's clock is off. */
export function hearClock(store: S3Store, output: unknown): void {
  const date = dateOf(Object(output) as object);
  if (date === null) return;
  const offsetMs = date.getTime() - store.now().getTime();
  store.learnt.clockOffsetMs = Math.abs(offsetMs) < NOTICEABLE_MS ? 0 : offsetMs;
}

/** Now, as the server has it where a reply has told, else as this machine does; in whole seconds, as signatures are. */
export function serverTime({ learnt, now }: S3Store): Date {
  return new Date(Math.floor((now().getTime() + learnt.clockOffsetMs) / 1000) * 1000);
}
