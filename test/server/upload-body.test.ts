import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/server/limits.ts";
import { uploadChunks } from "../../src/server/upload-body.ts";

/** A body whose chunks come so many milliseconds after one another, by a clock that nobody waits for. */
function arriving(chunks: readonly { readonly size: number; readonly after: number }[]) {
  let now = 0;
  async function* body(): AsyncGenerator<Buffer, void, undefined> {
    for (const { size, after } of chunks) {
      now += after;
      yield await Promise.resolve(Buffer.alloc(size));
    }
  }
  const req = Readable.from(body(), { highWaterMark: 1 }) as IncomingMessage;
  return { req, clock: () => now };
}

async function take({ req, clock }: ReturnType<typeof arriving>): Promise<number> {
  let bytes = 0;
  for await (const chunk of uploadChunks(req, LIMITS, () => undefined, clock)) bytes += chunk.length;
  return bytes;
}

test("a body that drips is no upload: each minute must bring 64 KiB", async () => {
  const drip = Array.from({ length: 10 }, () => ({ size: 1000, after: 20_000 }));
  await expect(take(arriving(drip))).rejects.toMatchObject({ code: "network" });
});

test("a slow body that keeps to the floor may take hours", async () => {
  const slow = Array.from({ length: 1000 }, () => ({ size: 32_768, after: 29_000 }));
  expect(await take(arriving(slow))).toBe(32_768_000);
});

test("a short body may take its time below the window", async () => {
  expect(await take(arriving([{ size: 5, after: 29_000 }]))).toBe(5);
});

test("what breaks a body is `network`, and the body's own error its cause", async () => {
  const cause = new Error("aborted");
  const req = new Readable({
    read() {
      this.destroy(cause);
    },
  }) as IncomingMessage;
  await expect(take({ req, clock: () => 0 })).rejects.toMatchObject({ code: "network", cause });
});

test("leaving early leaves the connection to answer on", async () => {
  const { req, clock } = arriving(Array.from({ length: 5 }, () => ({ size: 10, after: 0 })));
  for await (const chunk of uploadChunks(req, LIMITS, () => undefined, clock)) {
    expect(chunk).toHaveLength(10);
    break;
  }
  expect(req.destroyed).toBe(false);
});
