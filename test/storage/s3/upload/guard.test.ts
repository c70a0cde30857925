/** A store that keeps versions and ignores `If-None-Match`, as RADOS Gateway does: what is written twice, and what was there. */
import { expect, test } from "vitest";
import type { StorageDriver } from "../../../../src/storage/driver.ts";
import { putText, readText } from "../../../conformance/bodies.ts";
import { rejection } from "../../../conformance/expect-code.ts";
import { reply, resetAfterStoring } from "../../../servers/s3-double/faults.ts";
import type { S3Double } from "../../../servers/s3-double/server.ts";
import { KEY, double, driverOn } from "../support.ts";

const DENIED = reply({ status: 403, code: "AccessDenied" });

async function scene(): Promise<{ s3: S3Double; driver: StorageDriver }> {
  const s3 = await double({ gateway: true });
  return { s3, driver: await driverOn(s3) };
}

/** The next put is stored, and its reply is lost. */
function loseReply(s3: S3Double): void {
  s3.fault({ operation: "PutObject", nth: 1 }, resetAfterStoring());
}

test("the retry of what was stored is a success, and one version stays", async () => {
  const { s3, driver } = await scene();
  loseReply(s3);
  await putText(driver, KEY, "hello");
  expect(s3.versions("b", KEY)).toHaveLength(1);
  expect(await readText(driver, KEY)).toBe("hello");
});

test.each(["HeadObject", "DeleteObjects"])("it is one too where %s is denied", async (operation) => {
  const { s3, driver } = await scene();
  loseReply(s3);
  s3.fault({ operation }, DENIED);
  await putText(driver, KEY, "hello");
  s3.clear();
  expect(await readText(driver, KEY)).toBe("hello");
});

test("what is stored is told so where versions may not be listed", async () => {
  const { s3, driver } = await scene();
  s3.fault({ operation: "ListObjectVersions" }, DENIED);
  await putText(driver, KEY, "hello");
  expect(await readText(driver, KEY)).toBe("hello");
});

test("another's is `exists`, with all that was written over it taken back", async () => {
  const { s3, driver } = await scene();
  s3.plant("b", KEY, "other");
  loseReply(s3);
  await rejection(putText(driver, KEY, "hello"), "exists");
  expect(s3.versions("b", KEY)).toHaveLength(1);
  expect(await readText(driver, KEY)).toBe("other");
});

test("what was deleted before is not replaced", async () => {
  const { s3, driver } = await scene();
  s3.plant("b", KEY, "other");
  s3.delete("b", KEY);
  await putText(driver, KEY, "hello");
  expect(await readText(driver, KEY)).toBe("hello");
});
