/** `lifecycle status` on a bucket: what it reads, in how many requests, and what it says where it may not read. */
import {
  CreateMultipartUploadCommand,
  PutBucketLifecycleConfigurationCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { LifecycleRule, TransitionDefaultMinimumObjectSize } from "@aws-sdk/client-s3";
import { afterEach, describe, expect, test } from "vitest";
import type { Rule } from "../servers/s3-double/permissions.ts";
import { html } from "../servers/s3-double/faults.ts";
import { daysAgo, dueOf } from "./lifecycle-support.ts";
import { BUCKET, askedOf, createS3World } from "./s3-support.ts";
import type { S3World } from "./s3-support.ts";
import { firstOf, itemsOf } from "./support.ts";
import type { Item } from "./support.ts";

const BIG = Buffer.alloc(200 * 1024);
const KEYS = {
  big: "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000001_big.bin",
  cold: "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000002_cold.bin",
  gone: "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000003_gone.bin",
  marker: "tasks/T-1/0b9c6f0e-0000-4000-8000-000000000004_marker.bin",
  twice: "tasks/T-2/0b9c6f0e-0000-4000-8000-000000000005_twice.bin",
} as const;

const RULES: LifecycleRule[] = [
  {
    ID: "live",
    Status: "Enabled",
    Filter: { Prefix: "" },
    // As some servers give them: the later one first.
    Transitions: [
      { Days: 90, StorageClass: "GLACIER" },
      { Days: 30, StorageClass: "STANDARD_IA" },
    ],
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
  },
  {
    ID: "deleted",
    Status: "Enabled",
    Filter: { Prefix: "" },
    Expiration: { ExpiredObjectDeleteMarker: true },
    NoncurrentVersionExpiration: { NoncurrentDays: 365 },
  },
];

const clients: S3Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

function clientOf({ s3 }: S3World): S3Client {
  const { endpoint, region, credentials } = s3;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  clients.push(client);
  return client;
}

async function putRules(
  world: S3World,
  rules: LifecycleRule[],
  minimum?: TransitionDefaultMinimumObjectSize,
): Promise<void> {
  await clientOf(world).send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket: BUCKET,
      LifecycleConfiguration: { Rules: rules },
      ...(minimum === undefined ? {} : { TransitionDefaultMinimumObjectSize: minimum }),
    }),
  );
}

/** A live one, one in the archive, a deleted one, a lone marker, one that was replaced, an upload of 5 days ago. */
async function prepared(deny: readonly Rule[] = []): Promise<S3World> {
  const owner = { accessKeyId: "AKIAS3DOUBLE00000001", secretAccessKey: "not-a-secret/only+the-double-knows-it" };
  // The owner prepares; who asks is another.
  const asker = { accessKeyId: "AKIAS3DOUBLE00000003", secretAccessKey: "one/who+may-not-do-everything", deny };
  const world = await createS3World({ users: [owner, asker] });
  const { s3 } = world;
  s3.plant(BUCKET, KEYS.big, BIG, { modifiedAt: daysAgo(10) });
  s3.plant(BUCKET, KEYS.cold, BIG, { modifiedAt: daysAgo(200), storageClass: "GLACIER" });
  s3.plant(BUCKET, KEYS.gone, BIG, { modifiedAt: daysAgo(300) });
  s3.plant(BUCKET, KEYS.twice, "old", { modifiedAt: daysAgo(9) });
  s3.plant(BUCKET, KEYS.twice, "new", { modifiedAt: daysAgo(8) });
  at(s3, 100, () => {
    s3.delete(BUCKET, KEYS.gone);
    s3.delete(BUCKET, KEYS.marker);
  });
  await putRules(world, RULES);
  const client = clientOf(world);
  const target = { Bucket: BUCKET, Key: "tasks/T-1/unfinished.bin" };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: Buffer.alloc(3000) }));
  const keys = { AWS_ACCESS_KEY_ID: asker.accessKeyId, AWS_SECRET_ACCESS_KEY: asker.secretAccessKey };
  s3.clear();
  return {
    ...world,
    run: (argv, options) => world.run(argv, { ...options, env: keys }),
    json: (argv, options) => world.json(argv, { ...options, env: keys }),
  };
}

/** As if it were so many days ago, at noon. */
function at(s3: S3World["s3"], days: number, act: () => void): void {
  const shift = daysAgo(days).getTime() - s3.now().getTime();
  s3.shiftClock(shift);
  act();
  s3.shiftClock(-shift);
}

const status = (...words: string[]): string[] => ["attach", "lifecycle", "status", ...words];

async function itemOf(world: S3World, key: string): Promise<Item> {
  return firstOf((await world.json(status(key))).document);
}

describe("lifecycle status of a task in a bucket", () => {
  test("says what happens to each, as on a folder", async () => {
    const world = await prepared();
    const { document } = await world.json(status("T-1"));
    expect(itemsOf(document)).toMatchObject([
      {
        key: KEYS.big,
        next: { action: "transition", to: "STANDARD_IA", date: dueOf(10, 30), rule: "live", pending: false },
        expires: null,
        archive: null,
      },
      {
        key: KEYS.cold,
        storageClass: "GLACIER",
        next: null,
        archive: { state: "archived", until: null },
        notMoved: { reason: "colder", rule: "live" },
      },
      {
        key: KEYS.gone,
        deleted: true,
        next: { action: "purge", date: dueOf(100, 365), rule: "deleted" },
        purge: { date: dueOf(100, 365), rule: "deleted" },
        notMoved: { reason: "none" },
      },
    ]);
    expect(document["unfinished"]).toMatchObject([
      { key: "tasks/T-1/unfinished.bin", size: 3000, abort: { date: dueOf(0, 7), rule: "live" } },
    ]);
    expect(document["rules"][0].text).toBe(
      "live, for everything: live ones move to STANDARD_IA after 30 days, move to GLACIER after 90 days; " +
        "unfinished uploads are aborted after 7 days",
    );
  });

  test("a small one stays, but for a bucket that says otherwise", async () => {
    const world = await prepared();
    world.s3.plant(BUCKET, KEYS.big, "small", { modifiedAt: daysAgo(10) });
    expect(await itemOf(world, KEYS.big)).toMatchObject({ next: null, notMoved: { reason: "size" } });
    await putRules(world, RULES, "varies_by_storage_class");
    expect(await itemOf(world, KEYS.big)).toMatchObject({ next: { to: "GLACIER", date: dueOf(10, 90) } });
  });

  test("an object's tags are read where a rule asks for them, of just those that it may be for", async () => {
    const world = await prepared();
    world.s3.plant(BUCKET, "tasks/T-4/a.log", BIG, { modifiedAt: daysAgo(10), tags: { kind: "log" } });
    const Filter = { And: { Prefix: "tasks/T-4/", Tags: [{ Key: "kind", Value: "log" }] } };
    await putRules(world, [{ ID: "logs", Status: "Enabled", Filter, Expiration: { Days: 20 } }]);
    world.s3.clear();
    const { document } = await world.json(status("T-4"));
    expect(itemsOf(document)).toMatchObject([{ expires: { date: dueOf(10, 20), rule: "logs" } }]);
    await world.json(status("T-1"));
    expect(askedOf(world).filter((operation) => operation === "GetObjectTagging")).toHaveLength(1);
  });
});

describe("lifecycle status of a bucket", () => {
  test("totals by class with an estimate, what happens, what waits; no request for a single attachment", async () => {
    const world = await prepared();
    const { document } = await world.json(status("--within", "400d"));
    expect(document).toMatchObject({
      items: [],
      totals: [
        {
          state: "live",
          storageClass: "GLACIER",
          count: 1,
          bytes: BIG.length,
          monthlyUsd: expect.any(Number) as number,
        },
        { state: "live", storageClass: "STANDARD", count: 2, bytes: BIG.length + 3 },
        { state: "deleted", storageClass: "STANDARD", count: 1, bytes: BIG.length },
        { state: "older", storageClass: "STANDARD", count: 1, bytes: 3 },
      ],
      prices: { currency: "USD", region: "us-east-1" },
      waiting: { count: 2, bytes: BIG.length + 3 },
      upcoming: [
        { action: "clean", rule: "deleted", pending: true, count: 1 },
        { action: "transition", to: "STANDARD_IA", date: dueOf(10, 30), count: 1 },
        { action: "purge", rule: "deleted", date: dueOf(100, 365), count: 1 },
        { action: "purge", rule: "deleted", date: dueOf(8, 365), count: 1 },
      ],
    });
    expect(askedOf(world)).toEqual([
      "GetBucketLifecycleConfiguration",
      "GetBucketVersioning",
      "ListObjectVersions",
      "ListMultipartUploads",
      "ListParts",
    ]);
    const { stderr } = await world.run(status());
    expect(stderr).toMatch(/costs are estimates: storage alone, at us-east-1 list prices of \d{4}-\d\d/);
  });

  test("a gigabyte of each class, at the prices that are told", async () => {
    const world = await createS3World();
    const gib = 1024 ** 3;
    for (const [n, storageClass] of ["STANDARD", "STANDARD_IA", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"].entries()) {
      const key = `tasks/T-1/0b9c6f0e-0000-4000-8000-00000000000${n}_x`;
      const version = world.s3.plant(BUCKET, key, "", { storageClass });
      Object.assign(version, { size: 10 * gib });
    }
    const { document } = await world.json(status());
    const totals = document["totals"] as readonly { storageClass: string; monthlyUsd: number | null }[];
    expect(Object.fromEntries(totals.map(({ storageClass, monthlyUsd }) => [storageClass, monthlyUsd]))).toEqual({
      STANDARD: 0.23,
      STANDARD_IA: 0.125,
      GLACIER: 0.036,
      DEEP_ARCHIVE: 0.0099,
      GLACIER_IR: null,
    });
  });

  test("without versions an expiry is for good, and comes before a transition of that day", async () => {
    const world = await prepared();
    world.s3.setVersioning(BUCKET, "Suspended");
    world.s3.plant(BUCKET, "tasks/T-3/file.bin", BIG, { modifiedAt: daysAgo(10) });
    await putRules(world, [
      { ID: "move", Status: "Enabled", Filter: {}, Transitions: [{ Days: 60, StorageClass: "STANDARD_IA" }] },
      { ID: "end", Status: "Enabled", Filter: {}, Expiration: { Days: 60 } },
    ]);
    expect(await itemOf(world, "tasks/T-3/file.bin")).toMatchObject({ next: { action: "expire" } });
    // Written while versions were kept: a marker hides it, and nothing is lost.
    expect(await itemOf(world, KEYS.big)).toMatchObject({ next: { action: "transition" }, expires: { rule: "end" } });
  });

  test("a listing of several pages is read to its end", async () => {
    const world = await createS3World({ limits: { listPage: 2 } });
    for (let n = 0; n < 9; n += 1) world.s3.plant(BUCKET, `tasks/T-${n}/a.txt`, "x");
    const { document } = await world.json(status());
    expect(document["totals"]).toMatchObject([{ count: 9 }]);
    expect(askedOf(world).filter((operation) => operation === "ListObjectVersions")).toHaveLength(5);
  });

  test("a bucket without rules is said, and nothing lies ahead", async () => {
    const world = await createS3World();
    world.s3.plant(BUCKET, KEYS.big, BIG);
    const { stderr } = await world.run(status());
    expect(stderr).toContain("no lifecycle rules: nothing moves, and nothing is removed");
    expect((await world.json(status(KEYS.big))).document).toMatchObject({ rules: [] });
  });
});

describe("what may not be read is unknown, and no error", () => {
  const deny = (action: string): Rule[] => [{ actions: [action] }];

  test("the rules", async () => {
    const world = await prepared(deny("s3:GetLifecycleConfiguration"));
    const { document, status: exit, stderr } = await world.json(status("T-1"));
    expect([exit, document["rules"]]).toEqual([0, null]);
    const [big] = itemsOf(document);
    expect(big).toMatchObject({ key: KEYS.big, notMoved: { reason: "unknown", text: "unknown without the rules" } });
    for (const member of ["next", "expires", "purge"]) expect(big).not.toHaveProperty(member);
    expect(document["unfinished"][0]).not.toHaveProperty("abort");
    expect(stderr).toContain("the lifecycle rules may not be read (s3:GetLifecycleConfiguration)");
    const whole = await world.json(status());
    expect(whole).toMatchObject({ status: 0, document: { unknown: 5, upcoming: [] } });
  });

  test("versions: only live ones are counted", async () => {
    const world = await prepared(deny("s3:ListBucketVersions"));
    const { document, status: exit } = await world.json(status("T-1"));
    expect([exit, itemsOf(document).map(({ key }) => key)]).toEqual([0, [KEYS.big, KEYS.cold]]);
    expect(document["warnings"]).toEqual([expect.stringContaining("s3:ListBucketVersions") as string]);
  });

  test("whether versions are kept: only what depends on it", async () => {
    const world = await prepared(deny("s3:GetBucketVersioning"));
    expect(await itemOf(world, KEYS.big)).toMatchObject({ next: { to: "STANDARD_IA" } });
  });

  test("unfinished uploads, and their sizes", async () => {
    const uploads = await prepared(deny("s3:ListBucketMultipartUploads"));
    expect(await uploads.json(status("T-1"))).toMatchObject({ status: 0, document: { unfinished: null } });
    const parts = await prepared(deny("s3:ListMultipartUploadParts"));
    expect(await parts.json(status("T-1"))).toMatchObject({ status: 0, document: { unfinished: [{ size: null }] } });
  });

  test("tags, where a rule filters by them", async () => {
    const world = await prepared(deny("s3:GetObjectTagging"));
    const Filter = { Tag: { Key: "kind", Value: "log" } };
    await putRules(world, [{ ID: "logs", Status: "Enabled", Filter, Expiration: { Days: 20 } }]);
    const item = await itemOf(world, KEYS.big);
    expect(item).not.toHaveProperty("next");
    expect(item).not.toHaveProperty("expires");
  });

  test("the listing itself is an error", async () => {
    const world = await prepared(deny("s3:List*"));
    expect(await world.run(status())).toMatchObject({ status: 4, stdout: "" });
  });
});

test("a reply that is none of S3's is an error, not a bucket without rules", async () => {
  const world = await createS3World();
  world.s3.fault({ operation: "GetBucketLifecycleConfiguration" }, html());
  const { status: exit, stdout, stderr } = await world.run(status());
  expect([exit, stdout]).toEqual([6, ""]);
  expect(stderr).toContain("not S3");
});

test("lifecycle apply is not for a bucket, which does it by itself", async () => {
  const world = await prepared();
  for (const argv of [
    ["attach", "lifecycle", "apply"],
    ["attach", "lifecycle", "apply", "-n"],
  ]) {
    const { status: exit, stderr } = await world.run(argv);
    expect(exit).toBe(5);
    expect(stderr).toContain("does by itself what its lifecycle rules say");
  }
});
