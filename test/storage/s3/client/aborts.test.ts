/** A signal ends the wait at once, whatever is waited for. */
import dns from "node:dns";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openS3 } from "../../../../src/storage/s3/driver.ts";
import type { StorageDriver } from "../../../../src/storage/driver.ts";
import { DEFAULT_S3_SETTINGS } from "../../../../src/storage/s3-settings.ts";
import { keysOf } from "../../../conformance/bodies.ts";
import { rejection } from "../../../conformance/expect-code.ts";
import { KEY } from "../support.ts";

const QUICK_MS = 10_000;
const LONG_MS = 60_000;

beforeEach(() => {
  for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) vi.stubEnv(name, "/dev/null");
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Of AWS, which is asked where the bucket is. */
function onAws(): Promise<StorageDriver> {
  const credentials = {
    kind: "keys",
    accessKeyId: "AKIA",
    secretAccessKey: "s",
    sessionToken: null,
    expiresAt: null,
  } as const;
  return openS3("acme", {
    s3: () => ({ ...DEFAULT_S3_SETTINGS, credentials }),
    limits: { connectMs: LONG_MS, idleMs: LONG_MS },
  });
}

test(
  "while the region is asked of a server that doesn't answer; and then nothing is asked any more",
  { timeout: QUICK_MS },
  async () => {
    const names: string[] = [];
    const asking = new Promise<void>((resolve) => {
      const unanswered = (name: string): void => {
        names.push(name);
        resolve();
      };
      vi.spyOn(dns, "lookup").mockImplementation(unanswered);
    });
    const driver = await onAws();
    const stop = new AbortController();
    const listing = rejection(keysOf(driver.list("", { signal: stop.signal })), "interrupted");
    await asking;
    stop.abort();
    await listing;
    await driver.close();
    await rejection(driver.head(KEY, { signal: new AbortController().signal }), "internal");
    expect(names).toEqual(["acme.s3.us-east-1.amazonaws.com"]);
  },
);
