/** Which rules are taken and which are refused, as S3 does, and what is said of them. */
import { describe, expect, test } from "vitest";
import { checkLifecycle } from "../../src/storage/lifecycle/check.ts";
import { DEFAULT_LIFECYCLE } from "../../src/storage/lifecycle/rules.ts";
import { Wrong } from "../../src/storage/lifecycle/shape.ts";

const BASE = { Status: "Enabled", Filter: {} };
const IA = { Days: 30, StorageClass: "STANDARD_IA" };

function refusalOf(value: unknown): string | null {
  const result = checkLifecycle(value);
  return result instanceof Wrong ? result.message : null;
}

describe("taken", () => {
  const TAKEN: readonly (readonly [name: string, rule: object])[] = [
    [
      "days and an end",
      { ...BASE, Transitions: [IA, { Days: 60, StorageClass: "GLACIER" }], Expiration: { Days: 61 } },
    ],
    ["an archive at once", { ...BASE, Transitions: [{ Days: 0, StorageClass: "DEEP_ARCHIVE" }] }],
    ["dates", { ...BASE, Transitions: [{ Date: "2026-01-01T00:00:00Z", StorageClass: "GLACIER" }] }],
    ["a date as the AWS CLI prints it", { ...BASE, Expiration: { Date: "2026-01-01T00:00:00+00:00" } }],
    ["a date without a time", { ...BASE, Expiration: { Date: "2026-01-01" } }],
    ["the older prefix", { Status: "Disabled", Prefix: "", Expiration: { Days: 1 } }],
    ["a prefix", { ...BASE, Filter: { Prefix: "tasks/T-1/" }, Expiration: { Days: 1 } }],
    ["a tag", { ...BASE, Filter: { Tag: { Key: "a", Value: "" } }, Expiration: { Days: 1 } }],
    ["a size", { ...BASE, Filter: { ObjectSizeLessThan: 1 }, Expiration: { Days: 1 } }],
    [
      "all conditions",
      {
        ...BASE,
        Filter: {
          And: {
            Prefix: "a",
            Tags: [
              { Key: "a", Value: "b" },
              { Key: "b", Value: "b" },
            ],
            ObjectSizeGreaterThan: 0,
            ObjectSizeLessThan: 9,
          },
        },
        Expiration: { Days: 1 },
      },
    ],
    ["markers", { ...BASE, Expiration: { ExpiredObjectDeleteMarker: true } }],
    [
      "versions that are spared",
      { ...BASE, NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 100 } },
    ],
    ["unfinished uploads", { ...BASE, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }],
  ];

  test.each(TAKEN)("%s", (_, rule) => {
    expect(refusalOf({ Rules: [rule] })).toBeNull();
  });

  test("the defaults, no rules at all, and as many as S3 takes", () => {
    expect(refusalOf(DEFAULT_LIFECYCLE)).toBeNull();
    expect(refusalOf({ Rules: [] })).toBeNull();
    const rules = Array.from({ length: 1000 }, (_, n) => ({ ...BASE, ID: `${n}`, Expiration: { Days: 1 } }));
    expect(refusalOf({ Rules: rules, TransitionDefaultMinimumObjectSize: "varies_by_storage_class" })).toBeNull();
  });
});

describe("refused, with the place and the reason", () => {
  const rule = (more: object): object => ({ Rules: [{ ...BASE, ...more }] });
  const END = { Expiration: { Days: 5 } };
  const REFUSED: readonly (readonly [why: RegExp, value: unknown])[] = [
    [/^the configuration is not an object: null$/, null],
    [/^Rules is missing$/, {}],
    [/^Rules is not a list: \{\}$/, { Rules: {} }],
    [/^the configuration has "rules", which S3 doesn't know/, { Rules: [], rules: [] }],
    [/^TransitionDefaultMinimumObjectSize is not one of all_/, { Rules: [], TransitionDefaultMinimumObjectSize: "1K" }],
    [/^Rules has 1001 entries, at most 1000/, { Rules: Array.from({ length: 1001 }, () => ({})) }],
    [/^Rules\[0\] is not an object: 1$/, { Rules: [1] }],
    [/^Rules\[0\]\.Status is missing$/, { Rules: [{ Filter: {}, ...END }] }],
    [/^Rules\[0\]\.Status is not one of Enabled, Disabled: "enabled"$/, rule({ Status: "enabled", ...END })],
    [/^Rules\[0\] has "Expire", which S3 doesn't know/, rule({ Expire: {} })],
    [/^Rules\[0\] has "Transition", which S3 doesn't know/, rule({ Transition: IA })],
    [/^Rules\[0\]\.ID is longer than 255/, rule({ ID: "x".repeat(256), ...END })],
    [
      /^Rules\[1\]\.ID "a" is another rule's too$/,
      {
        Rules: [
          { ...BASE, ID: "a", ...END },
          { ...BASE, ID: "a", ...END },
        ],
      },
    ],
    [/^Rules\[0\] does nothing: it needs one of Expiration, /, rule({})],
    [/^Rules\[0\] needs a Filter or a Prefix, and not both/, { Rules: [{ Status: "Enabled", ...END }] }],
    [/^Rules\[0\] needs a Filter or a Prefix, and not both/, rule({ Prefix: "", ...END })],
    [/^Rules\[0\]\.Filter has Prefix and Tag: several/, rule({ Filter: { Prefix: "", Tag: {} }, ...END })],
    [/^Rules\[0\]\.Filter has "Tags"/, rule({ Filter: { Tags: [] }, ...END })],
    [/^Rules\[0\]\.Filter\.Tag\.Value is missing$/, rule({ Filter: { Tag: { Key: "a" } }, ...END })],
    [/^Rules\[0\]\.Filter\.Tag\.Key is empty$/, rule({ Filter: { Tag: { Key: "", Value: "" } }, ...END })],
    [
      /^Rules\[0\]\.Filter\.And\.Tags has the key "a" twice$/,
      rule({
        Filter: {
          And: {
            Tags: [
              { Key: "a", Value: "1" },
              { Key: "a", Value: "2" },
            ],
          },
        },
        ...END,
      }),
    ],
    [
      /^Rules\[0\]\.Filter\.And is for no size/,
      rule({ Filter: { And: { ObjectSizeGreaterThan: 5, ObjectSizeLessThan: 5 } }, ...END }),
    ],
    [/ObjectSizeGreaterThan is -1, at least 0/, rule({ Filter: { ObjectSizeGreaterThan: -1 }, ...END })],
    [/ObjectSizeLessThan is not a whole number: "1K"/, rule({ Filter: { ObjectSizeLessThan: "1K" }, ...END })],
    [/^Rules\[0\]\.Expiration\.Days is 0, at least 1/, rule({ Expiration: { Days: 0 } })],
    [/Expiration\.Days is not a whole number: 1\.5/, rule({ Expiration: { Days: 1.5 } })],
    [/Expiration\.Days is not a whole number: null/, rule({ Expiration: { Days: null } })],
    [/Expiration needs Days or Date or Expired/, rule({ Expiration: {} })],
    [/Expiration has both Days and Date$/, rule({ Expiration: { Days: 1, Date: "2026-01-01" } })],
    [
      /Expiration has both Days and ExpiredObjectDeleteMarker$/,
      rule({ Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } }),
    ],
    [
      /ExpiredObjectDeleteMarker is neither true nor false/,
      rule({ Expiration: { ExpiredObjectDeleteMarker: "true" } }),
    ],
    [/Expiration\.Date is not at midnight UTC/, rule({ Expiration: { Date: "2026-01-01T10:00:00Z" } })],
    [/Expiration\.Date is not an ISO 8601 date: "soon"/, rule({ Expiration: { Date: "soon" } })],
    [/Transitions\[0\]\.StorageClass is missing/, rule({ Transitions: [{ Days: 30 }] })],
    [/StorageClass is not one of STANDARD_IA, /, rule({ Transitions: [{ Days: 30, StorageClass: "STANDARD" }] })],
    [/Transitions\[0\] needs Days or Date/, rule({ Transitions: [{ StorageClass: "GLACIER" }] })],
    [/Transitions\[0\]\.Days is 29, at least 30/, rule({ Transitions: [{ Days: 29, StorageClass: "ONEZONE_IA" }] })],
    [/Transitions moves to STANDARD_IA twice/, rule({ Transitions: [IA, { ...IA, Days: 60 }] })],
    [
      /Transitions moves to GLACIER after 59 days: S3 wants 30 days between STANDARD_IA and it/,
      rule({ Transitions: [{ Days: 59, StorageClass: "GLACIER" }, IA] }),
    ],
    [/has both days and dates/, rule({ Transitions: [IA, { Date: "2030-01-01", StorageClass: "GLACIER" }] })],
    [/has both days and dates/, rule({ Transitions: [IA], Expiration: { Date: "2030-01-01" } })],
    [
      /Expiration\.Days is 30, and the last transition is after 30/,
      rule({ Transitions: [IA], Expiration: { Days: 30 } }),
    ],
    [
      /NoncurrentVersionTransitions\[0\]\.NoncurrentDays is 29, at least 30/,
      rule({ NoncurrentVersionTransitions: [{ NoncurrentDays: 29, StorageClass: "STANDARD_IA" }] }),
    ],
    [
      /NoncurrentVersionTransitions\[0\] has "Days"/,
      rule({ NoncurrentVersionTransitions: [{ Days: 29, StorageClass: "GLACIER" }] }),
    ],
    [
      /NoncurrentVersionExpiration\.NoncurrentDays is 40, and the last transition is after 40/,
      rule({
        NoncurrentVersionTransitions: [{ NoncurrentDays: 40, StorageClass: "GLACIER" }],
        NoncurrentVersionExpiration: { NoncurrentDays: 40 },
      }),
    ],
    [
      /NoncurrentVersionExpiration\.NoncurrentDays is missing/,
      rule({ NoncurrentVersionExpiration: { NewerNoncurrentVersions: 1 } }),
    ],
    [
      /NewerNoncurrentVersions is 101, at most 100/,
      rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 101 } }),
    ],
    [
      /has NewerNoncurrentVersions, which needs a Filter/,
      {
        Rules: [
          {
            Status: "Enabled",
            Prefix: "",
            NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 1 },
          },
        ],
      },
    ],
    [/DaysAfterInitiation is 0, at least 1/, rule({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 0 } })],
    [
      /can't have AbortIncompleteMultipartUpload with a filter by tags/,
      rule({
        Filter: { Tag: { Key: "a", Value: "b" } },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      }),
    ],
    [
      /can't have AbortIncompleteMultipartUpload with a filter by size/,
      rule({ Filter: { ObjectSizeLessThan: 5 }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
    ],
    [
      /can't have ExpiredObjectDeleteMarker with a filter by tags/,
      rule({
        Filter: { And: { Tags: [{ Key: "a", Value: "b" }] } },
        Expiration: { ExpiredObjectDeleteMarker: true },
      }),
    ],
  ];

  test.each(REFUSED)("%s", (why, value) => {
    expect(refusalOf(value)).toMatch(why);
  });
});
