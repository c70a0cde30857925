/** The S3 driver over the suite's own S3: bare, wrapped, and on a bucket without versions. */
import { afterAll } from "vitest";
import { checked } from "../../src/storage/checked.ts";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { limit } from "../../src/storage/limit.ts";
import { startS3Double } from "../servers/s3-double/server.ts";
import type { S3Double } from "../servers/s3-double/server.ts";
import { onTheTick, openOn } from "./s3-harness.ts";
import { describeDriver } from "./suite.ts";

const doubles: S3Double[] = [];

afterAll(async () => {
  for (const double of doubles) await double.close();
});

function describeDouble(
  name: string,
  versioning: "Enabled" | "Unversioned",
  wrap: (driver: StorageDriver) => StorageDriver,
): void {
  const homes = new WeakMap<StorageDriver, S3Double>();
  const doubleOf = (driver: StorageDriver): S3Double => {
    const double = homes.get(driver);
    if (double === undefined) throw new Error("a driver of another test");
    return double;
  };
  async function open(double: S3Double): Promise<StorageDriver> {
    const driver = wrap(onTheTick(await openOn(double, "b")));
    homes.set(driver, double);
    return driver;
  }
  describeDriver(name, {
    async makeDriver() {
      const double = await startS3Double({ buckets: { b: { versioning } }, limits: { listPage: 100 } });
      doubles.push(double);
      return await open(double);
    },
    reopen: (driver) => open(doubleOf(driver)),
    plant: (driver, key, bytes) => Promise.resolve(void doubleOf(driver).plant("b", key, bytes)),
    manyKeys: 250,
    exceptions: {
      bothDeletesMayWin: "S3 answers the same for a key that never was",
      bothUndeletesMayWin: "removing a marker that is gone is no error",
    },
  });
}

describeDouble("S3 double", "Enabled", (driver) => driver);
describeDouble("S3 double, opened", "Enabled", (driver) => checked(limit(driver)));
describeDouble("S3 double without versions", "Unversioned", ({ versions: _, ...driver }) => driver);
