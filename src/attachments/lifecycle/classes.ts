/** Which storage classes a rule can move between, and which it prefers (S3 User Guide, "Transitioning objects"). */

/** The later one wins where several rules ask on one day: what is cheaper, but INTELLIGENT_TIERING before it ("conflicts"). */
const PREFERRED = [
  "STANDARD_IA",
  "ONEZONE_IA",
  "GLACIER_IR",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "DEEP_ARCHIVE",
] as const;

const ARCHIVES = ["GLACIER", "DEEP_ARCHIVE"] as const;

/** There is no way back up. */
const MOVES: Readonly<Record<string, readonly string[] | undefined>> = {
  STANDARD: PREFERRED,
  STANDARD_IA: ["INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", ...ARCHIVES],
  INTELLIGENT_TIERING: ["ONEZONE_IA", ...ARCHIVES],
  REDUCED_REDUNDANCY: ARCHIVES,
  ONEZONE_IA: ARCHIVES,
  GLACIER_IR: ARCHIVES,
  GLACIER: ["DEEP_ARCHIVE"],
  DEEP_ARCHIVE: [],
};

/** Of classes with which an object must have been kept for 30 days before, whatever date a rule names. */
export const LEAST_DAYS: Readonly<Record<string, number | undefined>> = { STANDARD_IA: 30, ONEZONE_IA: 30 };

/** `null`: S3's documents don't say; other servers have classes that aren't in them at all. */
export function canMove(from: string, to: string): boolean | null {
  if (from === to) return false;
  // Among neither the supported nor the unsupported ones.
  if (from === "INTELLIGENT_TIERING" && to === "GLACIER_IR") return null;
  const moves = MOVES[from];
  return moves === undefined || !isKnown(to) ? null : moves.includes(to);
}

/** Of two transitions on one day the one with the higher preference is made. */
export function preference(storageClass: string): number {
  return PREFERRED.findIndex((known) => known === storageClass);
}

export function isArchive(storageClass: string): boolean {
  return ARCHIVES.some((archive) => archive === storageClass);
}

function isKnown(storageClass: string): boolean {
  return preference(storageClass) !== -1;
}
