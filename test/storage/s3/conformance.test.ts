/**
 * The S3 driver on a server: buckets that keep versions, that never did, and that no longer do. `npm test` runs it on
 * the double, `npm run test:ceph`, `test:moto` and `test:aws` on others.
 */
import { randomUUID } from "node:crypto";
import { afterAll } from "vitest";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import { openDriver } from "../../../src/storage/open.ts";
import { openS3 } from "../../../src/storage/s3/driver.ts";
import { onTheTick } from "../../conformance/s3-harness.ts";
import { scoped } from "../../conformance/scoped.ts";
import { describeDriver } from "../../conformance/suite.ts";
import { startAsAws } from "../../servers/as-aws.ts";
import type { AsAws } from "../../servers/as-aws.ts";
import { openBuckets } from "../../servers/buckets.ts";
import type { Versioning } from "../../servers/buckets.ts";
import { settingsFor, startTestServer } from "../../servers/test-server.ts";

const server = await startTestServer();
const buckets = openBuckets(server);
const { onlyBucket } = server;
let aws: AsAws | null = null;

/** In the one bucket: all of this run is under it. */
const run = `tasks/taskflow-test-${randomUUID()}`;

afterAll(async () => {
  try {
    if (onlyBucket !== null) await buckets.clear(onlyBucket, `${run}/`);
  } finally {
    buckets.close();
    await aws?.stop();
    await server.stop();
  }
}, 120_000);

/** Three parts, the last one short. */
const LARGE_BYTES = 2 * 8 * 1024 ** 2 + 5;

/** Where a driver works. */
interface Place {
  readonly bucket: string;
  readonly prefix: string;
}

type Open = (bucket: string) => Promise<StorageDriver>;

function describeBuckets(name: string, versioning: Versioning, manyKeys: number, openBucket: Open): void {
  const places = new Map<StorageDriver, Place>();
  let count = 0;

  async function open(place: Place): Promise<StorageDriver> {
    const driver = await openBucket(place.bucket);
    const own = place.prefix === "" ? driver : scoped(driver, place.prefix);
    places.set(own, place);
    return own;
  }

  function placeOf(driver: StorageDriver): Place {
    const place = places.get(driver);
    if (place === undefined) throw new Error("a driver of another harness");
    return place;
  }

  describeDriver(`${server.name}, ${name}`, {
    makeDriver: async () =>
      await open(
        onlyBucket === null
          ? { bucket: await buckets.create(versioning), prefix: "" }
          : { bucket: onlyBucket, prefix: `${run}/${(count += 1)}/` },
      ),
    reopen: (driver) => open(placeOf(driver)),
    async plant(driver, key, bytes) {
      const { bucket, prefix } = placeOf(driver);
      await buckets.plant(bucket, prefix + key, bytes);
    },
    exceptions: server.exceptions(versioning),
    manyKeys,
    largeBytes: LARGE_BYTES,
  });
}

const settings = settingsFor(server);
const bare: Open = async (bucket) => onTheTick(await openS3(bucket, { s3: () => settings }));
const opened: Open = async (bucket) =>
  onTheTick(await openDriver({ kind: "s3", bucket }, { create: false, s3: () => settings }));
/** AWS is asked for more than others are: over TLS, under its name. */
const asAws: Open = async (bucket) => {
  aws ??= await startAsAws(server.endpoint ?? "");
  const { endpoint, caFile } = aws;
  return onTheTick(await openS3(bucket, { s3: () => ({ ...settings, endpoint, caFile }) }));
};

if (onlyBucket === null) {
  describeBuckets("versions kept", "Enabled", 1100, bare);
  describeBuckets("versions never kept", "Unversioned", 300, bare);
  describeBuckets("versions no longer kept", "Suspended", 300, bare);
  if (server.name === "double") {
    describeBuckets("as everybody opens it", "Enabled", 300, opened);
    describeBuckets("as AWS, over TLS", "Enabled", 300, asAws);
  }
} else {
  const versioning = await buckets.versioningOf(onlyBucket);
  describeBuckets(`${onlyBucket}, ${versioning}`, versioning, 1100, bare);
}
