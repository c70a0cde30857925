import { bad, parseDuration } from "../config/parse-values.ts";
import type { Parsed } from "../config/parse-values.ts";

/** S3 signs for no longer; one rule for all stores. */
const MOST_SECONDS = 604_800;

/** `--expires`: a duration of 1 to 604,800 s, in seconds. */
export function parseExpires(text: string): Parsed<number> {
  const parsed = parseDuration(text);
  if (!parsed.ok || parsed.value <= MOST_SECONDS) return parsed;
  return bad("longer than 7 days", "a link lasts from 1 second to 7d, S3's own limit");
}
