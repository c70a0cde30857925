/** What `doctor` and `thaw` ask of AWS alone, which no other server answers. */
import {
  GetBucketVersioningCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  RestoreObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { mockClient } from "aws-sdk-client-mock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StorageDriver, ThawTier } from "../../../src/storage/driver.ts";
import { DEFAULT_S3_SETTINGS } from "../../../src/storage/s3-settings.ts";
import type { S3Settings } from "../../../src/storage/s3-settings.ts";
import { openS3 } from "../../../src/storage/s3/driver.ts";
import { calm, collect } from "../../conformance/bodies.ts";
import { KEY } from "./support.ts";

const s3 = mockClient(S3Client);
const sts = mockClient(STSClient);
const ROLE = "arn:aws:sts::123456789012:assumed-role/taskflow-dev-ecs-task-role/i-0";
const SETTINGS: S3Settings = {
  ...DEFAULT_S3_SETTINGS,
  region: "eu-central-1",
  credentials: { kind: "keys", accessKeyId: "AKIA", secretAccessKey: "s", sessionToken: null, expiresAt: null },
};
const NETWORK = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });

let driver: StorageDriver;

beforeEach(async () => {
  s3.reset();
  sts.reset();
  driver = await openS3("acme", { s3: () => SETTINGS });
});

afterEach(async () => {
  await driver.close();
});

async function check(id: string) {
  const all = driver.check?.({ write: false, origin: null, fix: false, signal: calm });
  if (all === undefined) throw new Error("an S3 driver without checks");
  const results = await collect(all);
  return results.find((result) => result.id === id);
}

function refusal(name: string, status: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
}

describe("credentials", () => {
  beforeEach(() => {
    s3.on(HeadBucketCommand).resolves({ BucketRegion: "eu-central-1" });
    s3.on(GetBucketVersioningCommand).resolves({ Status: "Enabled" });
  });

  test("are named by STS", async () => {
    sts.on(GetCallerIdentityCommand).resolves({ Arn: ROLE });
    expect(await check("credentials")).toMatchObject({ status: "ok", message: `${ROLE}, which doesn't end` });
    expect(await check("bucket")).toMatchObject({ message: "s3://acme answers, in eu-central-1" });
  });

  test("that STS doesn't know are a failure, and nothing else is asked", async () => {
    sts.on(GetCallerIdentityCommand).rejects(refusal("InvalidClientTokenId", 403));
    expect(await check("credentials")).toMatchObject({ status: "fail", error: { code: "access_denied" } });
    expect(s3.calls()).toEqual([]);
  });

  test("are none the worse where STS can't be reached", async () => {
    sts.on(GetCallerIdentityCommand).rejects(NETWORK);
    expect(await check("credentials")).toMatchObject({ status: "ok", message: "the access key, which doesn't end" });
  });
});

describe("a thaw", () => {
  test.each([
    ["GLACIER", undefined, "expedited", { from: 60, to: 300 }],
    ["GLACIER", undefined, "standard", { from: 10_800, to: 18_000 }],
    ["GLACIER", undefined, "bulk", { from: 18_000, to: 43_200 }],
    ["DEEP_ARCHIVE", undefined, "standard", { from: null, to: 43_200 }],
    ["DEEP_ARCHIVE", undefined, "bulk", { from: null, to: 172_800 }],
    ["INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS", "bulk", { from: null, to: 172_800 }],
  ] as const)("of %s %s by the tier %s usually takes so long", async (StorageClass, ArchiveStatus, tier, usually) => {
    s3.on(HeadObjectCommand).resolves({
      ETag: "e",
      StorageClass,
      ...(ArchiveStatus === undefined ? {} : { ArchiveStatus }),
    });
    s3.on(RestoreObjectCommand).resolves({ $metadata: { httpStatusCode: 202 } });
    expect(await driver.archive?.thaw(KEY, { days: 3, tier, dryRun: false, signal: calm })).toMatchObject({
      outcome: "begun",
      usually,
    });
    const { RestoreRequest } = s3.commandCalls(RestoreObjectCommand)[0]?.args[0].input ?? {};
    // Out of INTELLIGENT_TIERING's archives it moves for good.
    expect(RestoreRequest?.Days).toBe(ArchiveStatus === undefined ? 3 : undefined);
  });

  test.each<[string, string | undefined, ThawTier]>([
    ["DEEP_ARCHIVE", undefined, "expedited"],
    ["INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS", "expedited"],
  ])("of %s %s by the tier %s is refused before it is asked for", async (StorageClass, ArchiveStatus, tier) => {
    s3.on(HeadObjectCommand).resolves({ ETag: "e", StorageClass, ArchiveStatus } as object);
    await expect(driver.archive?.thaw(KEY, { days: 3, tier, dryRun: false, signal: calm })).rejects.toMatchObject({
      code: "unsupported",
    });
    expect(s3.commandCalls(RestoreObjectCommand)).toEqual([]);
  });
});
