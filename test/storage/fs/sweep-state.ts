/** What must hold of a store after anything was killed in it. */
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import type { StorageDriver, StoredObject } from "../../../src/storage/driver.ts";
import { openFolder } from "../../../src/storage/fs/driver.ts";
import { bodyOf, calm, collect, concat, keysOf, putOptions, sha256 } from "../../conformance/bodies.ts";
import { MOVING, contentOf } from "./contents.ts";

/** Attachments that were there before, and that no operation may touch. */
const EARLIER = {
  live: ["tasks/T-1/earlier", "tasks/T-1/earlier-label", "tasks/T-2/earlier"],
  deleted: ["tasks/T-1/earlier-deleted", "tasks/T-3/earlier-deleted"],
};

export type State = "live" | "deleted" | "absent";

/** Makes the store that the operations begin with: the earlier ones, and these. */
export async function makeTemplate(
  store: string,
  targets: { readonly live: readonly string[]; readonly deleted: readonly string[] },
): Promise<void> {
  const driver = await openFolder(store, { create: true });
  for (const key of [...EARLIER.live, ...EARLIER.deleted, ...targets.live, ...targets.deleted]) await put(driver, key);
  const gone = [...EARLIER.deleted, ...targets.deleted];
  await collect(driver.delete(gone, { signal: calm }));
  await driver.close();
}

/** Opens the store as a new process would; `later` is that much after now. */
export function reopen(store: string, laterMs = 0): Promise<StorageDriver> {
  return openFolder(store, { create: false, now: () => new Date(Date.now() + laterMs) });
}

export async function put(driver: StorageDriver, key: string): Promise<StoredObject> {
  const storageClass = key.includes("label") ? "GLACIER_IR" : "STANDARD";
  return await driver.put(key, bodyOf(contentOf(key)), putOptions({ type: "text/x-sweep", storageClass }));
}

/**
 * Of the whole store: nothing half-visible, no key live and deleted at once, the earlier ones as they were.
 * Gives the state of these keys.
 */
export async function checkStore(store: string, keys: readonly string[]): Promise<State[]> {
  const driver = await reopen(store);
  try {
    const live = await keysOf(driver.list("", { signal: calm }));
    const deleted = await keysInTrash(store);
    const listed = await keysOf(driver.versions?.listDeleted("", { signal: calm }) ?? nothing());
    const both = live.filter((key) => deleted.includes(key));
    if (both.length > 0) throw new Error(`live and deleted at once: ${both.join(", ")}`);
    if (listed.join() !== [...deleted].sort().join())
      throw new Error(`the trash has ${deleted.join()}, listed are ${listed.join()}`);
    for (const key of live) await checkObject(driver, key, await driver.head(key, { signal: calm }));
    for (const key of deleted) await checkDeleted(driver, store, key);
    const lost = EARLIER.live.filter((key) => !live.includes(key));
    const lostDeleted = EARLIER.deleted.filter((key) => !deleted.includes(key));
    if (lost.length + lostDeleted.length > 0) throw new Error(`lost: ${[...lost, ...lostDeleted].join(", ")}`);
    const strange = [...live, ...deleted].filter(
      (key) => !keys.includes(key) && !EARLIER.live.includes(key) && !EARLIER.deleted.includes(key),
    );
    if (strange.length > 0) throw new Error(`nobody put these there: ${strange.join(", ")}`);
    return keys.map((key) => (live.includes(key) ? "live" : deleted.includes(key) ? "deleted" : "absent"));
  } finally {
    await driver.close();
  }
}

/** Files in the trash, by key, as they lie there. */
export async function keysInTrash(store: string): Promise<string[]> {
  const trash = path.join(store, ".taskflow/trash");
  const entries = await readdir(trash, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `tasks/${path.relative(trash, entry.parentPath).split(path.sep)[0] ?? ""}/${entry.name}`);
}

async function checkObject(driver: StorageDriver, key: string, object: StoredObject): Promise<void> {
  const { chunks } = await driver.get(key, { signal: calm });
  checkBytes(key, object, await concat(chunks));
}

async function checkDeleted(driver: StorageDriver, store: string, key: string): Promise<void> {
  const object = await driver.versions?.headDeleted(key, { signal: calm });
  if (object === undefined) throw new Error("no versions");
  const [directory = "", base = ""] = key.split("/").slice(1);
  const trash = path.join(store, ".taskflow/trash", directory);
  for (const entry of await readdir(trash)) {
    const bytes = await readFile(path.join(trash, entry, base)).catch(() => null);
    if (bytes !== null) checkBytes(key, object, bytes);
  }
}

function checkBytes(key: string, { size, record, damaged, type, storageClass }: StoredObject, bytes: Uint8Array): void {
  if (damaged !== undefined) throw new Error(`${key}: ${damaged}`);
  if (record === null) throw new Error(`${key} is visible without a record`);
  if (Buffer.compare(bytes, contentOf(key)) !== 0) throw new Error(`${key} has other bytes`);
  const label = key.includes(MOVING) ? storageClass : key.includes("label") ? "GLACIER_IR" : "STANDARD";
  if (key.includes(MOVING) && !["STANDARD", "GLACIER"].includes(storageClass))
    throw new Error(`${key}: ${storageClass}`);
  const facts = { size, recorded: record.size, sha256: record.sha256, type, storageClass };
  const expected = {
    size: bytes.length,
    recorded: bytes.length,
    sha256: sha256(bytes),
    type: "text/x-sweep",
    storageClass: label,
  };
  if (JSON.stringify(facts) !== JSON.stringify(expected)) throw new Error(`${key} is ${JSON.stringify(facts)}`);
}

async function* nothing(): AsyncGenerator<{ key: string }> {
  // A store without versions.
}
