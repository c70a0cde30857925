/**
 * The S3 driver on a server: buckets that keep versions, that never did, and that no longer do. `npm test` runs it on
 * the double, `npm run test:ceph`, `test:moto` and `test:aws` on others.
 */
import { randomUUID } from "node:crypto";
import { afterAll } from "vitest";
import { openDriver } from "../../../src/storage/open.ts";
import { openS3 } from "../../../src/storage/s3/driver.ts";
import { onTheTick } from "../../conformance/s3-harness.ts";
import { describeBuckets } from "../../conformance/on-buckets.ts";
import type { BucketsUnderTest, Open } from "../../conformance/on-buckets.ts";
import { openBuckets } from "../../servers/buckets.ts";
import { settingsFor, startTestServer } from "../../servers/test-server.ts";

const server = await startTestServer();
const buckets = openBuckets(server);
const { onlyBucket } = server;

/** In the one bucket: all of this run is under it. */
const run = `tasks/taskflow-test-${randomUUID()}`;

afterAll(async () => {
  try {
    if (onlyBucket !== null) await buckets.clear(onlyBucket, `${run}/`);
  } finally {
    buckets.close();
    await server.stop();
  }
}, 120_000);

const under: BucketsUnderTest = { server, buckets, run };
const settings = settingsFor(server);
const bare: Open = async (bucket) => onTheTick(await openS3(bucket, { s3: () => settings }));
const opened: Open = async (bucket) =>
  onTheTick(await openDriver({ kind: "s3", bucket }, { create: false, s3: () => settings }));
if (onlyBucket === null) {
  describeBuckets(under, "versions kept", "Enabled", 1100, bare);
  describeBuckets(under, "versions never kept", "Unversioned", 300, bare);
  describeBuckets(under, "versions no longer kept", "Suspended", 300, bare);
  if (server.name === "double") describeBuckets(under, "as everybody opens it", "Enabled", 300, opened);
} else {
  const versioning = await buckets.versioningOf(onlyBucket);
  describeBuckets(under, `${onlyBucket}, ${versioning}`, versioning, 1100, bare);
}
