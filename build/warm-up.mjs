/**
 * Runs the commands that people run most, on a folder and on a bucket, and keeps the code that V8 made of them. Its
 * argument is the folder of the bundles; the temporary folder in which it is started gets the stores.
 */
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { startBucket } from "./bucket.mjs";

const [folder] = process.argv.slice(2);
const { loadBundle, saveCode } = createRequire(import.meta.url)(path.resolve(folder, "bundles.cjs"));
const { main } = loadBundle("main.cjs");

// Each command listens for signals and failing streams, as in a process of its own.
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);

/** Of the least size that is sent in parts, and small ones. */
const LARGE = 20 * 1024 * 1024;

async function run(...argv) {
  await ended(0, "attach", ...argv);
}

async function ended(expected, ...argv) {
  const status = await main(argv);
  if (status !== expected) throw new Error(`taskflow ${argv.join(" ")} ended with ${status}`);
}

async function everyday() {
  await run("upload", "T-1", "notes.txt", "report.pdf");
  await run("list", "T-1");
  await run("list", "T-1", "--json");
  process.stdout.isTTY = true;
  await run("list", "T-1");
  process.stdout.isTTY = false;
  await run("show", "T-1", "notes.txt");
  await run("download", "T-1", "notes.txt", "-o", "copy.txt", "--if-exists", "overwrite");
  await run("verify", "T-1");
  await run("delete", "T-1", "report.pdf");
  await run("undelete", "T-1", "report.pdf");
  await run("run", "T-1", "--", process.execPath, "--version");
  await ended(3, "attach", "download", "T-1", "nothing");
}

writeFileSync("notes.txt", "notes\n");
writeFileSync("report.pdf", "%PDF-1.7\n");
writeFileSync("large.bin", Buffer.alloc(LARGE, "large"));

try {
  await ended(0, "--help");
  await ended(0, "attach", "upload", "--help");
  await ended(2, "attach", "upload", "--wrong");
  await everyday();
  await run("lifecycle", "status", "T-1");
  const bucket = await startBucket();
  Object.assign(process.env, {
    USE_S3: "true",
    AWS_S3_BUCKET: "warm-up",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_S3: bucket.endpoint,
    AWS_ACCESS_KEY_ID: "nobody",
    AWS_SECRET_ACCESS_KEY: "no secret",
  });
  await everyday();
  await run("presign", "T-1", "notes.txt");
  await run("upload", "T-1", "large.bin");
  // Drawn on a terminal alone.
  loadBundle("cli.output.spinner.cjs");
  saveCode();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
