/** Bodies that behave, and bodies that don't. */
import { createHash } from "node:crypto";
import type { Body, PutOptions, StorageDriver, StoredObject } from "../../src/storage/driver.ts";

export interface TestBody extends Body {
  /** What the driver did. */
  readonly calls: { chunks: number; settled: number[] };
}

export interface BodyOptions {
  /** `null`: not known beforehand. Absent: what the bytes are. */
  readonly size?: number | null;
  readonly chunk?: number;
  /** Thrown instead of the chunk that would begin at this byte. */
  readonly failAt?: { byte: number; error: Error };
  /** Instead of the chunk that would begin at this byte nothing ever comes, whatever the signal says. */
  readonly silentAt?: number;
  readonly settle?: () => Promise<void>;
  readonly repeatable?: boolean;
  /** Called before each chunk with the number of its first byte. */
  readonly before?: (byte: number) => void;
}

/** One buffer serves for all chunks, and is spoilt once the next one is asked for. */
export function bodyOf(bytes: Uint8Array, options: BodyOptions = {}): TestBody {
  const calls = { chunks: 0, settled: [] as number[] };
  const chunk = options.chunk ?? 64 * 1024;
  return {
    calls,
    size: options.size === undefined ? bytes.length : options.size,
    repeatable: options.repeatable ?? false,
    async *chunks() {
      calls.chunks += 1;
      const buffer = new Uint8Array(chunk);
      for (let byte = 0; byte < bytes.length; byte += chunk) {
        options.before?.(byte);
        if (options.failAt !== undefined && byte >= options.failAt.byte) throw options.failAt.error;
        if (options.silentAt !== undefined && byte >= options.silentAt) await new Promise(() => undefined);
        const part = bytes.subarray(byte, byte + chunk);
        buffer.set(part);
        yield buffer.subarray(0, part.length);
        buffer.fill(0xee);
      }
    },
    async settle(bytesRead) {
      calls.settled.push(bytesRead);
      await options.settle?.();
    },
  };
}

/** Bytes that look random and are the same in every run. */
export function bytesOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A signal that nobody aborts. */
export const calm: AbortSignal = new AbortController().signal;

export const CREATED = new Date("2026-11-23T20:14:05.678Z");

export function putOptions(more: Partial<PutOptions> = {}): PutOptions {
  return {
    record: { name: "report.pdf", createdAt: CREATED, uploadedBy: null, note: null, meta: {} },
    type: "application/octet-stream",
    ifAbsent: true,
    signal: calm,
    ...more,
  };
}

export function putText(
  driver: StorageDriver,
  key: string,
  value = `the bytes of ${key}`,
  more: Partial<PutOptions> = {},
): Promise<StoredObject> {
  return driver.put(key, bodyOf(text(value)), putOptions(more));
}

export async function readAll(driver: StorageDriver, key: string): Promise<Uint8Array> {
  const { chunks } = await driver.get(key, { signal: calm });
  return await concat(chunks);
}

export async function readText(driver: StorageDriver, key: string): Promise<string> {
  return new TextDecoder().decode(await readAll(driver, key));
}

export async function concat(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function keysOf(items: AsyncIterable<{ key: string }>): Promise<string[]> {
  return (await collect(items)).map(({ key }) => key);
}

/** Runs `work` for each, some at a time. */
export async function eachAtOnce<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: most }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
