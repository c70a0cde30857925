/** What AWS alone is asked for, as it goes over the wire: to a double that verifies it, under a name of AWS, over TLS. */
import { afterEach, describe, expect, test } from "vitest";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import { bytesOf, putOptions } from "../../conformance/bodies.ts";
import { rejection } from "../../conformance/expect-code.ts";
import { startAsAws } from "../../servers/as-aws.ts";
import { flipSentByte } from "../../servers/s3-double/faults.ts";
import type { S3Double } from "../../servers/s3-double/server.ts";
import { KEY, MiB, asked, double, driverOn, fileOf } from "./support.ts";

const BYTES = bytesOf(17 * MiB);
const PARTS = ["UploadPart 200", "UploadPart 200", "UploadPart 200"];

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function scene(): Promise<{ s3: S3Double; driver: StorageDriver }> {
  const s3 = await double();
  const { endpoint, caFile, stop } = await startAsAws(s3.endpoint);
  open.push(stop);
  return { s3, driver: await driverOn(s3, { settings: { endpoint, caFile } }) };
}

test("parts are not signed: their CRC32 goes with them, and that of the whole at the end", async () => {
  const { s3, driver } = await scene();
  await driver.put(KEY, fileOf(BYTES), putOptions());
  expect(asked(s3)).toEqual(["CreateMultipartUpload 200", ...PARTS, "CompleteMultipartUpload 200"]);
  const parts = s3.requests.filter(({ operation }) => operation === "UploadPart");
  for (const { headers, bytesReceived } of parts) {
    expect(headers).toMatchObject({
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "x-amz-checksum-crc32": expect.stringMatching(/^[\w+/]{6}==$/) as unknown,
      "content-length": String(bytesReceived),
    });
  }
  expect(s3.requests.at(-1)?.headers).toMatchObject({
    "x-amz-checksum-type": "FULL_OBJECT",
    "x-amz-mp-object-size": String(BYTES.length),
    "if-none-match": "*",
  });
  expect(s3.bytes("b", KEY)?.equals(BYTES)).toBe(true);
});

test("a part that was hurt on its way is sent once more", async () => {
  const { s3, driver } = await scene();
  s3.fault({ operation: "UploadPart", nth: 2 }, flipSentByte(5 * MiB));
  await driver.put(KEY, fileOf(BYTES), putOptions());
  const parts = asked(s3).filter((one) => one.startsWith("UploadPart"));
  expect(parts.sort()).toEqual([...PARTS, "UploadPart BadDigest"]);
  expect(s3.bytes("b", KEY)?.equals(BYTES)).toBe(true);
});

describe.each([
  ["to AWS, which compares", scene],
  [
    "to others, before its last bytes go",
    async () => {
      const s3 = await double();
      return { s3, driver: await driverOn(s3) };
    },
  ],
])("%s", (_, place) => {
  test("a part that is not what was hashed is `changed`, and nothing stays", async () => {
    const { s3, driver } = await place();
    const file = fileOf(BYTES);
    await rejection(
      driver.put(
        KEY,
        {
          ...file,
          async readAt(buffer, position, length) {
            const count = (await file.readAt?.(buffer, position, length)) ?? 0;
            // In the middle of the second part: the hash pass saw another.
            const at = 12 * MiB - position;
            if (at >= 0 && at < length) buffer[at] = (buffer[at] ?? 0) ^ 1;
            return count;
          },
        },
        putOptions(),
      ),
      "changed",
    );
    expect(s3.versions("b")).toEqual([]);
    expect(s3.uploads("b")).toEqual([]);
  });
});
