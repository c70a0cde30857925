/** What every S3 needs that the suite runs on. */
import type { StorageDriver } from "../../src/storage/driver.ts";

/**
 * S3 tells times in whole seconds, and those of a PUT and of a delete only when it is asked afterwards: the driver
 * answers with the Date of the reply, which may be a tick later, and asks for nothing. Here it is compared, and what is
 * asked afterwards is what the suite gets.
 */
export function onTheTick(driver: StorageDriver): StorageDriver {
  return {
    ...driver,
    async put(key, body, options) {
      const stored = await driver.put(key, body, options);
      const { modifiedAt } = await driver.head(key, { signal: options.signal });
      return { ...stored, modifiedAt: sameTick(stored.modifiedAt, modifiedAt) };
    },
    async *delete(keys, options) {
      let first = true;
      for await (const result of driver.delete(keys, options)) {
        // A listing for each of a thousand keys would take longer than all the rest.
        const { deletedAt } = first ? await rowOf(driver, result.key, result) : result;
        first = false;
        yield { ...result, deletedAt: sameTick(result.deletedAt, deletedAt) };
      }
    },
  };
}

async function rowOf<T>(driver: StorageDriver, key: string, otherwise: T): Promise<T | { deletedAt: Date }> {
  if (driver.versions === undefined) return otherwise;
  const signal = new AbortController().signal;
  for await (const row of driver.versions.listDeleted(key, { signal })) return row.key === key ? row : otherwise;
  return otherwise;
}

function sameTick(told: Date, asked: Date): Date {
  const apart = Math.abs(told.getTime() - asked.getTime());
  if (apart > 10_000) throw new Error(`told ${told.toISOString()}, asked ${asked.toISOString()}`);
  return asked;
}
