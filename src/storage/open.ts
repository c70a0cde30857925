/** Opening a store: the driver of its kind, wrapped once, in the order that is written here. */
import { checked } from "./checked.ts";
import type { StorageDriver } from "./driver.ts";
import { DEFAULT_LIMIT, limit } from "./limit.ts";
import type { Location } from "./location.ts";
import { paced } from "./pace.ts";
import { loadDriver } from "./registry.ts";
import type { DriverOptions } from "./registry.ts";

export interface OpenOptions extends DriverOptions {
  /** Operations in flight. */
  readonly concurrency?: number;
}

/**
 * The store at this location. Close it when done.
 * Errors: `no_store`, `bad_config`, `unsupported`, `permission`, … of its kind.
 */
export async function openDriver(location: Location, options: OpenOptions): Promise<StorageDriver> {
  const driver = await loadDriver(location, options);
  const { pace } = options;
  const held = pace === undefined ? driver : paced(driver, pace, { pacesPuts: location.kind === "s3" });
  // What is refused doesn't wait for its turn.
  return checked(limit(held, options.concurrency ?? DEFAULT_LIMIT));
}
