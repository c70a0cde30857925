/**
 * A bucket, against `aws s3`: the same bytes and keys, over TLS, to and from a server that keeps nothing. Both programs
 * do what they do with AWS itself: ours knows that by the name, which leads here.
 */
import { closeSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";
import { GiB, MiB, countLines, expectEqual, writeRandom, writeSparse } from "./inputs.mjs";
import { growthRow, inPairs, memoryRow, ratioRow } from "./pairs.mjs";
import { startSink } from "./s3-sink.mjs";

/** @typedef {import("./benches.mjs").Lab} Lab */
/** @typedef {import("./pairs.mjs").Row} Row */
/** @typedef {import("./s3-sink.mjs").Sink} Sink */

const largeSize = (/** @type {boolean} */ quick) => (quick ? 100 * MiB : GiB);
const hugeSize = (/** @type {boolean} */ quick) => (quick ? 600 * MiB : 6 * GiB);

/** @type {Readonly<Record<string, import("./benches.mjs").Bench>>} */
export const S3_BENCHES = {
  "s3-upload": {
    about: "upload of 1 GiB to a bucket, against aws s3 cp; memory of 6 GiB against 1 GiB",
    bytes: (quick) => 2 * largeSize(quick),
    needs: ["aws", "openssl"],
    run: (lab) => withSink(lab, runUpload),
  },
  "s3-list": {
    about: "list of 100,000 in a bucket, against aws s3 ls --recursive; memory of 300,000 against 100,000",
    bytes: () => MiB,
    needs: ["aws", "openssl"],
    run: (lab) => withSink(lab, runList),
  },
};

/**
 * @param {Lab} lab
 * @param {Sink} sink
 */
async function runUpload({ folder, quick, measure, taskflow }, sink) {
  const [input, sparse] = [path.join(folder, "input"), path.join(folder, "sparse")];
  const env = environmentsOf(sink);
  writeRandom(input, largeSize(quick));
  const pairs = await inPairs(
    quick ? 3 : 5,
    async () => {
      const measured = await taskflow(["attach", "upload", "T-1", input, "--quiet"], env.ours);
      expectArrived(sink, input);
      return measured;
    },
    async () => {
      const measured = await measure(["aws", "s3", "cp", "--quiet", input, "s3://bucket/tasks/T-1/input"], 1, env.aws);
      expectArrived(sink, input);
      return measured;
    },
  );
  writeSparse(sparse, hugeSize(quick));
  const upload = async (/** @type {string} */ file, more = {}) => {
    const measured = await taskflow(["attach", "upload", "T-1", file, "--quiet"], { ...env.ours, ...more });
    return { measured, size: sink.take()[0]?.size };
  };
  const huge = await upload(sparse);
  expectEqual("bytes that arrived", huge.size, hugeSize(quick));
  // V8 lets the room for young objects grow with the time a process runs, up to a limit: held here, the rest shows.
  const held = { NODE_OPTIONS: `${env.ours.NODE_OPTIONS} --max-semi-space-size=1` };
  const [hugeHeld, largeHeld] = [await upload(sparse, held), await upload(input, held)];
  return [
    ratioRow(pairs, "wall", null),
    ratioRow(pairs, "cpu", 0.9),
    memoryRow(pairs.map((pair) => pair.ours)),
    memoryRow([huge.measured], 200, "peak RSS, 6 GiB"),
    growthRow("RSS, 6 GiB to 1", [hugeHeld.measured], [largeHeld.measured], 1.25),
  ];
}

/**
 * @param {Lab} lab
 * @param {Sink} sink
 */
async function runList({ quick, measure, taskflow }, sink) {
  const env = environmentsOf(sink);
  const [many, more] = quick ? [10_000, 30_000] : [100_000, 300_000];
  const list = async () => await taskflow(["attach", "list"], env.ours);
  sink.hold(many);
  const pairs = await inPairs(
    quick ? 3 : 5,
    async () => {
      const measured = await list();
      expectEqual("rows", countLines(measured.output), many);
      return measured;
    },
    async () => {
      const measured = await measure(["aws", "s3", "ls", "--recursive", "s3://bucket/tasks/"], 1, env.aws);
      expectEqual("rows of aws", countLines(measured.output), many);
      return measured;
    },
  );
  sink.hold(more);
  const longer = await list();
  expectEqual("rows", countLines(longer.output), more);
  const ours = pairs.map((pair) => pair.ours);
  return [
    ratioRow(pairs, "wall", null),
    ratioRow(pairs, "cpu", 0.5),
    memoryRow(ours),
    growthRow("RSS, 300,000 to 100,000", [longer], ours, 1.25),
  ];
}

/**
 * @param {Lab} lab
 * @param {(lab: Lab, sink: Sink) => Promise<Row[]>} run
 * @returns {Promise<Row[]>}
 */
async function withSink(lab, run) {
  const sink = await startSink(lab.folder);
  try {
    return await run(lab, sink);
  } finally {
    await sink.close();
  }
}

/** @param {Sink} sink */
function environmentsOf({ port, host, caFile }) {
  const both = {
    AWS_CA_BUNDLE: caFile,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIABENCH00000000001",
    AWS_SECRET_ACCESS_KEY: "nobody-looks-at-this-secret",
  };
  return {
    ours: {
      ...both,
      USE_S3: "true",
      AWS_S3_BUCKET: "bucket",
      AWS_ENDPOINT_URL_S3: `https://${host}:${port}`,
      NODE_OPTIONS: `--require=${path.join(import.meta.dirname, "as-aws.cjs")}`,
    },
    aws: { ...both, AWS_ENDPOINT_URL_S3: `https://127.0.0.1:${port}` },
  };
}

/**
 * The one upload since the last look had the bytes of this file, in this order.
 * @param {Sink} sink
 * @param {string} file
 */
function expectArrived(sink, file) {
  const sunk = sink.take();
  expectEqual("uploads", sunk.length, 1);
  const descriptor = openSync(file, "r");
  try {
    for (const [number, { size, crc }] of (sunk[0]?.parts ?? []).entries()) {
      const bytes = Buffer.allocUnsafe(size);
      expectEqual("bytes read", readSync(descriptor, bytes), size);
      expectEqual(`CRC32 of part ${number + 1}`, crc, crc32(bytes));
    }
    expectEqual("bytes left", readSync(descriptor, Buffer.allocUnsafe(1)), 0);
  } finally {
    closeSync(descriptor);
  }
}
