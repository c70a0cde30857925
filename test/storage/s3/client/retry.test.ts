import { describe, expect, test } from "vitest";
import { createRetryStrategy } from "../../../../src/storage/s3/client/retry.ts";
import type { RetryStrategy } from "../../../../src/storage/s3/client/retry.ts";

type Info = Parameters<RetryStrategy["refreshRetryTokenForRetry"]>[1];

function failing(errorType: Info["errorType"], name: string, code?: string): Info {
  const error = Object.assign(new Error(name), { name }, code === undefined ? {} : { code });
  return { errorType, error: error as unknown as NonNullable<Info["error"]> };
}

const REPLY: Info = {
  errorType: "TRANSIENT",
  error: Object.assign(new Error("InternalError"), { $metadata: { httpStatusCode: 500 } }) as unknown as NonNullable<
    Info["error"]
  >,
};
const TRANSIENT = failing("TRANSIENT", "Error", "ECONNRESET");

/** How many attempts it makes where each takes `attemptMs` and fails so. */
async function attempts(retryForMs: number, info: Info, attemptMs = 10): Promise<{ count: number; ms: number }> {
  let now = 0;
  const strategy = createRetryStrategy({ retryForMs, now: () => now, random: () => 1 });
  let token = await strategy.acquireInitialRetryToken("s3");
  for (let count = 1; ; count += 1) {
    now += attemptMs;
    try {
      token = await strategy.refreshRetryTokenForRetry(token, info);
    } catch {
      return { count, ms: now };
    }
    now += token.getRetryDelay?.() ?? 0;
  }
}

describe("retries", () => {
  test("end after five attempts where nothing has answered yet and no other time was asked for", async () => {
    expect((await attempts(60_000, TRANSIENT)).count).toBe(5);
    for (const retryForMs of [15_000, 59_000, 61_000]) {
      const { count, ms } = await attempts(retryForMs, TRANSIENT);
      expect(count).toBeGreaterThan(5);
      expect(ms).toBeLessThanOrEqual(retryForMs + 10);
      expect(ms).toBeGreaterThan(Math.max(retryForMs / 2, retryForMs - 20_000));
    }
  });

  test("end after five attempts where a server answers with failures, whatever else it answers", async () => {
    let now = 0;
    const strategy = createRetryStrategy({ retryForMs: 60_000, now: () => now, random: () => 0 });
    let token = await strategy.acquireInitialRetryToken("s3");
    for (let count = 1; count < 5; count += 1) {
      strategy.recordSuccess(token);
      token = await strategy.refreshRetryTokenForRetry(token, REPLY);
    }
    await expect(strategy.refreshRetryTokenForRetry(token, REPLY)).rejects.toThrow("no more");
    // The link is there: a break of it is another thing.
    let other = await strategy.acquireInitialRetryToken("s3");
    for (let count = 0; count < 9; count += 1) other = await strategy.refreshRetryTokenForRetry(other, TRANSIENT);
    now = 60_001;
    await expect(strategy.refreshRetryTokenForRetry(other, TRANSIENT)).rejects.toThrow("no more");
  });

  test("a failure that took longer than the time is sent again once", async () => {
    let now = 0;
    const strategy = createRetryStrategy({ retryForMs: 60_000, now: () => now, random: () => 0 });
    const token = await strategy.acquireInitialRetryToken("s3");
    now = 70_000;
    const second = await strategy.refreshRetryTokenForRetry(token, REPLY);
    now = 140_000;
    await expect(strategy.refreshRetryTokenForRetry(second, REPLY)).rejects.toThrow("no more");
  });

  test("go on for all of the time once something has answered", async () => {
    let now = 0;
    const strategy = createRetryStrategy({ retryForMs: 60_000, now: () => now, random: () => 1 });
    strategy.recordSuccess(await strategy.acquireInitialRetryToken("s3"));
    let token = await strategy.acquireInitialRetryToken("s3");
    for (let count = 0; count < 7; count += 1) {
      token = await strategy.refreshRetryTokenForRetry(token, TRANSIENT);
      now += token.getRetryDelay?.() ?? 0;
    }
    expect(now).toBeGreaterThan(10_000);
    now = 60_001;
    await expect(strategy.refreshRetryTokenForRetry(token, TRANSIENT)).rejects.toThrow("no more");
  });

  test("what is asked next in one outage gets no more time of its own; after it, it does", async () => {
    let now = 0;
    const strategy = createRetryStrategy({ retryForMs: 15_000, now: () => now, random: () => 0 });
    const first = await strategy.acquireInitialRetryToken("s3");
    now = 15_001;
    await expect(strategy.refreshRetryTokenForRetry(first, TRANSIENT)).rejects.toThrow("no more");
    const settling = await strategy.acquireInitialRetryToken("s3");
    now = 45_000;
    await expect(strategy.refreshRetryTokenForRetry(settling, TRANSIENT)).rejects.toThrow("no more");
    now = 90_000;
    const later = await strategy.acquireInitialRetryToken("s3");
    now = 91_000;
    await expect(strategy.refreshRetryTokenForRetry(later, TRANSIENT)).resolves.toBeDefined();
  });

  test("end when the time is over, however few there were", async () => {
    expect((await attempts(60_000, TRANSIENT, 30_000)).count).toBeLessThanOrEqual(2);
  });

  test("who asks for more time gets attempts for all of it", async () => {
    const { count, ms } = await attempts(1_200_000, TRANSIENT);
    expect(ms).toBeGreaterThan(1_170_000);
    expect(count).toBeGreaterThan(50);
  });

  test("no time at all is one attempt", async () => {
    expect((await attempts(0, TRANSIENT)).count).toBe(1);
  });

  test("the time is counted from the last success of any request", async () => {
    let now = 0;
    const strategy = createRetryStrategy({ retryForMs: 60_000, now: () => now, random: () => 0 });
    const token = await strategy.acquireInitialRetryToken("s3");
    now = 100_000;
    await expect(strategy.refreshRetryTokenForRetry(token, TRANSIENT)).rejects.toThrow("no more");
    strategy.recordSuccess(token);
    await expect(strategy.refreshRetryTokenForRetry(token, TRANSIENT)).resolves.toBeDefined();
  });

  test("a slow first attempt costs nothing of it while bytes move; later ones do", async () => {
    let now = 0;
    const strategy = createRetryStrategy({
      retryForMs: 60_000,
      movedAt: () => now - 5000,
      now: () => now,
      random: () => 0,
    });
    const token = await strategy.acquireInitialRetryToken("s3");
    now = 200_000;
    const second = await strategy.refreshRetryTokenForRetry(token, TRANSIENT);
    now = 254_000;
    const third = await strategy.refreshRetryTokenForRetry(second, TRANSIENT);
    now = 256_000;
    await expect(strategy.refreshRetryTokenForRetry(third, TRANSIENT)).rejects.toThrow("no more");
  });

  test.each(["BadDigest", "IncompleteBody", "ConditionalRequestConflict"])("%s is tried once more", async (name) => {
    expect((await attempts(60_000, failing("CLIENT_ERROR", name))).count).toBe(2);
  });

  test.each([
    ["AccessDenied", undefined],
    ["Error", "ENOTFOUND"],
    ["Error", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ])("%s %s is not tried again", async (name, code) => {
    const errorType = code === undefined ? "CLIENT_ERROR" : "TRANSIENT";
    expect((await attempts(60_000, failing(errorType, name, code))).count).toBe(1);
  });

  test("a server may ask for half a minute, not for more", async () => {
    const strategy = createRetryStrategy({ retryForMs: 60_000, random: () => 0 });
    const token = await strategy.acquireInitialRetryToken("s3");
    const retryAfterHint = new Date(Date.now() + 3_600_000);
    const next = await strategy.refreshRetryTokenForRetry(token, { ...TRANSIENT, retryAfterHint });
    expect(next.getRetryDelay?.()).toBe(30_000);
  });
});
