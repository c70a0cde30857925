/**
 * Every sentence of src/storage/driver.ts, as a test. One suite for every driver, every wrapper and every real server:
 * where a store keeps a promise otherwise, its harness names the exception, and this suite says what holds instead.
 */
import { afterEach, beforeEach, describe } from "vitest";
import type { StorageDriver } from "../../src/storage/driver.ts";
import { checkPromises } from "./checks.ts";
import { deletePromises } from "./delete.ts";
import { goneForGoodPromises } from "./gone-for-good.ts";
import type { DriverHarness, Exceptions } from "./harness.ts";
import { inspectPromises } from "./inspect.ts";
import { largePromises } from "./large.ts";
import { lifecyclePromises } from "./lifecycle.ts";
import { listPromises } from "./list.ts";
import { manyPromises } from "./many.ts";
import { putPromises } from "./put.ts";
import { readPromises } from "./read.ts";
import { versionPromises } from "./versions.ts";

/** What the tests share. */
export interface Suite {
  /** This test's driver, over an empty store. */
  driver(): StorageDriver;
  /** Another driver over the same store. */
  reopened(): Promise<StorageDriver>;
  plant(key: string, bytes: Uint8Array): Promise<void>;
  readonly exceptions: Exceptions;
  readonly manyKeys: number;
  readonly largeBytes: number;
}

export function describeDriver(name: string, harness: DriverHarness): void {
  describe(`driver: ${name}`, () => {
    let opened: StorageDriver[] = [];

    beforeEach(async () => {
      opened = [await harness.makeDriver()];
    });

    afterEach(async () => {
      for (const driver of opened) await driver.close();
    });

    function driver(): StorageDriver {
      const [first] = opened;
      if (first === undefined) throw new Error("no driver: a test asked for it outside of a test");
      return first;
    }

    const suite: Suite = {
      driver,
      async reopened() {
        const other = await harness.reopen(driver());
        opened.push(other);
        return other;
      },
      plant: (key, bytes) => harness.plant(driver(), key, bytes),
      exceptions: harness.exceptions ?? {},
      manyKeys: harness.manyKeys ?? 1100,
      largeBytes: harness.largeBytes ?? 0,
    };

    describe("put", () => {
      putPromises(suite);
    });
    describe("head and get", () => {
      readPromises(suite);
    });
    describe("inspect", () => {
      inspectPromises(suite);
    });
    describe("list", () => {
      listPromises(suite);
    });
    describe("delete", () => {
      deletePromises(suite);
    });
    describe("versions", () => {
      if (suite.exceptions.keepsNothing === undefined) versionPromises(suite);
      else goneForGoodPromises(suite);
    });
    describe("lifecycle", () => {
      lifecyclePromises(suite);
    });
    describe("checks and archive", () => {
      checkPromises(suite);
    });
    if (suite.largeBytes > 0) {
      describe("large", () => {
        largePromises(suite);
      });
    }
    describe("many keys and everything else", () => {
      manyPromises(suite);
    });
  });
}
