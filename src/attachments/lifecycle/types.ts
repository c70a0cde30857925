/** What a forecast says. */

export interface Dated {
  readonly date: Date;
  readonly rule: string;
}

export interface NextStep extends Dated {
  /** `expire`: a live one is deleted. `purge`: a deleted one is destroyed. */
  readonly action: "transition" | "expire" | "purge";
  /** The class; `null` but for a transition. */
  readonly to: string | null;
  /** Due, and not done yet. */
  readonly pending: boolean;
}

/** Why no transition lies ahead. */
export interface NotMoved {
  readonly reason: NotMovedReason;
  readonly rule: string | null;
  /** Of `unknown`: what would have to be known. */
  readonly missing?: Missing;
}

/**
 * `size`: too small, or not of the size that the rule is for. `filter`: it is for other prefixes or tags. `colder`: in
 * that class, or in one from which there is no way to it. `newest`: so many noncurrent versions are left alone.
 * `removed`: it is gone before. `disabled`: the rule is. `none`: no rule moves such. `unknown`: see `missing`.
 */
export type NotMovedReason = "size" | "filter" | "colder" | "newest" | "removed" | "disabled" | "none" | "unknown";

export type Missing = "rules" | "tags" | "minimum size" | "storage class" | "versioning";

/** A member that is absent isn't known; `null`: there is none. */
export interface Forecast {
  readonly next?: NextStep | null;
  /** Of a live one. */
  readonly expires?: Dated | null;
  /** Of a deleted one. */
  readonly purge?: Dated | null;
  /** Present where no transition lies ahead. */
  readonly notMoved?: NotMoved;
}
