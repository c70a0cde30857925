/**
 * npm run bench [-- NAME...] [--quick] [--strict] [--json FILE]
 *
 * Measures the built command line against what the system's own tools take for the same work, in ratios of one run:
 * seconds differ from machine to machine, ratios hardly do. Exit status 1 where a limit is exceeded or a result is
 * wrong; with --strict also where a bench was skipped because the disk is too full, or what it is measured against is
 * missing. --quick does a tenth of it all, to see that everything works, and holds nothing against the limits. Linux
 * only: bash, find, cp, cmp and sync of GNU.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BENCHES } from "./benches.mjs";
import { measure } from "./measure.mjs";
import { renderTable } from "./table.mjs";

/** @typedef {import("./table.mjs").Result} Result */

const BENCH = path.dirname(fileURLToPath(import.meta.url));
const BIN = path.join(BENCH, "../bin/taskflow");
const BUILT = path.join(BENCH, "../dist/cli/bundles.cjs");
const SIGNALS = /** @type {const} */ ({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} argv */
async function main(argv) {
  const { names, quick, strict, json } = parse(argv);
  if (!existsSync(BUILT)) fail("not built, run `npm run build`");
  if (process.platform !== "linux") fail("the peers are GNU tools: Linux only");
  const root = mkdtempSync(path.join(tmpdir(), "taskflow-bench-"));
  const { signal, status } = stopOnSignal();
  /** @type {Result[]} */
  const results = [];
  /** @type {string[]} */
  const skipped = [];
  try {
    for (const name of names) {
      const done = await runBench(name, root, quick, signal);
      if (done === null) skipped.push(name);
      else results.push(...done);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return status();
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
  process.stdout.write(`\n${renderTable(results)}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ quick, results, skipped }, null, 2)}\n`);
  if (skipped.length > 0) process.stdout.write(`skipped: ${skipped.join(", ")}\n`);
  return results.some(({ ok }) => ok === false) || (strict && skipped.length > 0) ? 1 : 0;
}

/**
 * @param {string} name
 * @param {string} root
 * @param {boolean} quick
 * @param {AbortSignal} signal
 * @returns {Promise<Result[] | null>} `null` where it can't be run.
 */
async function runBench(name, root, quick, signal) {
  const bench = BENCHES[name];
  if (bench === undefined) return fail(`no bench ${name}`);
  const lacking = (bench.needs ?? []).find((program) => !isInstalled(program));
  if (lacking !== undefined) {
    process.stdout.write(`${name}: SKIPPED, ${lacking} is not installed\n`);
    return null;
  }
  const { bavail, bsize } = statfsSync(root);
  const needed = bench.bytes(quick);
  if (bavail * bsize < needed) {
    process.stdout.write(`${name}: SKIPPED, needs ${gib(needed)}, ${gib(bavail * bsize)} are free in ${tmpdir()}\n`);
    return null;
  }
  process.stdout.write(`${name}: ${bench.about}${quick ? " (quick: a tenth of it)" : ""}\n`);
  const folder = path.join(root, name);
  mkdirSync(folder);
  // Nothing of the caller's settings, stores and .env files.
  const env = { PATH: process.env.PATH ?? "", HOME: folder, TMPDIR: folder, LC_ALL: "C" };
  const placeWith = (/** @type {Readonly<Record<string, string>>} */ more = {}) => ({
    folder,
    env: { ...env, ...more },
    signal,
  });
  const rows = await bench.run({
    folder,
    quick,
    bin: BIN,
    measure: (command, times, more) => measure(command, placeWith(more), times),
    taskflow: (args, more) =>
      measure([process.execPath, "--require", path.join(BENCH, "peak-rss.cjs"), BIN, ...args], placeWith(more)),
  });
  rmSync(folder, { recursive: true });
  return rows.map((row) => ({ bench: name, ...row, ok: quick ? null : verdict(row) }));
}

/** @param {string} program */
function isInstalled(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** @param {import("./pairs.mjs").Row} row */
function verdict({ limit, ratio, ours }) {
  return limit === null ? null : (ratio ?? ours) <= limit;
}

/** The first signal ends what runs, and the temporary folder goes. */
function stopOnSignal() {
  const controller = new AbortController();
  let status = 1;
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.once(name, () => {
      status = code;
      controller.abort(new Error(`interrupted by ${name}`));
    });
  }
  return { signal: controller.signal, status: () => status };
}

/** @param {string[]} argv */
function parse(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { quick: { type: "boolean" }, strict: { type: "boolean" }, json: { type: "string" } },
  });
  const known = Object.keys(BENCHES);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) fail(`no bench ${unknown}; there are ${known.join(", ")}`);
  return {
    names: positionals.length > 0 ? positionals : known,
    quick: values.quick === true,
    strict: values.strict === true,
    json: values.json,
  };
}

/**
 * @param {string} text
 * @returns {never}
 */
function fail(text) {
  process.stderr.write(`bench: ${text}\n`);
  process.exit(2);
}

/** @param {number} bytes */
function gib(bytes) {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
