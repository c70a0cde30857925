/** What `check` says of a folder that something is mounted in: a real mount, in a namespace that ends with its process. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { beforeEach, expect, test } from "vitest";
import { freshPaths } from "./folders.ts";
import { need } from "./needs.ts";
import { run } from "./strace.ts";

const fresh = freshPaths("checks");
const ROOT = path.resolve(import.meta.dirname, "../../..");

beforeEach((context) => need(context, "root", "mounts"));

/** Opens the store and prints what its checks of the file system say. */
const PROGRAM = `
  import { openFolder } from "${ROOT}/src/storage/fs/driver.ts";
  const driver = await openFolder(process.argv[2] ?? "", { create: true });
  const how = { write: false, origin: null, fix: false, signal: new AbortController().signal };
  for await (const { id, status, message } of driver.check?.(how) ?? []) {
    if (id === "file-system") console.log(status, message);
  }
`;

test("a mount inside the store is a failure, and a store in memory is worth a look", async () => {
  const folder = await fresh();
  await mkdir(folder);
  const source = path.join(folder, "program.mts");
  const program = path.join(folder, "program.mjs");
  await writeFile(source, PROGRAM);
  await build({
    entryPoints: [source],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "warning",
  });
  const store = path.join(folder, "store");
  const { stdout } = await run("unshare", [
    "-m",
    "sh",
    "-c",
    [
      `mkdir ${store} && mount -t tmpfs -o mode=700 none ${store}`,
      `node ${program} ${store}`,
      `mkdir -m 700 ${store}/tasks && mount -t tmpfs -o mode=700 none ${store}/tasks`,
      `node ${program} ${store}`,
    ].join("\n"),
  ]);
  expect(stdout.trim().split("\n")).toEqual([
    "warn on tmpfs: it is gone when the machine stops",
    `fail ${store}/tasks is on another file system than ${store}: uploads fail there`,
  ]);
});
