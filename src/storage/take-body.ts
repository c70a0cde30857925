/** Taking the bytes of a body, as every driver must: in order, once, ended by the signal, measured against the options. */
import { TaskflowError } from "../errors.ts";
import { unlessAborted } from "./abortable.ts";
import type { Body, PutOptions } from "./driver.ts";

/**
 * Hands each chunk on, waits for it to be dealt with, and tells how many bytes there were. `settle` is the caller's.
 * Errors: the body's own; `too_large`; the signal's.
 */
export async function takeBody(
  key: string,
  body: Body,
  { signal, maxSize = Infinity }: Pick<PutOptions, "signal" | "maxSize">,
  take: (chunk: Uint8Array) => void | Promise<void>,
): Promise<number> {
  const chunks = body.chunks(signal)[Symbol.asyncIterator]();
  let size = 0;
  try {
    for (;;) {
      const next = await unlessAborted(chunks.next(), signal);
      if (next.done === true) return size;
      if (size + next.value.length > maxSize) throw tooLarge(key, maxSize);
      await take(next.value);
      size += next.value.length;
    }
  } catch (error) {
    await leave(chunks, signal);
    throw error;
  }
}

/** Errors: `changed` for other bytes than were announced; `usage` and `checksum_mismatch` as the options ask. */
export function checkTaken(
  key: string,
  taken: { readonly size: number; readonly sha256: string },
  announced: number | null,
  options: Pick<PutOptions, "notEmpty" | "sha256">,
): void {
  const { size, sha256 } = taken;
  if (announced !== null && size !== announced) {
    throw new TaskflowError("changed", `cannot store ${key}: ${size} bytes came, ${announced} were announced`, {
      context: { key, size, announced },
    });
  }
  if (size === 0 && options.notEmpty === true) {
    throw new TaskflowError("usage", `cannot store ${key}: there are no bytes`, {
      hint: "an empty input is often a mistake; --allow-empty takes it",
      context: { key },
    });
  }
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    throw new TaskflowError("checksum_mismatch", `cannot store ${key}: its SHA-256 is not the one that was given`, {
      context: { key, expected: options.sha256, actual: sha256 },
    });
  }
}

/** Ends an iteration early, as leaving a `for await` would, but without waiting for a body that doesn't answer. */
async function leave(chunks: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<void> {
  if (chunks.return === undefined) return;
  try {
    await unlessAborted(chunks.return(), signal);
  } catch {
    // The error that ended the iteration is the one to report.
  }
}

function tooLarge(key: string, maxSize: number): TaskflowError {
  return new TaskflowError("too_large", `cannot store ${key}: more than the ${maxSize} bytes that are allowed`, {
    context: { key, maxSize },
  });
}
