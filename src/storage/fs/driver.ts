/** The folder store: plain files at their keys, and beside them `.taskflow/` with all that is known of them. */
import type { FileHandle } from "node:fs/promises";
import { throwIfAborted } from "../../errors.ts";
import { pacer } from "../abortable.ts";
import type { StorageDriver, Supports, Versions } from "../driver.ts";
import { deleteKeys } from "./delete.ts";
import { head } from "./describe.ts";
import { closeQuietly, createDurable } from "./durable.ts";
import { translated, translatedEach } from "./errors.ts";
import { preparation } from "./folder.ts";
import type { Folder } from "./folder.ts";
import { get } from "./get.ts";
import { inspect } from "./inspect.ts";
import { list, listDeleted } from "./list.ts";
import { purgeKeys } from "./purge.ts";
import { put } from "./put.ts";
import type { LinkSettings } from "../presigner.ts";
import { folderPresigner } from "./presigner.ts";
import { folderLifecycle } from "./lifecycle.ts";
import { openRoot } from "./root.ts";
import type { RootOptions } from "./root.ts";
import { trashReader } from "./trash.ts";
import { headDeleted, undeleteKeys } from "./undelete.ts";

export interface FolderOptions extends RootOptions {
  /** As `DriverOptions.links`. */
  readonly links?: () => LinkSettings;
  /** The clock; the system's unless a test has another. */
  readonly now?: () => Date;
}

/**
 * Opens the store in a folder, or makes it with `create`. Several processes may have it open: none locks.
 *
 * What this store does beyond the interface: a key is written once, so `put` answers `exists` without `ifAbsent` too,
 * and for a deleted key; `existed` is always told, and of two deletes at once one is told `false`.
 * Errors: `no_store`; `bad_config` for `/`, a file, symlinks inside; `unsupported` for a newer format; `permission`.
 */
export async function openFolder(path: string, options: FolderOptions): Promise<StorageDriver> {
  const durable = createDurable();
  const { layout, hasFormat } = await translated(`open the store ${path}`, path, () =>
    openRoot(path, durable, options),
  );
  const folder: Folder = {
    layout,
    durable,
    now: options.now ?? (() => new Date()),
    warn: options.onWarning ?? (() => undefined),
    prepare: preparation(layout, durable, hasFormat),
    readTrash: trashReader(layout),
  };
  const plain = folderDriver(folder);
  const links = options.links ?? null;
  const driver = links === null ? plain : { ...plain, presigner: folderPresigner(folder, links) };
  return {
    ...driver,
    async *check(how) {
      // Not with every start: of the small programs only doctor needs it.
      const { checkFolder } = await import("./checks/folder-checks.ts");
      yield* checkFolder(folder, driver, { uid: options.uid ?? null, links }, how);
    },
  };
}

const SUPPORTS: Supports = {
  ifAbsent: true,
  storageClass: true,
  tags: true,
  // The file system's own limit answers before: EFBIG is `io`.
  maxSize: Number.MAX_SAFE_INTEGER,
};

/** Some 2 ms of work. */
const HEADS_AT_A_TIME = 64;

function folderDriver(folder: Folder): StorageDriver {
  const { root } = folder.layout;
  const handles = new Set<FileHandle>();
  const pace = pacer(HEADS_AT_A_TIME);
  return {
    location: root,
    supports: SUPPORTS,
    versions: folderVersions(folder),
    lifecycle: folderLifecycle(folder),
    put: (key, body, options) => translated(`store ${key}`, root, () => put(folder, key, body, options)),
    head: (key, { signal }) =>
      translated(`read ${key}`, root, async () => {
        throwIfAborted(signal);
        await pace(signal);
        return head(folder, key);
      }),
    inspect: (key, { signal }) =>
      translated(`read ${key}`, root, async () => {
        throwIfAborted(signal);
        return await inspect(folder, key);
      }),
    get: (key, options) => translated(`read ${key}`, root, () => get(folder, key, options, handles)),
    list: (prefix, options) => translatedEach(`list ${prefix}`, root, () => list(folder.layout, prefix, options)),
    delete: (keys, { signal }) => translatedEach("delete", root, () => deleteKeys(folder, keys, signal)),
    async close() {
      await Promise.all([...handles].map((handle) => closeQuietly(handle)));
      handles.clear();
    },
  };
}

function folderVersions(folder: Folder): Versions {
  const { root } = folder.layout;
  return {
    listDeleted: (prefix, options) =>
      translatedEach(`list deleted ${prefix}`, root, () => listDeleted(folder.layout, prefix, options)),
    headDeleted: (key, { signal }) =>
      translated(`read deleted ${key}`, root, async () => {
        throwIfAborted(signal);
        return await headDeleted(folder, key, signal);
      }),
    undelete: (keys, { signal }) => translatedEach("undelete", root, () => undeleteKeys(folder, keys, signal)),
    purge: (keys, { signal }) => translatedEach("purge", root, () => purgeKeys(folder, keys, signal)),
  };
}
