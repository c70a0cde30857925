/** A driver whose callers need not be trusted: keys and options are looked at before a byte is taken. */
import { TaskflowError } from "../errors.ts";
import type { Archive, Body, ListOptions, PutOptions, Range, StorageDriver, Supports, Versions } from "./driver.ts";
import type { Lifecycle } from "./lifecycle/lifecycle.ts";
import type { Presigner } from "./presigner.ts";

/**
 * The driver behind one gate. A key that is none is `usage`, an option that the store can't honour `unsupported`,
 * a body that is too large by its own word `too_large`; of many keys all are looked at before the first is touched.
 */
export function checked(driver: StorageDriver): StorageDriver {
  const { supports, versions, archive, lifecycle, presigner, check } = driver;
  return {
    location: driver.location,
    supports,
    ...(versions === undefined ? {} : { versions: checkedVersions(versions) }),
    ...(archive === undefined ? {} : { archive: checkedArchive(archive) }),
    ...(lifecycle === undefined ? {} : { lifecycle: checkedLifecycle(lifecycle) }),
    ...(presigner === undefined ? {} : { presigner: checkedPresigner(presigner) }),
    async put(key, body, options) {
      checkNewKey(key);
      checkPut(key, body, options, supports);
      const maxSize = Math.min(options.maxSize ?? supports.maxSize, supports.maxSize);
      return await driver.put(key, body, { ...options, maxSize });
    },
    async head(key, options) {
      checkKey(key);
      return await driver.head(key, options);
    },
    async inspect(key, options) {
      checkKey(key);
      return await driver.inspect(key, options);
    },
    async get(key, options) {
      checkKey(key);
      checkRange(options.range);
      return await driver.get(key, options);
    },
    list: (prefix, options) => checkedList(prefix, options, () => driver.list(prefix, options)),
    delete: (keys, options) => checkedKeys(keys, (all) => driver.delete(all, options)),
    ...(check === undefined ? {} : { check }),
    close: () => driver.close(),
  };
}

/** As S3: bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/** Errors: `usage` for what can't be a key on every store. */
export function checkKey(key: string): void {
  const wrong = wrongWith(key);
  if (wrong !== null) throw new TaskflowError("usage", `${JSON.stringify(key)} can't be a key: ${wrong}`);
}

function checkedVersions(versions: Versions): Versions {
  return {
    ...versions,
    listDeleted: (prefix, options) => checkedList(prefix, options, () => versions.listDeleted(prefix, options)),
    async headDeleted(key, options) {
      checkKey(key);
      return await versions.headDeleted(key, options);
    },
    undelete: (keys, options) => checkedKeys(keys, (all) => versions.undelete(all, options)),
    purge: (keys, options) => checkedKeys(keys, (all) => versions.purge(all, options)),
  };
}

function checkedArchive(archive: Archive): Archive {
  return {
    async thaw(key, options) {
      checkKey(key);
      if (!(Number.isSafeInteger(options.days) && options.days >= 1)) {
        throw new TaskflowError("usage", `cannot thaw ${key} for ${options.days} days: at least 1`);
      }
      return await archive.thaw(key, options);
    },
  };
}

function checkedLifecycle(lifecycle: Lifecycle): Lifecycle {
  const { apply } = lifecycle;
  return {
    ...lifecycle,
    kept: (prefix, options) => checkedList(prefix, options, () => lifecycle.kept(prefix, options)),
    unfinished: (prefix, options) => checkedList(prefix, options, () => lifecycle.unfinished(prefix, options)),
    ...(apply === undefined
      ? {}
      : {
          async *apply(steps, options) {
            const all = [...steps];
            for (const { version } of all) checkKey(version.key);
            yield* apply(all, options);
          },
        }),
  };
}

function checkedPresigner(presigner: Presigner): Presigner {
  const { post } = presigner;
  return {
    ...presigner,
    async get(key, options) {
      checkKey(key);
      checkExpiry(options.expiresSeconds);
      return await presigner.get(key, options);
    },
    async put(key, options) {
      checkNewKey(key);
      checkExpiry(options.expiresSeconds);
      return await presigner.put(key, options);
    },
    ...(post === undefined
      ? {}
      : {
          async post(key, options) {
            checkNewKey(key);
            checkExpiry(options.expiresSeconds);
            return await post(key, options);
          },
        }),
  };
}

/** S3's own limit: seven days (API reference, "Authenticating Requests: Using Query Parameters"). */
export const MAX_EXPIRES_SECONDS = 604_800;

function checkExpiry(seconds: number): void {
  if (Number.isSafeInteger(seconds) && seconds >= 1 && seconds <= MAX_EXPIRES_SECONDS) return;
  throw new TaskflowError("usage", `a link can't last ${seconds} seconds: 1 to ${MAX_EXPIRES_SECONDS} are possible`);
}

async function* checkedKeys<T>(
  keys: Iterable<string>,
  run: (keys: readonly string[]) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const all = [...keys];
  for (const key of all) checkKey(key);
  yield* run(all);
}

async function* checkedList<T>(
  prefix: string,
  { after }: ListOptions,
  run: () => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  checkText("prefix", prefix);
  if (after !== undefined) checkText("place to begin after", after);
  yield* run();
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

function wrongWith(key: string): string | null {
  if (key === "") return "it is empty";
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `it has more than ${MAX_KEY_BYTES} bytes`;
  if (key.includes("\0")) return "it has a NUL in it";
  if (LONE_SURROGATE.test(key)) return "it is not proper Unicode";
  const segments = key.split("/");
  if (segments[0] === "") return "it begins with a slash";
  if (segments.some((segment) => segment === "." || segment === "..")) return "it has a '.' or '..' in it";
  return null;
}

/** Other programs may have put keys with control characters there: those can be read and deleted, not made. */
function checkNewKey(key: string): void {
  checkKey(key);
  if (CONTROL.test(key)) {
    throw new TaskflowError("usage", `${JSON.stringify(key)} can't be a key: it has a control character in it`, {
      hint: "such keys are read and deleted, never made: download it, and attach it again",
    });
  }
}

function checkText(what: string, text: string): void {
  const wrong = text.includes("\0") || LONE_SURROGATE.test(text) || Buffer.byteLength(text) > MAX_KEY_BYTES;
  if (wrong) throw new TaskflowError("usage", `${JSON.stringify(text)} can't be a ${what}`);
}

function checkPut(key: string, body: Body, options: PutOptions, supports: Supports): void {
  const unsupported = (what: string): TaskflowError =>
    new TaskflowError("unsupported", `cannot store ${key}: this store can't ${what}`, { context: { key } });
  if (options.ifAbsent && !supports.ifAbsent) throw unsupported("refuse to replace what is there already");
  if (options.storageClass !== undefined) {
    if (!supports.storageClass) throw unsupported("keep storage classes");
    if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(options.storageClass)) throw usage(key, "storage class", options.storageClass);
  }
  if (Object.keys(options.tags ?? {}).length > 0 && !supports.tags) throw unsupported("keep tags");
  if (options.sha256 !== undefined && !/^[0-9a-f]{64}$/.test(options.sha256))
    throw usage(key, "SHA-256", options.sha256);
  if (options.maxSize !== undefined && !(options.maxSize >= 0)) throw usage(key, "size", String(options.maxSize));
  const maxSize = Math.min(options.maxSize ?? supports.maxSize, supports.maxSize);
  if (body.size !== null && body.size > maxSize) {
    throw new TaskflowError("too_large", `cannot store ${key}: ${body.size} bytes, at most ${maxSize} are allowed`, {
      context: { key, size: body.size, maxSize },
    });
  }
  if (body.size === 0 && options.notEmpty === true) {
    throw new TaskflowError("usage", `cannot store ${key}: there are no bytes`, { context: { key } });
  }
}

function usage(key: string, what: string, text: string): TaskflowError {
  return new TaskflowError("usage", `cannot store ${key}: ${JSON.stringify(text)} is no ${what}`, { context: { key } });
}

function checkRange(range: Range | undefined): void {
  if (range === undefined) return;
  const { start, end } = range;
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start) return;
  throw new TaskflowError("usage", `${start} to ${end} is no range of bytes`, { context: { start, end } });
}
