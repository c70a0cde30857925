/** A store within a store: a driver that sees nothing but what is under a prefix, for a bucket that isn't ours alone. */
import type { ListOptions, StorageDriver, Versions } from "../../src/storage/driver.ts";

export function scoped(driver: StorageDriver, prefix: string): StorageDriver {
  const { versions, archive, check } = driver;
  const inner = (key: string): string => prefix + key;
  const outer = <T extends { readonly key: string }>(told: T): T => ({ ...told, key: told.key.slice(prefix.length) });

  async function* outerOf<T extends { readonly key: string }>(
    all: AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    for await (const one of all) yield outer(one);
  }

  function* innerOf(keys: Iterable<string>): Generator<string, void, undefined> {
    for (const key of keys) yield inner(key);
  }

  const after = (options: ListOptions): ListOptions =>
    options.after === undefined ? options : { ...options, after: inner(options.after) };

  const scopedVersions = (all: Versions): Versions => ({
    ...all,
    listDeleted: (start, options) => outerOf(all.listDeleted(inner(start), after(options))),
    headDeleted: async (key, options) => outer(await all.headDeleted(inner(key), options)),
    undelete: (keys, options) => outerOf(all.undelete(innerOf(keys), options)),
    purge: (keys, options) => outerOf(all.purge(innerOf(keys), options)),
  });

  return {
    location: driver.location,
    supports: driver.supports,
    ...(versions === undefined ? {} : { versions: scopedVersions(versions) }),
    ...(archive === undefined
      ? {}
      : { archive: { thaw: async (key, options) => outer(await archive.thaw(inner(key), options)) } }),
    // Of the whole bucket: its probe has a task of its own, and goes again.
    ...(check === undefined ? {} : { check }),
    put: async (key, body, options) => outer(await driver.put(inner(key), body, options)),
    head: async (key, options) => outer(await driver.head(inner(key), options)),
    async inspect(key, options) {
      const { object, ...more } = await driver.inspect(inner(key), options);
      return { object: outer(object), ...more };
    },
    async get(key, options) {
      const { object, chunks } = await driver.get(inner(key), options);
      return { object: outer(object), chunks };
    },
    list: (start, options) => outerOf(driver.list(inner(start), after(options))),
    delete: (keys, options) => outerOf(driver.delete(innerOf(keys), options)),
    close: () => driver.close(),
  };
}
