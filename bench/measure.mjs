/**
 * Runs one command and measures it from outside: wall and CPU seconds by bash's `time`, for every command in the same
 * way, children and threads included; peak memory of a Node process by its own account (peak-rss.cjs).
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

/**
 * @typedef {object} Measured
 * @property {number} wall Seconds.
 * @property {number} cpu Seconds, user and system.
 * @property {number | null} rss Bytes at the peak; `null` of what is no Node process.
 * @property {string} output Where stdout is; overwritten by the next command.
 */

/**
 * @typedef {object} Place
 * @property {string} folder Working directory, also for what is written beside.
 * @property {Readonly<Record<string, string>>} env All of the environment.
 * @property {AbortSignal} signal Ends the command, and everything it started.
 */

const SCRIPT = `
TIMEFORMAT='%3R %3U %3S'
times=$1 report=$2
shift 2
exec 3>&2
{ time for ((run = 0; run < times; run++)); do "$@" 2>&3 || exit; done; } 2>"$report"
`;

/**
 * Runs `command` so many `times` in a row and gives the mean of one run: bash counts milliseconds, so what takes few of
 * them is run several times. Anything but exit status 0 rejects.
 * @param {readonly string[]} command
 * @param {Place} place
 * @param {number} [times]
 * @returns {Promise<Measured>}
 */
export async function measure(command, { folder, env, signal }, times = 1) {
  const at = (/** @type {string} */ name) => path.join(folder, `.measured-${name}`);
  for (const name of ["time", "rss"]) rmSync(at(name), { force: true });
  const output = openSync(at("stdout"), "w");
  const errors = openSync(at("stderr"), "w");
  try {
    const status = await run(["bash", "-c", SCRIPT, "measure", String(times), at("time"), ...command], {
      cwd: folder,
      env: { ...env, BENCH_PEAK_RSS: at("rss") },
      stdio: ["ignore", output, errors],
      signal,
    });
    if (status !== 0) throw new Error(`${command.join(" ")}: ${status}\n${readFileSync(at("stderr"), "utf8")}`);
  } finally {
    closeSync(output);
    closeSync(errors);
  }
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = readFileSync(at("time"), "utf8")
    .trim()
    .split(" ")
    .map(Number);
  return { wall: wall / times, cpu: (user + system) / times, rss: readRss(at("rss")), output: at("stdout") };
}

/**
 * In a process group of its own, so that it can be ended with all it started.
 * @param {readonly string[]} command
 * @param {{ cwd: string, env: Record<string, string>, stdio: ["ignore", number, number], signal: AbortSignal }} options
 * @returns {Promise<number | string>} Exit status, or the name of the signal that ended it.
 */
function run([program = "", ...args], { signal, ...options }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(program, args, { ...options, detached: true });
    const stop = () => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (status, endedBy) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else resolve(status ?? endedBy ?? "unknown");
    });
  });
}

/** @param {string} file */
function readRss(file) {
  return existsSync(file) ? Number(readFileSync(file, "utf8")) * 1024 : null;
}
