import { GetObjectCommand, HeadObjectCommand, RestoreObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { restoredUntil } from "./s3-double/restore.ts";
import { clientOf, double, readAll, refusal } from "./support.ts";

const AT = { Bucket: "b", Key: "tasks/1/a" };

test("an archived object is read once its copy is there, and a second request makes that last longer", async () => {
  const s3 = await double();
  const client = clientOf(s3);
  s3.plant("b", AT.Key, "bytes", { storageClass: "DEEP_ARCHIVE" });
  const restore = (Days: number): RestoreObjectCommand =>
    new RestoreObjectCommand({ ...AT, RestoreRequest: { Days, GlacierJobParameters: { Tier: "Bulk" } } });
  expect((await client.send(restore(1))).$metadata.httpStatusCode).toBe(202);
  expect((await client.send(new HeadObjectCommand(AT))).Restore).toBe('ongoing-request="true"');
  expect((await refusal(client.send(restore(1)))).name).toBe("RestoreAlreadyInProgress");
  expect((await refusal(client.send(new GetObjectCommand(AT)))).name).toBe("InvalidObjectState");
  s3.thaw("b", AT.Key);
  expect(await readAll((await client.send(new GetObjectCommand(AT))).Body)).toEqual(Buffer.from("bytes"));
  expect((await client.send(restore(3))).$metadata.httpStatusCode).toBe(200);
  const midnight = restoredUntil(s3.now(), 3).toUTCString();
  expect((await client.send(new HeadObjectCommand(AT))).Restore).toBe(
    `ongoing-request="false", expiry-date="${midnight}"`,
  );
});

test.each([
  ["STANDARD", { Days: 1 }, "InvalidObjectState"],
  ["GLACIER_IR", { Days: 1 }, "InvalidObjectState"],
  ["GLACIER", { Days: 0 }, "MalformedXML"],
  ["GLACIER", {}, "MalformedXML"],
  ["DEEP_ARCHIVE", { Days: 1, GlacierJobParameters: { Tier: "Expedited" as const } }, "InvalidArgument"],
])("%s with %j is %s", async (storageClass, RestoreRequest, code) => {
  const s3 = await double();
  s3.plant("b", AT.Key, "bytes", { storageClass });
  expect((await refusal(clientOf(s3).send(new RestoreObjectCommand({ ...AT, RestoreRequest })))).name).toBe(code);
});

test("a copy lasts until the midnight UTC after so many days", () => {
  expect(restoredUntil(new Date("2026-11-01T10:30:00Z"), 3)).toEqual(new Date("2026-11-05T00:00:00Z"));
});
