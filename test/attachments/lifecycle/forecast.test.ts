/**
 * What rules will do, against values worked out by hand from the S3 User Guide: "Lifecycle configuration elements" (its
 * two printed examples of rounding), "Examples of S3 Lifecycle configuration", "How S3 handles conflicts",
 * "Transitioning objects" with its constraints, and the API reference for the minimum size.
 */
import { describe, expect, test } from "vitest";
import { abortOf, markerEnd } from "../../../src/attachments/lifecycle/forecast.ts";
import { planOf } from "../../../src/attachments/lifecycle/plan.ts";
import { DEFAULT_LIFECYCLE } from "../../../src/storage/lifecycle/rules.ts";
import type { LifecycleRule, RuleTransition } from "../../../src/storage/lifecycle/rules.ts";
import { ALL, MiB, forecastOf, hidden, inShort, live } from "./support.ts";
import type { Situation } from "./support.ts";

const on = (ID: string, rule: Partial<LifecycleRule>): LifecycleRule => ({ ...ALL, ID, ...rule });
const moves = (ID: string, ...Transitions: RuleTransition[]): LifecycleRule => on(ID, { Transitions });
const to = (StorageClass: string, Days: number): RuleTransition => ({ StorageClass, Days });
const toOn = (StorageClass: string, Date: string): RuleTransition => ({ StorageClass, Date });
const ends = (ID: string, Days: number): LifecycleRule => on(ID, { Expiration: { Days } });
const purges = (ID: string, NoncurrentDays: number, spare?: number): LifecycleRule =>
  on(ID, {
    NoncurrentVersionExpiration: {
      NoncurrentDays,
      ...(spare === undefined ? {} : { NewerNoncurrentVersions: spare }),
    },
  });
const TIERS = moves("tiers", to("STANDARD_IA", 30), to("GLACIER", 90));
const TAGGED = on("tagged", {
  Filter: { Tag: { Key: "kind", Value: "log" } },
  Transitions: [to("STANDARD_IA", 30)],
});
const BIG = on("big", { Filter: { ObjectSizeGreaterThan: 500 }, Transitions: [to("GLACIER", 1)] });
const RANGE = on("range", {
  Filter: { And: { Prefix: "tasks/", ObjectSizeGreaterThan: 500, ObjectSizeLessThan: 64_000 } },
  Expiration: { Days: 10 },
});
const JANUARY = "2014-01-15T10:30:00Z";

const CASES: readonly (readonly [name: string, situation: Situation, expected: string])[] = [
  // "Lifecycle configuration elements": 1/15/2014 10:30 and 3 days are 1/19/2014 00:00; the second example, of deleted
  // ones: 1/2/2014 11:30 and five days are 1/8/2014 00:00.
  [
    "the guide's example of a transition",
    { rules: [moves("r", to("GLACIER", 3))], version: live(JANUARY) },
    "transition GLACIER 2014-01-19 [r]",
  ],
  [
    "the guide's example of photo.gif, deleted by mistake",
    { rules: [purges("r", 5)], version: hidden("2014-01-02T11:30:00Z") },
    "purge 2014-01-08 [r], purge 2014-01-08 [r], stays: none",
  ],
  [
    "the guide's example of a noncurrent transition",
    {
      rules: [on("r", { NoncurrentVersionTransitions: [{ NoncurrentDays: 3, StorageClass: "GLACIER" }] })],
      version: hidden(JANUARY),
    },
    "transition GLACIER 2014-01-19 [r]",
  ],
  // Rounding.
  [
    "0 days: at midnight after creation",
    { rules: [moves("r", to("GLACIER", 0))], version: live(JANUARY) },
    "transition GLACIER 2014-01-16 [r]",
  ],
  [
    "a second before midnight",
    { rules: [ends("r", 1)], version: live("2014-01-15T23:59:59Z") },
    "expire 2014-01-17 [r], expires 2014-01-17 [r], stays: none",
  ],
  [
    "written at midnight: the next one",
    { rules: [ends("r", 1)], version: live("2014-01-15T00:00:00Z") },
    "expire 2014-01-17 [r], expires 2014-01-17 [r], stays: none",
  ],
  [
    "over a leap day",
    { rules: [moves("r", to("STANDARD_IA", 30))], version: live("2028-02-10T08:00:00Z") },
    "transition STANDARD_IA 2028-03-12 [r]",
  ],
  [
    "over the change to summer time: days are of 24 hours",
    { rules: [moves("r", to("STANDARD_IA", 30))], version: live("2026-03-15T23:30:00Z") },
    "transition STANDARD_IA 2026-04-15 [r]",
  ],
  // Dates.
  [
    "a date to come",
    { rules: [moves("r", toOn("GLACIER", "2015-06-01T00:00:00Z"))], version: live(JANUARY) },
    "transition GLACIER 2015-06-01 [r]",
  ],
  [
    "a date gone by is due at once for what comes after it",
    {
      rules: [moves("r", toOn("GLACIER", "2013-06-01T00:00:00Z"))],
      version: live("2014-01-15T00:00:00Z"),
      now: "2014-01-15T10:31:00Z",
    },
    "transition GLACIER 2014-01-15 [r] pending",
  ],
  [
    "a date doesn't shorten the 30 days before STANDARD_IA",
    { rules: [moves("r", toOn("STANDARD_IA", "2014-01-20T00:00:00Z"))], version: live(JANUARY) },
    "transition STANDARD_IA 2014-02-15 [r]",
  ],
  [
    "an expiry on a date",
    { rules: [on("r", { Expiration: { Date: "2014-03-01T00:00:00+00:00" } })], version: live(JANUARY) },
    "expire 2014-03-01 [r], expires 2014-03-01 [r], stays: none",
  ],
  // Several transitions, whatever order they come in.
  ["the first of several", { rules: [TIERS], version: live(JANUARY) }, "transition STANDARD_IA 2014-02-15 [tiers]"],
  [
    "the first of several that the server gives unsorted",
    { rules: [moves("r", to("GLACIER", 90), to("STANDARD_IA", 30))], version: live(JANUARY) },
    "transition STANDARD_IA 2014-02-15 [r]",
  ],
  [
    "the second, once the first is made",
    { rules: [TIERS], version: live(JANUARY, { storageClass: "STANDARD_IA" }) },
    "transition GLACIER 2014-04-16 [tiers]",
  ],
  [
    "due and not done is pending",
    { rules: [TIERS], version: live(JANUARY), now: "2014-02-15T00:00:00Z" },
    "transition STANDARD_IA 2014-02-15 [tiers] pending",
  ],
  [
    "a second before it is due",
    { rules: [TIERS], version: live(JANUARY), now: "2014-02-14T23:59:59Z" },
    "transition STANDARD_IA 2014-02-15 [tiers]",
  ],
  [
    "both due: the archive",
    { rules: [TIERS], version: live(JANUARY), now: "2014-05-01T00:00:00Z" },
    "transition GLACIER 2014-04-16 [tiers] pending",
  ],
  // Conflicts: the guide's four examples, and its rules for one day.
  [
    "conflicts, example 1: other prefixes don't conflict",
    {
      rules: [
        ends("Rule 1", 365),
        on("Rule 2", { Filter: { Prefix: "tasks/" }, Transitions: [to("STANDARD_IA", 30)] }),
      ],
      version: live(JANUARY),
    },
    "transition STANDARD_IA 2014-02-15 [Rule 2], expires 2015-01-16 [Rule 1]",
  ],
  [
    "conflicts, example 2: without versions the expiry wins",
    {
      rules: [ends("Rule 1", 365), moves("Rule 2", to("STANDARD_IA", 365))],
      version: live(JANUARY, { undoable: false }),
    },
    "expire 2015-01-16 [Rule 1], expires 2015-01-16 [Rule 1], stays: removed [Rule 1]",
  ],
  [
    "the same with versions: a transition comes before a delete marker",
    { rules: [ends("Rule 1", 365), moves("Rule 2", to("STANDARD_IA", 365))], version: live(JANUARY) },
    "transition STANDARD_IA 2015-01-16 [Rule 2], expires 2015-01-16 [Rule 1]",
  ],
  [
    "conflicts, example 3: of two to one class the earlier",
    {
      rules: [moves("Rule 2", to("STANDARD_IA", 365)), moves("Rule 1", to("STANDARD_IA", 10))],
      version: live(JANUARY),
    },
    "transition STANDARD_IA 2014-01-26 [Rule 1]",
  ],
  [
    "conflicts, example 4: expired before the transition",
    {
      rules: [
        on("Rule 1", { Filter: { Tag: { Key: "tag1", Value: "value1" } }, Transitions: [to("GLACIER", 365)] }),
        on("Rule 2", { Filter: { Tag: { Key: "tag2", Value: "value2" } }, Expiration: { Days: 14 } }),
      ],
      version: live(JANUARY),
      tags: { tag1: "value1", tag2: "value2" },
    },
    "expire 2014-01-30 [Rule 2], expires 2014-01-30 [Rule 2], stays: removed [Rule 2]",
  ],
  [
    "one day: GLACIER before STANDARD_IA",
    { rules: [moves("a", to("STANDARD_IA", 30)), moves("b", to("GLACIER", 30))], version: live(JANUARY) },
    "transition GLACIER 2014-02-15 [b]",
  ],
  [
    "one day: GLACIER before ONEZONE_IA",
    { rules: [moves("a", to("GLACIER", 30)), moves("b", to("ONEZONE_IA", 30))], version: live(JANUARY) },
    "transition GLACIER 2014-02-15 [a]",
  ],
  [
    "one day: INTELLIGENT_TIERING before all but the archives",
    {
      rules: [moves("a", to("GLACIER_IR", 30)), moves("b", to("INTELLIGENT_TIERING", 30))],
      version: live(JANUARY),
    },
    "transition INTELLIGENT_TIERING 2014-02-15 [b]",
  ],
  [
    "one day: an archive before INTELLIGENT_TIERING",
    {
      rules: [moves("a", to("INTELLIGENT_TIERING", 30)), moves("b", to("DEEP_ARCHIVE", 30))],
      version: live(JANUARY),
    },
    "transition DEEP_ARCHIVE 2014-02-15 [b]",
  ],
  [
    "of two expiries the shorter",
    { rules: [ends("long", 60), ends("short", 14)], version: live(JANUARY) },
    "expire 2014-01-30 [short], expires 2014-01-30 [short], stays: none",
  ],
  [
    "one day: a purge before a transition",
    {
      rules: [
        on("r", {
          NoncurrentVersionTransitions: [{ NoncurrentDays: 30, StorageClass: "GLACIER" }],
        }),
        purges("p", 30),
      ],
      version: hidden(JANUARY),
    },
    "purge 2014-02-15 [p], purge 2014-02-15 [p], stays: removed [p]",
  ],
  // No way back up.
  [
    "already there",
    { rules: [moves("r", to("STANDARD_IA", 30))], version: live(JANUARY, { storageClass: "STANDARD_IA" }) },
    "-, stays: colder [r]",
  ],
  [
    "GLACIER goes to DEEP_ARCHIVE only",
    {
      rules: [moves("r", to("GLACIER_IR", 10), to("DEEP_ARCHIVE", 180))],
      version: live(JANUARY, { storageClass: "GLACIER" }),
    },
    "transition DEEP_ARCHIVE 2014-07-15 [r]",
  ],
  [
    "nothing leads out of DEEP_ARCHIVE",
    { rules: [TIERS], version: live(JANUARY, { storageClass: "DEEP_ARCHIVE" }) },
    "-, stays: colder [tiers]",
  ],
  [
    "INTELLIGENT_TIERING doesn't go to STANDARD_IA",
    {
      rules: [moves("r", to("STANDARD_IA", 30))],
      version: live(JANUARY, { storageClass: "INTELLIGENT_TIERING" }),
    },
    "-, stays: colder [r]",
  ],
  [
    "ONEZONE_IA doesn't go to GLACIER_IR",
    { rules: [moves("r", to("GLACIER_IR", 30))], version: live(JANUARY, { storageClass: "ONEZONE_IA" }) },
    "-, stays: colder [r]",
  ],
  [
    "whether INTELLIGENT_TIERING goes to GLACIER_IR isn't documented",
    {
      rules: [moves("r", to("GLACIER_IR", 30))],
      version: live(JANUARY, { storageClass: "INTELLIGENT_TIERING" }),
    },
    "?, stays: unknown (storage class) [r]",
  ],
  [
    "STANDARD_IA goes to GLACIER_IR",
    { rules: [moves("r", to("GLACIER_IR", 30))], version: live(JANUARY, { storageClass: "STANDARD_IA" }) },
    "transition GLACIER_IR 2014-02-15 [r]",
  ],
  [
    "a class that S3 doesn't document",
    { rules: [moves("r", to("GLACIER", 30))], version: live(JANUARY, { storageClass: "FROZEN" }) },
    "?, stays: unknown (storage class) [r]",
  ],
  // Small ones.
  [
    "a byte less than 128 KiB stays",
    { rules: [TIERS], version: live(JANUARY, { size: 131_071 }) },
    "-, stays: size [tiers]",
  ],
  [
    "128 KiB moves",
    { rules: [TIERS], version: live(JANUARY, { size: 131_072 }) },
    "transition STANDARD_IA 2014-02-15 [tiers]",
  ],
  [
    "a small one goes to an archive where the limit varies by class",
    { rules: [TIERS], version: live(JANUARY, { size: 10 }), minimumSize: "varies_by_storage_class" },
    "transition GLACIER 2014-04-16 [tiers]",
  ],
  [
    "a rule that filters by size means it",
    { rules: [BIG], version: live(JANUARY, { size: 501 }) },
    "transition GLACIER 2014-01-17 [big]",
  ],
  [
    "a store without a limit",
    { rules: [TIERS], version: live(JANUARY, { size: 1 }), minimumSize: "none" },
    "transition STANDARD_IA 2014-02-15 [tiers]",
  ],
  [
    "a limit that isn't told matters for small ones",
    { rules: [moves("r", to("GLACIER", 90))], version: live(JANUARY, { size: 1 }), minimumSize: "unknown" },
    "?, stays: unknown (minimum size) [r]",
  ],
  [
    "a limit that isn't told doesn't matter where both forbid it",
    { rules: [moves("r", to("STANDARD_IA", 90))], version: live(JANUARY, { size: 1 }), minimumSize: "unknown" },
    "-, stays: size [r]",
  ],
  [
    "a small one expires all the same",
    { rules: [ends("r", 14)], version: live(JANUARY, { size: 0 }) },
    "expire 2014-01-30 [r], expires 2014-01-30 [r], stays: none",
  ],
  // Filters.
  ["larger means larger", { rules: [BIG], version: live(JANUARY, { size: 500 }) }, "-, stays: size [big]"],
  [
    "within a range of sizes",
    { rules: [RANGE], version: live(JANUARY, { size: 63_999 }) },
    "expire 2014-01-26 [range], expires 2014-01-26 [range], stays: none",
  ],
  ["smaller means smaller", { rules: [RANGE], version: live(JANUARY, { size: 64_000 }) }, "-, stays: none"],
  [
    "another prefix",
    {
      rules: [on("logs", { Filter: { Prefix: "logs/" }, Transitions: [to("STANDARD_IA", 30)] })],
      version: live(JANUARY),
    },
    "-, stays: filter [logs]",
  ],
  [
    "the older form of a prefix",
    {
      rules: [{ ID: "old", Status: "Enabled", Prefix: "tasks/T-1/", Transitions: [to("STANDARD_IA", 30)] }],
      version: live(JANUARY),
    },
    "transition STANDARD_IA 2014-02-15 [old]",
  ],
  [
    "a tag, and others besides",
    { rules: [TAGGED], version: live(JANUARY), tags: { kind: "log", more: "x" } },
    "transition STANDARD_IA 2014-02-15 [tagged]",
  ],
  [
    "a tag with another value",
    { rules: [TAGGED], version: live(JANUARY), tags: { kind: "logs" } },
    "-, stays: filter [tagged]",
  ],
  [
    "a prefix and two tags",
    {
      rules: [
        on("r", {
          Filter: {
            And: {
              Prefix: "tasks/",
              Tags: [
                { Key: "a", Value: "1" },
                { Key: "b", Value: "2" },
              ],
            },
          },
          Expiration: { Days: 1 },
        }),
      ],
      version: live(JANUARY),
      tags: { a: "1", b: "3" },
    },
    "-, stays: none",
  ],
  [
    "tags that were not read",
    { rules: [TAGGED], version: live(JANUARY), tags: null },
    "?, stays: unknown (tags) [tagged]",
  ],
  [
    "tags that were not read, where they don't matter",
    { rules: [TAGGED, moves("all", to("STANDARD_IA", 10))], version: live(JANUARY), tags: null },
    "transition STANDARD_IA 2014-01-26 [all]",
  ],
  [
    "tags that were not read, of another prefix",
    {
      rules: [
        on("r", {
          Filter: { And: { Prefix: "x/", Tags: [{ Key: "a", Value: "b" }] } },
          Transitions: [to("GLACIER", 1)],
        }),
      ],
      version: live(JANUARY),
      tags: null,
    },
    "-, stays: filter [r]",
  ],
  // Disabled, and none.
  [
    "a disabled rule",
    { rules: [{ ...TIERS, Status: "Disabled" }], version: live(JANUARY) },
    "-, stays: disabled [tiers]",
  ],
  ["no rules", { rules: [], version: live(JANUARY) }, "-, stays: none"],
  [
    "a rule without an id",
    { rules: [{ ...ALL, Expiration: { Days: 1 } }], version: live(JANUARY) },
    "expire 2014-01-17 [#1], expires 2014-01-17 [#1], stays: none",
  ],
  [
    "rules for deleted ones say nothing of a live one",
    { rules: [purges("p", 1)], version: live(JANUARY) },
    "-, stays: none",
  ],
  [
    "rules for live ones say nothing of a deleted one",
    { rules: [TIERS, ends("e", 1)], version: hidden(JANUARY) },
    "-, stays: none",
  ],
  // Versions that are spared.
  [
    "the newest five are kept",
    { rules: [purges("p", 30, 5)], version: hidden(JANUARY, { newer: 4 }) },
    "-, stays: none",
  ],
  [
    "the sixth is not",
    { rules: [purges("p", 30, 5)], version: hidden(JANUARY, { newer: 5 }) },
    "purge 2014-02-15 [p], purge 2014-02-15 [p], stays: none",
  ],
  [
    "a number of versions alone, as MinIO takes it",
    {
      rules: [on("p", { NoncurrentVersionExpiration: { NewerNoncurrentVersions: 2 } })],
      version: hidden(JANUARY, { newer: 2 }),
    },
    "purge 2014-01-16 [p], purge 2014-01-16 [p], stays: none",
  ],
  [
    "the newest one isn't moved",
    {
      rules: [
        on("r", {
          NoncurrentVersionTransitions: [{ NoncurrentDays: 30, StorageClass: "GLACIER", NewerNoncurrentVersions: 1 }],
        }),
      ],
      version: hidden(JANUARY),
    },
    "-, stays: newest [r]",
  ],
  // What it is taken for matters.
  [
    "whether versions are kept isn't known, and both fall on one day",
    {
      rules: [ends("e", 365), moves("m", to("STANDARD_IA", 365))],
      version: live(JANUARY, { undoable: null }),
    },
    "?, expires 2015-01-16 [e], stays: unknown (versioning)",
  ],
  [
    "whether versions are kept isn't known, and doesn't matter",
    { rules: [ends("e", 365), TIERS], version: live(JANUARY, { undoable: null }) },
    "transition STANDARD_IA 2014-02-15 [tiers], expires 2015-01-16 [e]",
  ],
  // The defaults.
  [
    "the defaults, a live one",
    { rules: DEFAULT_LIFECYCLE.Rules, version: live(JANUARY) },
    "transition STANDARD_IA 2014-02-15 [live-attachments]",
  ],
  [
    "the defaults: no archive for a live one",
    { rules: DEFAULT_LIFECYCLE.Rules, version: live(JANUARY, { storageClass: "STANDARD_IA" }) },
    "-, stays: colder [live-attachments]",
  ],
  [
    "the defaults, a deleted one",
    { rules: DEFAULT_LIFECYCLE.Rules, version: hidden(JANUARY, { storageClass: "STANDARD_IA" }) },
    "transition GLACIER 2014-04-16 [deleted-attachments], purge 2015-01-16 [deleted-attachments]",
  ],
];

describe("what happens to a version", () => {
  test.each(CASES)("%s", (_, situation, expected) => {
    expect(inShort(forecastOf(situation))).toBe(expected);
  });

  test("the order of rules and transitions changes nothing", () => {
    for (const [name, situation, expected] of CASES) {
      const rules = situation.rules
        .map((rule, n) => ({ ...rule, ID: rule.ID ?? `#${n + 1}` }))
        .map((rule) =>
          rule.Transitions === undefined ? rule : { ...rule, Transitions: rule.Transitions.toReversed() },
        )
        .toReversed();
      expect([name, inShort(forecastOf({ ...situation, rules }))]).toEqual([name, expected]);
    }
  });
});

describe("unfinished uploads and delete markers", () => {
  const plan = planOf({ rules: DEFAULT_LIFECYCLE.Rules, minimumSize: "none" });
  const upload = { key: "tasks/T-1/a", uploadId: "u", startedAt: new Date(JANUARY), size: 5 * MiB };
  const marker = { state: "marker", key: "tasks/T-1/a", modifiedAt: new Date(JANUARY) } as const;

  test("an upload is aborted after its days, rounded as all days are", () => {
    expect(abortOf(plan, upload)).toEqual({ date: new Date("2014-01-23T00:00:00Z"), rule: "leftovers" });
  });

  test("of several rules the first aborts it; one for other keys, or a disabled one, doesn't", () => {
    const abort = (days: number): LifecycleRule =>
      on(`after ${days}`, { AbortIncompleteMultipartUpload: { DaysAfterInitiation: days } });
    const rules = [
      abort(9),
      abort(3),
      { ...abort(1), Filter: { Prefix: "logs/" } },
      { ...abort(2), Status: "Disabled" as const },
    ];
    expect(abortOf(planOf({ rules, minimumSize: "none" }), upload)?.rule).toBe("after 3");
    expect(abortOf(planOf({ rules: [], minimumSize: "none" }), upload)).toBeNull();
  });

  test("a marker with nothing behind it goes as soon as there is such a rule", () => {
    expect(markerEnd(plan, marker)).toEqual({ date: new Date(JANUARY), rule: "leftovers" });
  });

  test("an expiry clears markers away at its age, but not by tags or in other places", () => {
    const end = (rule: LifecycleRule) => markerEnd(planOf({ rules: [rule], minimumSize: "none" }), marker);
    expect(end(ends("e", 60))).toEqual({ date: new Date("2014-03-17T00:00:00Z"), rule: "e" });
    expect(end({ ...ends("e", 60), Filter: { Tag: { Key: "a", Value: "b" } } })).toBeNull();
    expect(end({ ...ends("e", 60), Filter: { Prefix: "logs/" } })).toBeNull();
    expect(end(purges("p", 30))).toBeNull();
  });
});
