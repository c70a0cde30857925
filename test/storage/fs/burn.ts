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

/** What counts these calls; absent, all of them. */
const only = process.env["BURN_ONLY"];
const wanted = (...calls: string[]): boolean => only === undefined || calls.includes(only);
const burns = {
  stat: wanted("statx"),
  readdir: wanted("openat", "newfstatat", "getdents64", "close"),
  read: wanted("read"),
  write: wanted("write"),
};

if (main > 0 || pool > 0) {
  const descriptor = fs.openSync(NULL, "r+");
  const buffer = Buffer.alloc(1);
  for (let n = 0; n < main; n += 1) {
    if (burns.stat) fs.statSync(NULL);
    if (burns.readdir) fs.readdirSync(EMPTY);
    if (burns.read) fs.readSync(descriptor, buffer, 0, 1, null);
    if (burns.write) fs.writeSync(descriptor, buffer, 0, 1, null);
  }
  const done = (): void => undefined;
  // The pool has one thread: all of this comes before whatever the program asks of it.
  for (let n = 0; n < pool; n += 1) {
    if (burns.stat) fs.stat(NULL, done);
    if (burns.readdir) fs.readdir(EMPTY, done);
    if (burns.read) fs.read(descriptor, buffer, 0, 1, null, done);
    if (burns.write) fs.write(descriptor, buffer, 0, 1, null, done);
  }
}
