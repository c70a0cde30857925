/**
 * Preloaded with `node -r` before a program under strace. strace counts calls in each thread, and a kill before the
 * n-th `openat` comes in whichever thread gets there first: usually the main one, which opens many files at start. So
 * the other thread's count is raised first: BURN_POOL times in libuv's pool, or BURN_MAIN times in the main thread.
 */
import fs from "node:fs";

const main = Number(process.env["BURN_MAIN"] ?? 0);
const pool = Number(process.env["BURN_POOL"] ?? 0);
const NULL = "/dev/null";
const EMPTY = "/proc/self/task";

if (main > 0 || pool > 0) {
  const descriptor = fs.openSync(NULL, "r+");
  const buffer = Buffer.alloc(1);
  for (let n = 0; n < main; n += 1) {
    fs.statSync(NULL);
    fs.readdirSync(EMPTY);
    fs.readSync(descriptor, buffer, 0, 1, null);
    fs.writeSync(descriptor, buffer, 0, 1, null);
  }
  const done = (): void => undefined;
  // The pool has one thread: all of this comes before whatever the program asks of it.
  for (let n = 0; n < pool; n += 1) {
    fs.stat(NULL, done);
    fs.readdir(EMPTY, done);
    fs.read(descriptor, buffer, 0, 1, null, done);
    fs.write(descriptor, buffer, 0, 1, null, done);
  }
}
