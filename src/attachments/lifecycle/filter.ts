/** Which objects a rule is for. */
import type { Tags } from "../../storage/lifecycle/lifecycle.ts";
import type { LifecycleRule, RuleTag } from "../../storage/lifecycle/rules.ts";

export interface Filter {
  readonly prefix: string;
  /** Bytes; larger ones only. `null`: of any size. */
  readonly above: number | null;
  /** Bytes; smaller ones only. `null`: of any size. */
  readonly below: number | null;
  readonly tags: readonly RuleTag[];
}

/** `other`: another prefix or other tags. `tags`: yes, if its tags are those, which were not read. */
export type Match = "yes" | "size" | "other" | "tags";

/** What a filter looks at. `tags`: `null` where they were not read. */
export interface Filtered {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly tags: Tags | null;
}

/** Every form that S3 has: the older `Prefix`, a single condition, several below `And`, none. */
export function filterOf({ Prefix, Filter: filter = {} }: LifecycleRule): Filter {
  const { And: and = {}, Tag: tag } = filter;
  return {
    prefix: and.Prefix ?? filter.Prefix ?? Prefix ?? "",
    above: and.ObjectSizeGreaterThan ?? filter.ObjectSizeGreaterThan ?? null,
    below: and.ObjectSizeLessThan ?? filter.ObjectSizeLessThan ?? null,
    tags: and.Tags ?? (tag === undefined ? [] : [tag]),
  };
}

export function matchOf(filter: Filter, { key, size, tags }: Filtered): Match {
  if (!key.startsWith(filter.prefix)) return "other";
  if ((filter.above !== null && size <= filter.above) || (filter.below !== null && size >= filter.below)) return "size";
  if (filter.tags.length === 0) return "yes";
  if (tags === null) return "tags";
  return filter.tags.every(({ Key, Value }) => Object.hasOwn(tags, Key) && tags[Key] === Value) ? "yes" : "other";
}
