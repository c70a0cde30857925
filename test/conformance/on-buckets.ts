/** The suite of every driver, on buckets of a server. */
import type { StorageDriver } from "../../src/storage/driver.ts";
import type { Buckets, Versioning } from "../servers/buckets.ts";
import type { TestServer } from "../servers/test-server.ts";
import { scoped } from "./scoped.ts";
import { describeDriver } from "./suite.ts";

/** Three parts, the last one short. */
const LARGE_BYTES = 2 * 8 * 1024 ** 2 + 5;

/** Where a driver works. */
interface Place {
  readonly bucket: string;
  readonly prefix: string;
}

export type Open = (bucket: string) => Promise<StorageDriver>;

export interface BucketsUnderTest {
  readonly server: TestServer;
  readonly buckets: Buckets;
  /** In the one bucket that there is: all keys are under it. */
  readonly run: string;
}

/** `manyKeys`: how many the long listing has. */
export function describeBuckets(
  { server, buckets, run }: BucketsUnderTest,
  name: string,
  versioning: Versioning,
  manyKeys: number,
  openBucket: Open,
): void {
  const { onlyBucket } = server;
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
