/**
 * What is measured, against what, and the limits. Each bench makes its own input, looks at what came out of it, and
 * says beforehand how much disk it needs. Peers do the same work with the system's own tools, durable as ours.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  GiB,
  MiB,
  countLines,
  expectEqual,
  expectSameBytes,
  writeMany,
  writeRandom,
  writeSparse,
  writeStore,
} from "./inputs.mjs";
import { inPairs, memoryRow, rateRow, ratioRow } from "./pairs.mjs";
import { S3_BENCHES } from "./s3-benches.mjs";

/** @typedef {import("./pairs.mjs").Row} Row */

/**
 * What a bench works with.
 * @typedef {object} Lab
 * @property {string} folder Empty at the start, removed after the bench.
 * @property {boolean} quick A tenth of everything, to see that it works: no limit holds then.
 * @property {(command: readonly string[], times?: number, env?: Environment) => Promise<Measured>} measure
 * @property {(args: readonly string[], env?: Environment) => Promise<Measured>} taskflow Runs the built command line,
 *   with its memory.
 * @property {string} bin The command line's file.
 */

/** @typedef {import("./measure.mjs").Measured} Measured */

/** @typedef {Readonly<Record<string, string>>} Environment What a command gets beside the bench's own. */

/**
 * @typedef {object} Bench
 * @property {string} about
 * @property {(quick: boolean) => number} bytes Disk needed.
 * @property {readonly string[]} [needs] Programs that it is measured against, beside the system's own.
 * @property {(lab: Lab) => Promise<Row[]>} run
 */

/** @type {Readonly<Record<string, Bench>>} */
export const BENCHES = {
  help: {
    about: "--help, against an empty .cjs in Node",
    bytes: () => MiB,
    run: runHelp,
  },
  upload: {
    about: "upload of 1 GiB, against sha256sum + cp + sync of the file",
    bytes: (quick) => 3 * largeSize(quick),
    run: runUpload,
  },
  download: {
    about: "download of 1 GiB, against sha256sum + cp + sync of the file",
    bytes: (quick) => 4 * largeSize(quick),
    run: runDownload,
  },
  huge: {
    about: "upload and download of 6 GiB: memory",
    bytes: (quick) => 2 * hugeSize(quick) + GiB,
    run: runHuge,
  },
  small: {
    about: "upload of 2,000 files of 16 KiB, against sha256sum + cp + sync of each",
    bytes: () => GiB,
    run: runSmall,
  },
  list: {
    about: "list of 100,000, against find -printf '%s %T@ %p\\n'",
    bytes: () => GiB,
    run: runList,
  },
  delete: {
    about: "delete --all of 10,000, against mv into a folder + sync of both folders",
    bytes: () => GiB,
    run: runDelete,
  },
  ...S3_BENCHES,
};

const largeSize = (/** @type {boolean} */ quick) => (quick ? 100 * MiB : GiB);
const hugeSize = (/** @type {boolean} */ quick) => (quick ? 600 * MiB : 6 * GiB);

/** @param {Lab} lab */
async function runHelp({ folder, quick, measure, bin }) {
  const empty = path.join(folder, "empty.cjs");
  writeFileSync(empty, "");
  const pairs = await inPairs(
    quick ? 5 : 21,
    () => measure([process.execPath, bin, "--help"], 3),
    () => measure([process.execPath, empty], 3),
  );
  return [ratioRow(pairs, "wall", 1.5), ratioRow(pairs, "cpu", null)];
}

/** @param {Lab} lab */
async function runUpload({ folder, quick, measure, taskflow }) {
  const { input, store, copy, sums } = placesIn(folder);
  writeRandom(input, largeSize(quick));
  let task = 0;
  let digest = "";
  const pairs = await inPairs(
    quick ? 3 : 5,
    async () => {
      task += 1;
      const measured = await taskflow(["attach", "upload", `T-${task}`, input, "--store", store, "--json"]);
      const item = onlyItem(measured.output);
      digest = item.sha256;
      expectSameBytes(input, path.join(store, item.key));
      rmSync(path.join(store, "tasks", `T-${task}`), { recursive: true });
      return measured;
    },
    async () => {
      const measured = await measure(["bash", "-c", HASH_AND_COPY, "peer", input, copy, sums]);
      rmSync(copy);
      return measured;
    },
  );
  expectEqual("recorded SHA-256", digest, readFileSync(sums, "utf8").slice(0, 64));
  return [ratioRow(pairs, "wall", 1.5), ratioRow(pairs, "cpu", 1.5), memoryRow(pairs.map(({ ours }) => ours))];
}

/** @param {Lab} lab */
async function runDownload({ folder, quick, measure, taskflow }) {
  const { input, store, copy, sums, target } = placesIn(folder);
  writeRandom(input, largeSize(quick));
  await taskflow(["attach", "upload", "T-1", input, "--store", store]);
  const pairs = await inPairs(
    quick ? 3 : 5,
    async () => {
      const measured = await taskflow(["attach", "download", "T-1", "-o", target, "--store", store]);
      expectSameBytes(input, target);
      rmSync(target);
      return measured;
    },
    async () => {
      const measured = await measure(["bash", "-c", HASH_AND_COPY, "peer", input, copy, sums]);
      rmSync(copy);
      return measured;
    },
  );
  return [ratioRow(pairs, "wall", null), ratioRow(pairs, "cpu", null), memoryRow(pairs.map(({ ours }) => ours))];
}

/** @param {Lab} lab */
async function runHuge({ folder, quick, taskflow }) {
  const { input, store, target } = placesIn(folder);
  writeSparse(input, hugeSize(quick));
  const up = await taskflow(["attach", "upload", "T-1", input, "--store", store, "--json"]);
  expectSameBytes(input, path.join(store, onlyItem(up.output).key));
  const down = await taskflow(["attach", "download", "T-1", "-o", target, "--store", store]);
  expectSameBytes(input, target);
  return [memoryRow([up], 200, "upload RSS"), memoryRow([down], 200, "download RSS")];
}

/** @param {Lab} lab */
async function runSmall({ folder, quick, measure, taskflow }) {
  const { input, store, copy, sums } = placesIn(folder);
  const count = quick ? 200 : 2000;
  writeMany(input, count, 16 * 1024);
  let task = 0;
  const pairs = await inPairs(
    quick ? 3 : 5,
    async () => {
      task += 1;
      const measured = await taskflow(["attach", "upload", `T-${task}`, "-r", input, "--store", store]);
      const keys = readFileSync(measured.output, "utf8").trimEnd().split("\n");
      expectEqual("keys", keys.length, count);
      for (const key of keys) {
        expectSameFile(path.join(store, key), path.join(input, key.slice(key.lastIndexOf("_") + 1)));
      }
      return measured;
    },
    async () => {
      const measured = await measure(["bash", "-c", HASH_AND_COPY_MANY, "peer", input, copy, sums]);
      expectEqual("copies", readdirSync(copy).length, count);
      rmSync(copy, { recursive: true });
      return measured;
    },
  );
  return [
    ratioRow(pairs, "wall", null),
    ratioRow(pairs, "cpu", null),
    rateRow(count, pairs),
    memoryRow(pairs.map(({ ours }) => ours)),
  ];
}

/** @param {Lab} lab */
async function runList({ folder, quick, measure, taskflow }) {
  const { store } = placesIn(folder);
  const tasks = quick ? 100 : 1000;
  writeStore(store, tasks, 100);
  const pairs = await inPairs(
    quick ? 3 : 9,
    async () => {
      const measured = await taskflow(["attach", "list", "--store", store]);
      expectEqual("rows", countLines(measured.output), tasks * 100);
      return measured;
    },
    async () => {
      const measured = await measure(["find", path.join(store, "tasks"), "-type", "f", "-printf", "%s %T@ %p\\n"]);
      expectEqual("rows of find", countLines(measured.output), tasks * 100);
      return measured;
    },
  );
  return [ratioRow(pairs, "wall", 4), ratioRow(pairs, "cpu", 4), memoryRow(pairs.map(({ ours }) => ours))];
}

/** @param {Lab} lab */
async function runDelete({ folder, quick, measure, taskflow }) {
  const { input, store, copy, target } = placesIn(folder);
  const count = quick ? 1000 : 10_000;
  writeMany(input, count, 100);
  writeMany(copy, count, 100);
  mkdirSync(target);
  await taskflow(["attach", "upload", "T-1", "-r", input, "--store", store, "--quiet"]);
  const live = path.join(store, "tasks", "T-1");
  let [from, to] = [copy, target];
  const pairs = await inPairs(
    3,
    async () => {
      const measured = await taskflow(["attach", "delete", "T-1", "--all", "--store", store]);
      expectEqual("deleted", countLines(measured.output), count);
      expectEqual("left", readdirSync(live).length, 0);
      await taskflow(["attach", "undelete", "T-1", "--all", "--store", store, "--quiet"]);
      expectEqual("undeleted", readdirSync(live).length, count);
      return measured;
    },
    async () => {
      const measured = await measure(["bash", "-c", MOVE_ALL, "peer", from, to]);
      expectEqual("moved", readdirSync(to).length, count);
      [from, to] = [to, from];
      return measured;
    },
  );
  return [ratioRow(pairs, "wall", null), ratioRow(pairs, "cpu", null), memoryRow(pairs.map(({ ours }) => ours))];
}

const HASH_AND_COPY = 'sha256sum -- "$1" >"$3" && cp --reflink=never -- "$1" "$2" && sync -- "$2"';
const HASH_AND_COPY_MANY = 'sha256sum -- "$1"/* >"$3" && cp -r --reflink=never -- "$1" "$2" && sync -- "$2"/* "$2"';
const MOVE_ALL = 'find "$1" -type f -exec mv -t "$2" -- {} + && sync -- "$2" "$1"';

/** @param {string} folder */
function placesIn(folder) {
  const at = (/** @type {string} */ name) => path.join(folder, name);
  return { input: at("input"), store: at("store/"), copy: at("copy"), sums: at("sums"), target: at("target") };
}

/**
 * The item of a JSON document of one.
 * @param {string} file
 * @returns {{ key: string, sha256: string }}
 */
function onlyItem(file) {
  const { items } = JSON.parse(readFileSync(file, "utf8"));
  expectEqual("items", items.length, 1);
  return items[0];
}

/**
 * @param {string} one
 * @param {string} other
 */
function expectSameFile(one, other) {
  if (!readFileSync(one).equals(readFileSync(other))) throw new Error(`${one} is not ${other}`);
}
