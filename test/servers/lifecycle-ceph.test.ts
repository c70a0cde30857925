/** Ceph does by itself what its rules say, and here a day lasts seconds: what is predicted happens, and nothing else. */
import { PutBucketLifecycleConfigurationCommand } from "@aws-sdk/client-s3";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorld, itemsOf } from "../cli/support.ts";
import type { Item, World } from "../cli/support.ts";
import { openBuckets } from "./buckets.ts";
import type { Buckets } from "./buckets.ts";
import { startGateway } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

/** Long enough to upload and predict before anything happens. */
const DAY_SECONDS = 8;
const LONGEST_WAIT_MS = 5 * DAY_SECONDS * 1000;
const BIG = Buffer.alloc(200 * 1024, "b");

let ceph: TestServer;
let buckets: Buckets;

beforeAll(async () => {
  ceph = await startGateway({ lifecycleDaySeconds: DAY_SECONDS });
  buckets = openBuckets(ceph);
});

afterAll(async () => {
  buckets.close();
  await ceph.stop();
});

const RULES: LifecycleRule[] = [
  { ID: "expire", Status: "Enabled", Filter: { Prefix: "tasks/T-1/" }, Expiration: { Days: 1 } },
  {
    ID: "logs",
    Status: "Enabled",
    Filter: { And: { Prefix: "tasks/T-2/", Tags: [{ Key: "kind", Value: "log" }] } },
    Expiration: { Days: 1 },
  },
  {
    ID: "purge",
    Status: "Enabled",
    Filter: { Prefix: "tasks/T-3/" },
    NoncurrentVersionExpiration: { NoncurrentDays: 1 },
  },
  {
    ID: "move",
    Status: "Enabled",
    Filter: { Prefix: "tasks/T-4/" },
    Transitions: [{ Days: 1, StorageClass: "STANDARD_IA" }],
  },
  { ID: "off", Status: "Disabled", Filter: { Prefix: "tasks/T-5/" }, Expiration: { Days: 1 } },
  { ID: "later", Status: "Enabled", Filter: { Prefix: "tasks/T-6/" }, Expiration: { Days: 300 } },
];

/** Each attachment as it is: live in a class, or deleted. */
async function stateOf(world: World): Promise<Record<string, string>> {
  const live = itemsOf((await world.json(["attach", "list"])).document);
  const deleted = itemsOf((await world.json(["attach", "list", "--deleted"])).document);
  return Object.fromEntries([
    ...live.map(({ key, storageClass }) => [key, String(storageClass)]),
    ...deleted.map(({ key }) => [key, "deleted"]),
  ]) as Record<string, string>;
}

interface Told extends Item {
  readonly next: {
    readonly action: string;
    readonly to: string | null;
    readonly rule: string;
    readonly date: string;
  } | null;
}

/** What the next step of each makes of it, where it is due within a day. */
function predicted(before: Readonly<Record<string, string>>, told: readonly Told[]): Record<string, string> {
  const soon = Date.now() + 2 * 86_400_000;
  const after = { ...before };
  for (const { key, next } of told) {
    if (next === null || Date.parse(next.date) > soon) continue;
    if (next.action === "transition") after[key] = next.to ?? "";
    else if (next.action === "expire") after[key] = "deleted";
    else delete after[key];
  }
  return after;
}

test("what status says for the coming day is what Ceph has done after it", { timeout: 90_000 }, async () => {
  const bucket = await buckets.create("Enabled");
  const { endpoint, region, owner } = ceph;
  const world = await createWorld({
    USE_S3: "true",
    AWS_S3_BUCKET: bucket,
    AWS_ENDPOINT_URL_S3: endpoint ?? undefined,
    AWS_REGION: region ?? undefined,
    AWS_ACCESS_KEY_ID: owner?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: owner?.secretAccessKey,
  });
  const keys = {
    expire: await world.attach("T-1", "a.bin", BIG),
    log: await world.attach("T-2", "b.log", BIG, "--tag", "kind=log"),
    other: await world.attach("T-2", "c.bin", BIG),
    purge: await world.attach("T-3", "d.bin", BIG),
    move: await world.attach("T-4", "e.bin", BIG),
    off: await world.attach("T-5", "f.bin", BIG),
    later: await world.attach("T-6", "g.bin", BIG),
  };
  await world.run(["attach", "delete", keys.purge]);
  await buckets.client.send(
    new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules: RULES } }),
  );
  const before = await stateOf(world);
  const told: Told[] = [];
  for (const task of ["T-1", "T-2", "T-3", "T-4", "T-5", "T-6"]) {
    told.push(...(itemsOf((await world.json(["attach", "lifecycle", "status", task])).document) as readonly Told[]));
  }
  expect(Object.fromEntries(told.map(({ key, next }) => [key, next && `${next.action} ${next.rule}`]))).toEqual({
    [keys.expire]: "expire expire",
    [keys.log]: "expire logs",
    [keys.other]: null,
    [keys.purge]: "purge purge",
    [keys.move]: "transition move",
    [keys.off]: null,
    [keys.later]: "expire later",
  });
  const expected = predicted(before, told);
  expect(expected).toEqual({
    [keys.expire]: "deleted",
    [keys.log]: "deleted",
    [keys.other]: "STANDARD",
    [keys.move]: "STANDARD_IA",
    [keys.off]: "STANDARD",
    [keys.later]: "STANDARD",
  });
  const begun = Date.now();
  let now = before;
  while (JSON.stringify(sorted(now)) !== JSON.stringify(sorted(expected)) && Date.now() - begun < LONGEST_WAIT_MS) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    now = await stateOf(world);
  }
  expect(sorted(now)).toEqual(sorted(expected));
});

function sorted(state: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
