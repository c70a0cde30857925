/** A server in front of the store refuses before the body has come, reads on and keeps the connection. */
import { expect, test } from "vitest";
import { createPace } from "../../../../src/storage/pace.ts";
import { bytesOf, putOptions } from "../../../conformance/bodies.ts";
import { earlyReply } from "../../../servers/s3-double/faults.ts";
import { KEY, MiB, double, driverOn, fileOf } from "../support.ts";

const BUSY = earlyReply({ status: 503, code: "ServiceUnavailable" });
/** So slow that the first attempt would be under way still while the second one is. */
const PACE = createPace(8 * MiB);

test.each([
  ["UploadPart", 16 * MiB],
  ["PutObject", 8 * MiB],
])("%s that is refused early is given up, and sent again whole", async (operation, size) => {
  const s3 = await double();
  const driver = await driverOn(s3, { pace: PACE });
  s3.fault({ operation, nth: 1 }, BUSY);
  await driver.put(KEY, fileOf(bytesOf(size)), putOptions());
  expect(s3.bytes("b", KEY)?.equals(bytesOf(size))).toBe(true);
  const [first, ...others] = s3.requests.filter((request) => request.operation === operation);
  expect(first?.status).toBe(503);
  expect(first?.bytesReceived).toBeLessThan(8 * MiB);
  expect(others.map(({ connection }) => connection)).not.toContain(first?.connection);
  expect(s3.uploads("b")).toEqual([]);
});
