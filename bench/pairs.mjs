/** Two commands in turns, so that what else the machine does hits both; and the rows of the table made of that. */

/** @typedef {import("./measure.mjs").Measured} Measured */

/**
 * @typedef {object} Row
 * @property {string} what What was measured: wall, CPU, memory.
 * @property {number} ours
 * @property {number | null} peer
 * @property {number | null} ratio
 * @property {"s" | "MB" | "/s"} unit Of `ours` and `peer`.
 * @property {number | null} limit The most that `ratio` may be, or `ours` where there is no ratio. `null`: none is set.
 */

/** @typedef {{ ours: Measured, peer: Measured }} Pair */

/**
 * @param {number} count
 * @param {() => Promise<Measured>} ours
 * @param {() => Promise<Measured>} peer
 * @returns {Promise<Pair[]>}
 */
export async function inPairs(count, ours, peer) {
  /** @type {Pair[]} */
  const pairs = [];
  for (let turn = 0; turn < count; turn += 1) {
    if (turn % 2 === 0) {
      const first = await ours();
      pairs.push({ ours: first, peer: await peer() });
    } else {
      const first = await peer();
      pairs.push({ ours: await ours(), peer: first });
    }
  }
  return pairs;
}

/**
 * Medians of both sides and of the ratios of the pairs.
 * @param {readonly Pair[]} pairs
 * @param {"wall" | "cpu"} field
 * @param {number | null} limit
 * @returns {Row}
 */
export function ratioRow(pairs, field, limit) {
  return {
    what: field === "cpu" ? "CPU" : "wall",
    ours: median(pairs.map(({ ours }) => ours[field])),
    peer: median(pairs.map(({ peer }) => peer[field])),
    ratio: median(pairs.map(({ ours, peer }) => ours[field] / peer[field])),
    unit: "s",
    limit,
  };
}

/**
 * The most memory of any run.
 * @param {readonly Measured[]} runs
 * @param {number | null} [limit] In MB.
 * @param {string} [what]
 * @returns {Row}
 */
export function memoryRow(runs, limit = null, what = "peak RSS") {
  const ours = Math.max(...runs.map(({ rss }) => rss ?? Number.NaN)) / 1e6;
  return { what, ours, peer: null, ratio: null, unit: "MB", limit };
}

/**
 * How much more memory the larger work took than the smaller.
 * @param {string} what
 * @param {readonly Measured[]} larger
 * @param {readonly Measured[]} smaller
 * @param {number} limit
 * @returns {Row}
 */
export function growthRow(what, larger, smaller, limit) {
  const [ours, peer] = [memoryRow(larger).ours, memoryRow(smaller).ours];
  return { what, ours, peer, ratio: ours / peer, unit: "MB", limit };
}

/**
 * @param {number} count Things done in each run.
 * @param {readonly Pair[]} pairs
 * @returns {Row}
 */
export function rateRow(count, pairs) {
  const ours = median(pairs.map((pair) => count / pair.ours.wall));
  const peer = median(pairs.map((pair) => count / pair.peer.wall));
  return { what: "files", ours, peer, ratio: null, unit: "/s", limit: null };
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
