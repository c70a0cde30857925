/** Lifecycle rules on servers that others wrote: `lifecycle status` reads them there, and says what then happens. */
import { PutBucketLifecycleConfigurationCommand } from "@aws-sdk/client-s3";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { openScene } from "./scene-support.ts";

const BIG = Buffer.alloc(200 * 1024, "b");

const { bucket, buckets, items, done, sandbox, server, task, attach } = await openScene();

async function put(name: string, ...options: string[]): Promise<string> {
  await writeFile(sandbox().path(name), BIG);
  const [item] = await items(["upload", task(), name, ...options]);
  return item?.key ?? "";
}

test("lifecycle status tells class, next step, end and archive, by the rules that the server keeps", async (context) => {
  if (server.onlyBucket !== null) context.skip("the rules of a bucket that isn't ours alone stay as they are");
  const rules: LifecycleRule[] = [
    {
      ID: "live",
      Status: "Enabled",
      Filter: { Prefix: `tasks/${task()}/` },
      Transitions: [
        { Days: 60, StorageClass: "GLACIER" },
        { Days: 30, StorageClass: "STANDARD_IA" },
      ],
    },
    {
      ID: "deleted",
      Status: "Enabled",
      Filter: { Prefix: "tasks/" },
      NoncurrentVersionExpiration: { NoncurrentDays: 10 },
    },
    { ID: "off", Status: "Disabled", Filter: { Prefix: "" }, Expiration: { Days: 1 } },
  ];
  await buckets.client.send(
    new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules: rules } }),
  );
  const keys = {
    plain: await put("plain.bin"),
    infrequent: await put("infrequent.bin", "--storage-class", "STANDARD_IA"),
    cold: await put("cold.bin", "--storage-class", "GLACIER"),
    gone: await put("gone.bin"),
  };
  await done(["delete", keys.gone]);
  const { stdout, stderr } = await done(["--json", "lifecycle", "status", task()]);
  const document = JSON.parse(stdout) as { items: { key: string }[]; rules: { id: string }[] };
  expect(new Set(document.rules.map(({ id }) => id))).toEqual(new Set(["live", "deleted", "off"]));
  const told = new Map(document.items.map((item) => [item.key, item]));
  expect(told.get(keys.plain)).toMatchObject({
    next: { action: "transition", to: "STANDARD_IA", rule: "live", pending: false },
    expires: null,
  });
  expect(told.get(keys.infrequent)).toMatchObject({ next: { to: "GLACIER", rule: "live" } });
  expect(told.get(keys.cold)).toMatchObject({ next: null, notMoved: { reason: "colder", rule: "live" } });
  expect(told.get(keys.cold)).toMatchObject({ archive: { state: "archived" } });
  expect(told.get(keys.gone)).toMatchObject({ purge: { rule: "deleted" }, next: { action: "purge" } });
  expect(stderr).toContain("rule off (disabled), for everything: live ones expire after 1 day");
  const whole = JSON.parse((await done(["--json", "lifecycle", "status"])).stdout) as { totals: unknown[] };
  expect(whole.totals).toEqual(
    expect.arrayContaining([
      {
        state: "live",
        storageClass: "GLACIER",
        count: 1,
        bytes: BIG.length,
        monthlyUsd: expect.any(Number) as number,
      },
    ]),
  );
  expect((await attach(["lifecycle", "apply"])).status).toBe(5);
});
