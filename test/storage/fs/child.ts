/**
 * A program of its own that works on a folder store, to be killed or lied to: `child STORE OPERATION [KEY...]`. It
 * prints each key once the store has acknowledged it, as the command line does.
 */
import fs from "node:fs";
import type { StorageDriver } from "../../../src/storage/driver.ts";
import type { LifecycleStep } from "../../../src/storage/lifecycle/lifecycle.ts";
import { toTaskflowError } from "../../../src/errors.ts";
import { openDriver } from "../../../src/storage/open.ts";
import { bodyOf, calm, concat, putOptions, sha256 } from "../../conformance/bodies.ts";
import { contentOf } from "./contents.ts";

const [, , store = "", operation = "", ...keys] = process.argv;

/** Synchronous: what was printed is out before the next system call. */
function say(text: string): void {
  fs.writeSync(1, `${text}\n`);
}

async function put(driver: StorageDriver, key: string): Promise<void> {
  await driver.put(key, bodyOf(contentOf(key)), putOptions({ type: "text/x-sweep", storageClass: classOf(key) }));
  say(key);
}

/** Half of them with a label, whose file is one more that can be left behind. */
function classOf(key: string): string {
  return key.includes("label") ? "GLACIER_IR" : "STANDARD";
}

/** Says the digest of what was read. */
async function get(driver: StorageDriver, key: string): Promise<void> {
  const { chunks } = await driver.get(key, { signal: calm });
  say(sha256(await concat(chunks)));
}

async function each(results: AsyncIterable<{ key: string; error?: Error }> | undefined): Promise<void> {
  if (results === undefined) throw new Error("no versions");
  for await (const { key, error } of results) {
    if (error !== undefined) throw error;
    say(key);
  }
}

/** Steps come as JSON, so that nothing is listed here. */
async function apply({ lifecycle }: StorageDriver): Promise<void> {
  const steps = keys.map((text) => JSON.parse(text, (name, value) => (DATES.has(name) ? new Date(value) : value)));
  for await (const { step, error } of lifecycle?.apply?.(steps as LifecycleStep[], { signal: calm }) ?? []) {
    if (error !== undefined) throw error;
    say(step.version.key);
  }
}

const DATES: ReadonlySet<string> = new Set(["modifiedAt", "noncurrentSince", "deletedAt"]);

async function work(driver: StorageDriver): Promise<void> {
  const options = { signal: calm };
  if (operation === "create") say(driver.location);
  else if (operation === "put") await Promise.all(keys.map((key) => put(driver, key)));
  else if (operation === "get") await Promise.all(keys.map((key) => get(driver, key)));
  else if (operation === "delete") await each(driver.delete(keys, options));
  else if (operation === "undelete") await each(driver.versions?.undelete(keys, options));
  else if (operation === "purge") await each(driver.versions?.purge(keys, options));
  else if (operation === "apply") await apply(driver);
  else throw new Error(`no operation ${operation}`);
}

/** `create` makes it; all others want one that is there. */
async function runChild(): Promise<void> {
  const onWarning = (text: string): void => {
    fs.writeSync(2, `warning: ${text}\n`);
  };
  const driver = await openDriver({ kind: "folder", path: store }, { create: operation === "create", onWarning });
  await work(driver);
  await driver.close();
}

runChild().catch((thrown: unknown) => {
  const error = toTaskflowError(thrown);
  fs.writeSync(2, `${error.code}: ${error.message}\n`);
  process.exitCode = error.exit;
});
