/**
 * Uploads that a later run may go on with: a file each in the state folder, which names key and upload id. Whoever works
 * on one has it under a name with host, boot and process, by a rename: of two runs at once only one gets it.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import type { LedgerSettings } from "../../s3-settings.ts";
import { BLOCK } from "./digest.ts";
import { makeStateFolder } from "./state-folder.ts";

export interface LedgerEntry {
  readonly key: string;
  readonly uploadId: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly partSize: number;
  /** Recorded with the object, so when its upload was begun. */
  readonly createdAt: Date;
  /** When the bucket's rule removes the parts; `null`: no rule told. */
  readonly abortAt: Date | null;
}

/** An entry that is this process's alone. Nothing here rejects: the bytes matter more than the note of them. */
export interface ClaimedEntry {
  readonly entry: LedgerEntry;
  /** Tells other machines that it is being worked on; cheap, for it does something once a minute. */
  touch(): Promise<void>;
  /** Lets the next run have it. */
  release(): Promise<void>;
  remove(): Promise<void>;
}

/** What the file system says where a ledger can't be used; its cause. */
export class LedgerError extends Error {
  /** What couldn't be read or written. */
  readonly path: string;

  constructor(folder: string, cause: NodeJS.ErrnoException) {
    super(cause.code ?? cause.message, { cause });
    this.name = "LedgerError";
    // A write to an open file doesn't tell which.
    this.path = cause.path ?? folder;
  }
}

/** Every rejection is a `LedgerError`. */
export interface Ledger {
  /** An entry of this identity that nobody works on; `null` where there is none. */
  claim(identity: string): Promise<ClaimedEntry | null>;
  /** Whether somebody works on one at this time. */
  isBusy(identity: string): Promise<boolean>;
  /** Writes a new entry, claimed. */
  add(identity: string, entry: LedgerEntry): Promise<ClaimedEntry>;
}

/** Another machine's claim counts as given up after so long without a part. */
const GIVEN_UP_AFTER_MS = 60 * 60 * 1000;
const TOUCH_EVERY_MS = 60 * 1000;
const FREE = "json";

/** This process's claims, of all its stores: a name with our process id that isn't here is a dead process's. */
const claimedHere = new Set<string>();

export function openLedger(settings: LedgerSettings, now: () => Date): Ledger {
  const { folder, owner, isAlive } = settings;
  const [host, boot] = [plain(owner.host), plain(owner.boot)];

  function isFree(name: string, changedMs: number): boolean {
    const [, holder, holderBoot, pid] = name.split(".");
    if (holder === FREE) return true;
    if (holder !== host) return now().getTime() - changedMs > GIVEN_UP_AFTER_MS;
    if (holderBoot !== boot) return true;
    return Number(pid) === owner.pid ? !claimedHere.has(path.join(folder, name)) : !isAlive(Number(pid));
  }

  /** Of this identity: file names with whether they are free. */
  async function look(identity: string): Promise<{ name: string; free: boolean }[]> {
    const prefix = `${digestOf(identity)}-`;
    const names = (await readdir(folder).catch(unlessAbsent))?.filter((name) => name.startsWith(prefix)) ?? [];
    const found = await Promise.all(
      names.map(async (name) => {
        const status = await stat(path.join(folder, name)).catch(unlessAbsent);
        return status === undefined ? [] : [{ name, free: isFree(name, status.mtimeMs) }];
      }),
    );
    return found.flat();
  }

  function ownName(name: string): string {
    return path.join(folder, `${name.split(".")[0] ?? ""}.${host}.${boot}.${owner.pid}`);
  }

  function claimed(file: string, entry: LedgerEntry): ClaimedEntry {
    let touchedMs = now().getTime();
    return {
      entry,
      async touch() {
        if (now().getTime() - touchedMs < TOUCH_EVERY_MS) return;
        touchedMs = now().getTime();
        await utimes(file, now(), now()).catch(unimportant);
      },
      async release() {
        const name = `${path.basename(file).split(".")[0] ?? ""}.${FREE}`;
        await rename(file, path.join(folder, name)).catch(unimportant);
        claimedHere.delete(file);
      },
      async remove() {
        await rm(file, { force: true }).catch(unimportant);
        claimedHere.delete(file);
      },
    };
  }

  async function claim(identity: string): Promise<ClaimedEntry | null> {
    for (const { name, free } of await look(identity)) {
      if (!free) continue;
      const own = ownName(name);
      claimedHere.add(own);
      try {
        await rename(path.join(folder, name), own);
        await utimes(own, now(), now());
        const entry = parseEntry(await readFile(own, "utf8"));
        if (entry !== null) return claimed(own, entry);
        await rm(own, { force: true });
      } catch (error) {
        // Another run was faster.
        if (!isAbsent(error)) throw error;
      }
      claimedHere.delete(own);
    }
    return null;
  }

  async function add(identity: string, entry: LedgerEntry): Promise<ClaimedEntry> {
    await makeStateFolder(folder);
    const own = ownName(`${digestOf(identity)}-${randomBytes(8).toString("hex")}`);
    claimedHere.add(own);
    const added = claimed(own, entry);
    try {
      await writeFile(own, `${JSON.stringify({ v: VERSION, ...entry })}\n`, { flag: "wx", mode: 0o600 });
    } catch (error) {
      // On a full disk its name is there, and nothing in it.
      await added.remove();
      throw error;
    }
    return added;
  }

  async function told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new LedgerError(folder, error as NodeJS.ErrnoException);
    }
  }

  return {
    claim: (identity) => told(claim(identity)),
    isBusy: (identity) => told(look(identity).then((found) => found.some(({ free }) => !free))),
    add: (identity, entry) => told(add(identity, entry)),
  };
}

const VERSION = 1;

/** `null` for what was cut short, or another version's. */
function parseEntry(text: string): LedgerEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut short by a crash: what it named is left to the bucket's rule.
    return null;
  }
  const { v, key, uploadId, size, sha256, partSize, createdAt, abortAt } = Object(value) as Record<string, unknown>;
  if (v !== VERSION || typeof key !== "string" || typeof uploadId !== "string" || typeof sha256 !== "string")
    return null;
  if (!isCount(size) || !isCount(partSize) || partSize % BLOCK !== 0) return null;
  const created = dateOf(createdAt);
  const abort = abortAt === null ? null : dateOf(abortAt);
  if (created === null || (abort === null && abortAt !== null)) return null;
  return { key, uploadId, size, sha256, partSize, createdAt: created, abortAt: abort };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function dateOf(value: unknown): Date | null {
  const date = new Date(typeof value === "string" ? value : Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

function digestOf(identity: string): string {
  return createHash("sha256").update(identity).digest("hex").slice(0, 32);
}

/** As a part of a file's name, without the dots that keep parts apart. */
function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_-]/g, "_") || "_";
}

/** A process that was stopped for an hour may find that another has its entry; and a disk may fill up at any time. */
function unimportant(): void {
  // The next run finds the entry as it is, and looks for itself what became of the upload.
}

function unlessAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
