/** The table of results, for people. */

/** @typedef {import("./pairs.mjs").Row} Row */

/** @typedef {Row & { bench: string, ok: boolean | null }} Result `ok` is `null` where no limit is set. */

const TITLES = ["bench", "measure", "ours", "peer", "ratio", "limit", "ok"];

/** @param {readonly Result[]} results */
export function renderTable(results) {
  const rows = [TITLES, ...results.map((result) => cells(result))];
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (/** @type {readonly string[]} */ row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return `${rows.map((row) => line(row)).join("\n")}\n`;
}

/** @param {Result} result */
function cells({ bench, what, ours, peer, ratio, unit, limit, ok }) {
  return [
    bench,
    what,
    amount(ours, unit),
    peer === null ? "" : amount(peer, unit),
    ratio === null ? "" : ratio.toFixed(2),
    limit === null ? "" : `${limit}${ratio === null ? ` ${unit}` : ""}`,
    ok === null ? "" : ok ? "ok" : "OVER",
  ];
}

/**
 * @param {number} value
 * @param {Row["unit"]} unit
 */
function amount(value, unit) {
  return unit === "s" ? `${value.toFixed(3)} s` : `${value.toFixed(0)} ${unit}`;
}
