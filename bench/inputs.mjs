/** What the benches work on, and looks at what came of it. */
import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

/**
 * Bytes that don't compress, written for real, so that they are in the page cache. No chunk is like another.
 * @param {string} file
 * @param {number} size
 */
export function writeRandom(file, size) {
  const chunk = randomBytes(Math.min(size, 16 * MiB));
  const descriptor = openSync(file, "w");
  try {
    for (let at = 0; at < size; at += chunk.length) {
      chunk.writeDoubleLE(at);
      writeSync(descriptor, chunk, 0, Math.min(chunk.length, size - at));
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A file of zeros that takes no room.
 * @param {string} file
 * @param {number} size
 */
export function writeSparse(file, size) {
  writeFileSync(file, "");
  truncateSync(file, size);
}

/**
 * @param {string} folder Made.
 * @param {number} count
 * @param {number} size Bytes of each.
 */
export function writeMany(folder, count, size) {
  mkdirSync(folder, { recursive: true });
  for (let number = 0; number < count; number += 1) {
    writeFileSync(path.join(folder, `${number}.bin`), randomBytes(size));
  }
}

/**
 * Attachments as another program would put them there: a store of this size made by uploading takes minutes, and a
 * plain list reads nothing but the files themselves.
 * @param {string} store
 * @param {number} tasks
 * @param {number} perTask
 */
export function writeStore(store, tasks, perTask) {
  for (let task = 1; task <= tasks; task += 1) {
    const folder = path.join(store, "tasks", `T-${task}`);
    mkdirSync(folder, { recursive: true });
    for (let number = 0; number < perTask; number += 1) {
      writeFileSync(path.join(folder, `${randomUUID()}_report ${number}.pdf`), `${number}`);
    }
  }
}

/**
 * @param {string} one
 * @param {string} other
 */
export function expectSameBytes(one, other) {
  execFileSync("cmp", ["--", one, other], { stdio: ["ignore", "inherit", "inherit"] });
}

/**
 * @param {string} what
 * @param {unknown} actual
 * @param {unknown} expected
 */
export function expectEqual(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
}

/** @param {string} file */
export function countLines(file) {
  let lines = 0;
  for (const byte of readFileSync(file)) if (byte === 10) lines += 1;
  return lines;
}
