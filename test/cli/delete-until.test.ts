/** Until when `delete` says that it can be undone: what the store's lifecycle rules make of a deleted one. */
import { PutBucketLifecycleConfigurationCommand, S3Client } from "@aws-sdk/client-s3";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { reply, silent } from "../servers/s3-double/faults.ts";
import { dueOf, writeRules } from "./lifecycle-support.ts";
import { BUCKET, askedOf, createS3World } from "./s3-support.ts";
import { createWorld, itemsOf } from "./support.ts";
import type { World } from "./support.ts";

type Rule = Omit<LifecycleRule, "ID" | "Status">;

const after = (days: number, more: Partial<Rule> = {}): Rule => ({
  Filter: { Prefix: "" },
  NoncurrentVersionExpiration: { NoncurrentDays: days },
  ...more,
});

const named = (rules: readonly Rule[]): LifecycleRule[] =>
  rules.map((rule, index) => ({ ID: `rule ${index}`, Status: "Enabled", ...rule }));

async function onFolder(...rules: Rule[]): Promise<World> {
  const world = await createWorld();
  await world.attach("T-1", "small", "x");
  await world.attach("T-1", "large", "x".repeat(2000));
  await writeRules(world, JSON.stringify({ Rules: named(rules) }));
  return world;
}

/** Who deletes may do all but what is denied. */
async function onBucket(rules: Rule[], denied: readonly string[] = []): ReturnType<typeof createS3World> {
  const owner = { accessKeyId: "AKIAS3DOUBLE00000001", secretAccessKey: "not-a-secret/only+the-double-knows-it" };
  const deny = denied.length === 0 ? [] : [{ actions: denied }];
  const asker = { accessKeyId: "AKIAS3DOUBLE00000003", secretAccessKey: "one/who+may-not-do-everything", deny };
  const world = await createS3World({ users: [owner, asker] });
  world.s3.plant(BUCKET, "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_a", "x");
  const { endpoint, region, credentials } = world.s3;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const LifecycleConfiguration = { Rules: named(rules) };
  if (rules.length > 0) {
    await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket: BUCKET, LifecycleConfiguration }));
  }
  client.destroy();
  world.s3.clear();
  const env = { AWS_ACCESS_KEY_ID: asker.accessKeyId, AWS_SECRET_ACCESS_KEY: asker.secretAccessKey };
  return {
    ...world,
    run: (argv, options) => world.run(argv, { ...options, env }),
    json: (argv, options) => world.json(argv, { ...options, env }),
  };
}

/** As the line has it: the day, local. */
function local(iso: string): string {
  const date = new Date(iso);
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `until` of each item by its name, absent as `undefined`. */
async function untilOf(world: World): Promise<Record<string, unknown>> {
  const { document, status } = await world.json(["attach", "delete", "T-1", "--all"]);
  expect(status).toBe(0);
  return Object.fromEntries(itemsOf(document).map(({ name, undo }) => [name, (undo as { until?: unknown }).until]));
}

async function told(world: World): Promise<string | undefined> {
  const { stderr, status } = await world.run(["attach", "delete", "T-1", "--all"]);
  expect(status).toBe(0);
  return /^undo, (.*): taskflow attach undelete /m.exec(stderr)?.[1];
}

describe("on a folder", () => {
  test("the rule that comes first for each, and the earliest of all on the line", async () => {
    const rules = [after(30), after(7, { Filter: { ObjectSizeGreaterThan: 1000 } })];
    expect(await untilOf(await onFolder(...rules))).toEqual({ small: dueOf(0, 30), large: dueOf(0, 7) });
    expect(await told(await onFolder(...rules))).toBe(`until ${local(dueOf(0, 7))}`);
  });

  test("a rule of S3's most days is as good as never; more of them is no rule", async () => {
    const world = await onFolder(after(2_147_483_647));
    expect((await world.run(["attach", "lifecycle", "status"])).status).toBe(0);
    expect(await untilOf(world)).toEqual({ small: "9999-12-31T00:00:00.000Z", large: "9999-12-31T00:00:00.000Z" });
    const wrong = await onFolder(after(2_147_483_648));
    const { status, stderr } = await wrong.run(["attach", "lifecycle", "status"]);
    expect({ status, stderr }).toEqual({ status: 5, stderr: expect.stringContaining("at most 2147483647") as string });
  });

  test("no rule destroys it: until it is purged", async () => {
    const keepsOne = after(1, { NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 1 } });
    const live: Rule = { Filter: { Prefix: "" }, Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }] };
    for (const rule of [keepsOne, live, after(1, { Filter: { Prefix: "tasks/T-2/" } })]) {
      expect(await untilOf(await onFolder(rule))).toEqual({ small: null, large: null });
      expect(await told(await onFolder(rule))).toBe("until it is purged");
    }
  });

  test("rules that can't be read: it is deleted all the same, its limit unknown", async () => {
    const world = await onFolder();
    await writeRules(world, "{");
    expect(await told(world)).toMatch(/^limit unknown \(.*lifecycle\.json is not JSON\)$/);
    expect((await world.run(["attach", "list"])).lines).toEqual([]);
  });
});

describe("on a bucket", () => {
  test("one question for the rules, however many are deleted", async () => {
    const world = await onBucket([after(365)]);
    for (let n = 2; n < 8; n += 1) {
      world.s3.plant(BUCKET, `tasks/T-1/0b9c6f0e-0000-4000-8000-00000000000${n}_b`, "x");
    }
    expect(await told(world)).toBe(`until ${local(dueOf(0, 365))}`);
    expect(askedOf(world).filter((operation) => operation === "GetBucketLifecycleConfiguration")).toHaveLength(1);
  });

  test("a bucket without rules: until it is purged", async () => {
    expect(await untilOf(await onBucket([]))).toEqual({ a: null });
  });

  test("a rule for tags, which were not read, may be or not be for it", async () => {
    const tagged = after(7, { Filter: { Tag: { Key: "keep", Value: "short" } } });
    expect(await untilOf(await onBucket([tagged]))).toEqual({ a: undefined });
    const reason = "limit unknown (a lifecycle rule looks at tags, see lifecycle status)";
    expect(await told(await onBucket([tagged]))).toBe(reason);
  });

  test("who may not read the rules deletes all the same", async () => {
    const world = await onBucket([after(7)], ["s3:GetLifecycleConfiguration"]);
    const reason = "limit unknown (the lifecycle rules may not be read)";
    expect(await told(world)).toBe(reason);
    expect(world.s3.keys(BUCKET)).toEqual([]);
  });

  test.each([[], ["--json"]])(
    "rules that don't come are waited for some seconds, not for ever: %s",
    async (...more) => {
      const world = await onBucket([after(7)]);
      world.s3.fault({ operation: "GetBucketLifecycleConfiguration" }, silent());
      const begun = performance.now();
      const { status, stdout, stderr } = await world.run(["attach", "delete", "T-1", "--all", ...more]);
      expect(performance.now() - begun).toBeLessThan(8000);
      expect(status).toBe(0);
      expect(stdout).toContain("tasks/T-1/");
      expect(stderr).toMatch(/^undo, limit unknown \(the lifecycle rules were not read\): taskflow attach undelete /m);
    },
  );

  test("the undo has all that was typed to reach the store", async () => {
    const world = await onBucket([]);
    const typed = ["--store", `s3://${BUCKET}`, "--endpoint", world.s3.endpoint, "--region", "us-east-1"];
    const { stderr } = await world.run(["attach", "delete", "T-1", "--all", ...typed]);
    const undo = /taskflow attach (undelete .*)$/m.exec(stderr)?.[1] ?? "";
    for (const word of typed) expect(undo.replaceAll("'", "")).toContain(word);
  });

  test("a purge that fails before anything is gone says nothing else, of each", async () => {
    const world = await onBucket([], ["s3:DeleteObject"]);
    world.s3.plant(BUCKET, "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000002_b", "x");
    const keys = world.s3.keys(BUCKET);
    const { status, stderr } = await world.run(["attach", "delete", "T-1", "--all", "--purge", "--yes"]);
    expect(status).toBe(4);
    expect(world.s3.keys(BUCKET)).toEqual(keys);
    for (const key of keys) expect(stderr).toContain(`error: cannot delete ${key}: Access Denied`);
    expect(stderr).not.toContain("it is deleted");
    expect(stderr).toContain("nothing was purged in ");
  });

  test("versioning that may not be read: said so before anything is deleted, and --yes answers", async () => {
    const world = await onBucket([], ["s3:GetBucketVersioning"]);
    const { status, stderr } = await world.run(["attach", "delete", "T-1", "--all"]);
    expect({ status, stderr }).toEqual({
      status: 9,
      stderr: expect.stringMatching(/Whether this can be undone isn't known: .*\(s3:GetBucketVersioning\)/) as string,
    });
    expect(world.s3.keys(BUCKET)).toHaveLength(1);
    expect((await world.run(["attach", "delete", "T-1", "--all", "--yes"])).status).toBe(0);
    expect(world.s3.keys(BUCKET)).toEqual([]);
  });

  test("a server that knows no rules has none", async () => {
    const world = await onBucket([after(7)]);
    world.s3.fault({ operation: "GetBucketLifecycleConfiguration" }, reply({ status: 501, code: "NotImplemented" }));
    expect(await told(world)).toBe("until it is purged");
    expect(world.s3.keys(BUCKET)).toEqual([]);
  });
});
