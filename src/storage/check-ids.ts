/** The checks of each kind of store, in their order: for where it can't even be opened. */
import type { Location } from "./location.ts";

export const CHECK_IDS = {
  folder: [
    "layout",
    "modes",
    "clock",
    "orphans",
    "twins",
    "leftovers",
    "quarantine",
    "space",
    "file-system",
    "lifecycle",
    "link-key",
  ],
  s3: [
    "credentials",
    "clock",
    "bucket",
    "public-access",
    "encryption",
    "ownership",
    "policy",
    "versioning",
    "lifecycle",
    "unfinished",
    "cors",
  ],
} as const satisfies Readonly<Record<Location["kind"], readonly string[]>>;
