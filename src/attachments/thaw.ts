/** Archived attachments: asking for their bytes. */
import { TaskflowError } from "../errors.ts";
import type { Archive, StorageDriver } from "../storage/driver.ts";

/** Errors: `unsupported` for a store without an archive. */
export function archiveOf(driver: StorageDriver): Archive {
  if (driver.archive !== undefined) return driver.archive;
  throw new TaskflowError("unsupported", `${driver.location} has no archive: all that is in it can be read at once`, {
    hint: "storage classes are labels on a folder",
  });
}
