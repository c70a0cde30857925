/**
 * The user's key file: what signs the links of all folder stores of this user. A line a key, 64 hex digits; the last one
 * signs, all of them verify, and `#` begins a remark. So keys are changed by adding a line, and, once the links of the
 * old key have ended, removing its line; removing it at once ends them at once.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, rename, stat } from "node:fs/promises";
import path from "node:path";
import { TaskflowError } from "../../errors.ts";
import { closeQuietly, createDurable, createFile, removeQuietly } from "./durable.ts";
import { isErrno, translated } from "./errors.ts";
import { NO_LINKS } from "./format.ts";
import { SECRET_BYTES, linkKey } from "./signing.ts";
import type { LinkKey } from "./signing.ts";

/** The newest first; never empty. */
export type LinkKeys = readonly [LinkKey, ...LinkKey[]];

/**
 * The keys of a file; where there is none it is made with one key, 0600, in a folder of 0700: of two first runs at once
 * both get the same. The checks are made on the open file. `uid: null` skips owner and mode.
 * Errors: `permission` where others can read or own it; `bad_config` where it is empty or holds no keys; `io`.
 */
export async function readLinkKeys(file: string, uid: number | null): Promise<LinkKeys> {
  return await translated("use the key that signs links", file, async () => {
    const found = await readKeys(file, uid);
    if (found !== null) return found;
    await makeKeyFile(file);
    const made = await readKeys(file, uid);
    if (made === null) throw new TaskflowError("io", `${file} vanished as soon as it was made`);
    return made;
  });
}

/** As `readLinkKeys`, but nothing is made: `null` where there is no file. */
export async function findLinkKeys(file: string, uid: number | null): Promise<LinkKeys | null> {
  return await translated("use the key that signs links", file, () => readKeys(file, uid));
}

/** `readLinkKeys` for a process that stays: the file is read again only when it is another than before. */
export function followLinkKeys(file: string, uid: number | null): () => Promise<LinkKeys> {
  let known: { readonly stamp: string; readonly keys: LinkKeys } | null = null;
  return async () => {
    const stamp = await stampOf(file);
    if (known !== null && stamp === known.stamp) return known.keys;
    const keys = await readLinkKeys(file, uid);
    // Changed in between: then the stamp is already old, and the next call reads again.
    known = { stamp: stamp ?? "made just now", keys };
    return keys;
  };
}

const MAX_BYTES = 64 * 1024;

async function stampOf(file: string): Promise<string | null> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** `null` where there is no file. */
async function readKeys(file: string, uid: number | null): Promise<LinkKeys | null> {
  let handle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size > MAX_BYTES) throw notKeys(file, "it is no small plain file");
    if (uid !== null) {
      if (status.uid !== uid) {
        const hint = `chown it to uid ${uid}, or name another with TASKFLOW_URL_KEY_FILE`;
        throw refused(file, `it belongs to another user (uid ${status.uid})`, hint);
      }
      const mode = status.mode & 0o777;
      if ((mode & 0o077) !== 0) {
        throw refused(file, `others may read it (mode ${mode.toString(8).padStart(4, "0")})`, `chmod 600 ${file}`);
      }
    }
    return parseKeys(await handle.readFile("utf8"), file);
  } finally {
    await closeQuietly(handle);
  }
}

function parseKeys(text: string, file: string): LinkKeys {
  if (text === "") throw notKeys(file, "it is empty");
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  const secrets = lines.filter((line) => line !== "");
  if (secrets.some((line) => !/^[0-9a-f]{64}$/i.test(line))) {
    throw notKeys(file, "a line of it is not 64 hex digits");
  }
  const [newest, ...older] = secrets.map((line) => linkKey(Buffer.from(line, "hex"))).reverse();
  if (newest === undefined) throw notKeys(file, "there is no key in it");
  return [newest, ...older];
}

/** Whole or not at all. Somebody else's, made at the same time, stays. */
async function makeKeyFile(file: string): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const part = path.join(folder, `.${randomBytes(8).toString("hex")}.part`);
  await createFile(part, Buffer.from(`${randomBytes(SECRET_BYTES).toString("hex")}\n`));
  try {
    await publish(part, file);
  } finally {
    await removeQuietly(part);
  }
  await createDurable().syncDirectory(folder);
}

async function publish(part: string, file: string): Promise<void> {
  try {
    await link(part, file);
    return;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return;
    if (!isErrno(error, ...NO_LINKS)) throw error;
  }
  // Without hard links: two first runs in this very moment might differ, and `presign` would tell.
  if ((await stampOf(file)) === null) await rename(part, file);
}

function refused(file: string, reason: string, hint: string): TaskflowError {
  return new TaskflowError("permission", `${file} is not used to sign links: ${reason}`, {
    hint,
    context: { path: file },
  });
}

function notKeys(file: string, reason: string): TaskflowError {
  return new TaskflowError("bad_config", `${file} is not used to sign links: ${reason}`, {
    hint: "put a key into it (openssl rand -hex 32), or remove it: a new one is made then, and old links end",
    context: { path: file },
  });
}
