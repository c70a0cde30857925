import type { ObjectRecord, PutOptions } from "./driver.ts";

/** The `meta` to record, now that the body has ended: what was given at the beginning, and what its end told. */
export function metaAtEnd({ record, lateMeta }: Pick<PutOptions, "record" | "lateMeta">): ObjectRecord["meta"] {
  return lateMeta === undefined ? record.meta : { ...record.meta, ...lateMeta() };
}
