/**
 * Whether a value is a lifecycle configuration, as S3 would take it (API reference, PutBucketLifecycleConfiguration;
 * S3 User Guide, "Lifecycle configuration elements" and "Constraints"). One difference: no rules at all are fine.
 */
import type { LifecycleConfiguration, LifecycleRule } from "./rules.ts";
import { Wrong, checkMembers, list, object, oneOf, optional, text, whole } from "./shape.ts";
import { checkTimes } from "./times.ts";

const MOST_RULES = 1000;
const LONGEST_ID = 255;

/** The configuration, or in one sentence where it is wrong and how: `Rules[0].Status is missing`. */
export function checkLifecycle(value: unknown): LifecycleConfiguration | Wrong {
  try {
    const configuration = object(value, "the configuration");
    checkMembers(configuration, "the configuration", ["Rules", "TransitionDefaultMinimumObjectSize"]);
    const rules = list(configuration["Rules"], "Rules", MOST_RULES);
    optional(configuration["TransitionDefaultMinimumObjectSize"], (size) =>
      oneOf(size, "TransitionDefaultMinimumObjectSize", ["all_storage_classes_128K", "varies_by_storage_class"]),
    );
    const ids = new Set<string>();
    for (const [n, rule] of rules.entries()) checkRule(rule, `Rules[${n}]`, ids);
    return value as LifecycleConfiguration;
  } catch (error) {
    if (error instanceof Wrong) return error;
    throw error;
  }
}

const ACTIONS = [
  "Expiration",
  "Transitions",
  "NoncurrentVersionTransitions",
  "NoncurrentVersionExpiration",
  "AbortIncompleteMultipartUpload",
] as const satisfies readonly (keyof LifecycleRule)[];

function checkRule(value: unknown, at: string, ids: Set<string>): void {
  const rule = object(value, at);
  checkMembers(rule, at, ["ID", "Status", "Filter", "Prefix", ...ACTIONS]);
  optional(rule["ID"], (id) => {
    const name = text(id, `${at}.ID`, LONGEST_ID);
    if (ids.has(name)) throw new Wrong(`${at}.ID ${JSON.stringify(name)} is another rule's too`);
    ids.add(name);
  });
  oneOf(rule["Status"], `${at}.Status`, ["Enabled", "Disabled"]);
  checkFilter(rule, at);
  if (ACTIONS.every((action) => rule[action] === undefined)) {
    throw new Wrong(`${at} does nothing: it needs one of ${ACTIONS.join(", ")}`);
  }
  checkTimes(rule as unknown as LifecycleRule, at);
  checkForTags(rule as unknown as LifecycleRule, at);
}

type Members = Readonly<Record<string, unknown>>;

const SIZES = ["ObjectSizeGreaterThan", "ObjectSizeLessThan"] as const;

function checkFilter(rule: Members, at: string): void {
  if ((rule["Filter"] === undefined) === (rule["Prefix"] === undefined)) {
    throw new Wrong(`${at} needs a Filter or a Prefix, and not both: an empty Filter, {}, means everything`);
  }
  optional(rule["Prefix"], (prefix) => text(prefix, `${at}.Prefix`));
  if (rule["Filter"] === undefined) return;
  const filter = object(rule["Filter"], `${at}.Filter`);
  checkMembers(filter, `${at}.Filter`, ["Prefix", "Tag", "And", ...SIZES]);
  if (Object.keys(filter).length > 1) {
    throw new Wrong(`${at}.Filter has ${Object.keys(filter).join(" and ")}: several conditions stand in its And`);
  }
  checkConditions(filter, `${at}.Filter`);
  optional(filter["Tag"], (tag) => checkTag(tag, `${at}.Filter.Tag`));
  if (filter["And"] === undefined) return;
  const and = object(filter["And"], `${at}.Filter.And`);
  checkMembers(and, `${at}.Filter.And`, ["Prefix", "Tags", ...SIZES]);
  checkConditions(and, `${at}.Filter.And`);
  checkRange(and, `${at}.Filter.And`);
  const keys = new Set<string>();
  optional(and["Tags"], (tags) => {
    for (const [n, tag] of list(tags, `${at}.Filter.And.Tags`).entries()) {
      const key = checkTag(tag, `${at}.Filter.And.Tags[${n}]`);
      if (keys.has(key)) throw new Wrong(`${at}.Filter.And.Tags has the key ${JSON.stringify(key)} twice`);
      keys.add(key);
    }
  });
}

function checkConditions(filter: Members, at: string): void {
  optional(filter["Prefix"], (prefix) => text(prefix, `${at}.Prefix`));
  for (const name of SIZES) optional(filter[name], (size) => whole(size, `${at}.${name}`, 0, Number.MAX_SAFE_INTEGER));
}

function checkRange({ ObjectSizeGreaterThan: above, ObjectSizeLessThan: below }: Members, at: string): void {
  if (typeof above !== "number" || typeof below !== "number" || above < below) return;
  throw new Wrong(`${at} is for no size: ObjectSizeGreaterThan must be less than ObjectSizeLessThan`);
}

function checkTag(value: unknown, at: string): string {
  const tag = object(value, at);
  checkMembers(tag, at, ["Key", "Value"]);
  text(tag["Value"], `${at}.Value`, 256);
  const key = text(tag["Key"], `${at}.Key`, 128);
  if (key === "") throw new Wrong(`${at}.Key is empty`);
  return key;
}

/** Neither an upload under way nor a delete marker has tags. */
function checkForTags({ Filter: filter = {}, ...rule }: LifecycleRule, at: string): void {
  const byTag = filter.Tag !== undefined || (filter.And?.Tags?.length ?? 0) > 0;
  const bySize = [filter, filter.And ?? {}].some((part) => SIZES.some((name) => part[name] !== undefined));
  if (rule.AbortIncompleteMultipartUpload !== undefined && (byTag || bySize)) {
    throw new Wrong(`${at} can't have AbortIncompleteMultipartUpload with a filter by ${byTag ? "tags" : "size"}`);
  }
  if (rule.Expiration?.ExpiredObjectDeleteMarker !== undefined && byTag) {
    throw new Wrong(`${at} can't have ExpiredObjectDeleteMarker with a filter by tags`);
  }
}
