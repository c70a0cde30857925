/** An undelete that may only copy, and whose replies are lost. */
import { afterEach, expect, test } from "vitest";
import type { StorageDriver } from "../../../../src/storage/driver.ts";
import type { S3Settings } from "../../../../src/storage/s3-settings.ts";
import { calm, collect, putText, readText } from "../../../conformance/bodies.ts";
import { startAsAws } from "../../../servers/as-aws.ts";
import { reply, resetAfterStoring } from "../../../servers/s3-double/faults.ts";
import type { S3Double } from "../../../servers/s3-double/server.ts";
import { KEY, double, driverOn, versionsOf } from "../support.ts";

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** `KEY` is deleted, and its marker stays. */
async function scene({ isAws }: { isAws: boolean }): Promise<{ s3: S3Double; driver: StorageDriver }> {
  const deny = [{ actions: ["s3:DeleteObjectVersion"] }];
  const s3 = await double({ users: [{ accessKeyId: "AKIAROLE", secretAccessKey: "s".repeat(20), deny }] });
  let settings: Partial<S3Settings> = { retryForSeconds: 1 };
  if (isAws) {
    const { endpoint, caFile, stop } = await startAsAws(s3.endpoint);
    open.push(stop);
    settings = { ...settings, endpoint, caFile };
  }
  const driver = await driverOn(s3, { settings });
  await putText(driver, KEY, "hello");
  await collect(driver.delete([KEY], { signal: calm }));
  return { s3, driver };
}

const copies = ({ requests }: S3Double): (string | number)[] =>
  requests.filter(({ operation }) => operation === "CopyObject").map(({ status, code }) => code ?? status);

test("AWS refuses the second attempt, for the first one has done it: it is back", async () => {
  const { s3, driver } = await scene({ isAws: true });
  s3.fault({ operation: "CopyObject", nth: 1 }, resetAfterStoring());
  expect(await collect(versionsOf(driver).undelete([KEY], { signal: calm }))).toEqual([{ key: KEY }]);
  expect(copies(s3)).toEqual([0, "PreconditionFailed"]);
  expect(await readText(driver, KEY)).toBe("hello");
  expect(s3.versions("b", KEY)).toHaveLength(3);
});

test("what the second attempt meets is another's: refused, and left alone", async () => {
  const { s3, driver } = await scene({ isAws: true });
  s3.fault({ operation: "CopyObject", nth: 1 }, reply({ status: 500, code: "InternalError" }));
  void s3.arrival({ operation: "CopyObject" }).then(() => s3.plant("b", KEY, "another's"));
  const [result] = await collect(versionsOf(driver).undelete([KEY], { signal: calm }));
  expect(result?.error?.code).toBe("exists");
  expect(s3.bytes("b", KEY)?.toString()).toBe("another's");
});

test("no reply at all, and it is back all the same", async () => {
  const { s3, driver } = await scene({ isAws: false });
  s3.fault({ operation: "CopyObject" }, resetAfterStoring());
  expect(await collect(versionsOf(driver).undelete([KEY], { signal: calm }))).toEqual([{ key: KEY }]);
  expect(await readText(driver, KEY)).toBe("hello");
});

test("no reply at all, and nothing was done: the failure is told", async () => {
  const { s3, driver } = await scene({ isAws: false });
  s3.fault({ operation: "CopyObject" }, reply({ status: 500, code: "InternalError" }));
  const [result] = await collect(versionsOf(driver).undelete([KEY], { signal: calm }));
  expect(result?.error?.code).toBe("network");
  expect(s3.keys("b")).toEqual([]);
});
