/** A store that is not there yet: every look finds nothing, and nothing can be changed. For dry runs before the first upload. */
import { TaskflowError } from "../errors.ts";
import type { StorageDriver } from "./driver.ts";

export function absentStore(location: string): StorageDriver {
  const nothing = (key: string): TaskflowError => new TaskflowError("not_found", `there is no ${key}: no store yet`);
  const refuse = (): TaskflowError => new TaskflowError("no_store", `there is no store at ${location} yet`);
  return {
    location,
    supports: { ifAbsent: true, storageClass: true, tags: true, maxSize: Number.MAX_SAFE_INTEGER },
    put: () => Promise.reject(refuse()),
    head: (key) => Promise.reject(nothing(key)),
    inspect: (key) => Promise.reject(nothing(key)),
    get: (key) => Promise.reject(nothing(key)),
    // oxlint-disable-next-line eslint/require-yield, eslint/no-empty-function -- an empty listing
    async *list() {},
    // oxlint-disable-next-line eslint/require-yield -- refuses at once
    async *delete() {
      throw refuse();
    },
    close: () => Promise.resolve(),
  };
}
