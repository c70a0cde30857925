/** `doctor --write`: an object of its own, put, read, listed and deleted again, so that each missing permission shows. */
import { randomUUID } from "node:crypto";
import { TaskflowError, isTaskflowError } from "../errors.ts";
import { ok, skip, warn } from "./check.ts";
import type { Check, Finding } from "./check.ts";
import type { Body, StorageDriver, StoredObject } from "./driver.ts";

/** A task of its own: nobody's list shows it but the one of all tasks, and that for a moment. */
const TASK = "taskflow-doctor";
const BYTES = Buffer.from("put here by `taskflow attach doctor --write`, and deleted at once\n");

/** Once the probe could not be put, the other steps are skipped. */
export function probeChecks(driver: StorageDriver, signal: AbortSignal): readonly Check[] {
  const prefix = `tasks/${TASK}/`;
  const key = `${prefix}${randomUUID()}_probe.txt`;
  let isThere = false;
  let isRead = false;
  let isDeleted = false;
  const put = (): Promise<StoredObject> =>
    driver.put(key, bodyOf(BYTES), {
      record: { name: "probe.txt", createdAt: new Date(), uploadedBy: null, note: null, meta: {} },
      type: "text/plain",
      ifAbsent: true,
      signal,
    });
  const step = (id: string, run: () => Promise<Finding>): Check => ({
    id,
    run: () => (isThere ? run() : skip("there is no probe")),
  });
  return [
    {
      id: "write-put",
      async run() {
        await put();
        isThere = true;
        return ok(`put ${key}`);
      },
    },
    step("write-read", async () => {
      const { chunks } = await driver.get(key, { signal });
      const read: Uint8Array[] = [];
      for await (const chunk of chunks) read.push(chunk);
      isRead = Buffer.concat(read).equals(BYTES);
      if (isRead) return ok("read it back as it was put");
      throw new TaskflowError("checksum_mismatch", `other bytes came back from ${key} than were put`);
    }),
    step("write-once", async () => {
      // Who may not look can't tell a refusal from a put that was done and not answered.
      if (!isRead) return skip("the probe can't be read");
      try {
        await put();
      } catch (error) {
        if (isTaskflowError(error) && error.code === "exists") return ok("a second put of its key was refused");
        throw error;
      }
      return warn("a second put of its key replaced it", "two uploads at once could replace one another here");
    }),
    step("write-list", async () => {
      for await (const object of driver.list(prefix, { signal }))
        if (object.key === key) return ok("found it in a list");
      throw new TaskflowError("io", `${key} was put, and is not in the list of ${prefix}`);
    }),
    step("write-delete", async () => {
      for await (const { error } of driver.delete([key], { signal })) if (error !== undefined) throw error;
      isDeleted = true;
      return ok("deleted it");
    }),
    step("write-clean", () => clean(driver, key, isDeleted, signal)),
  ];
}

/** Nothing of it should stay. Where that isn't allowed, as in most buckets, a deleted version does: no failure. */
async function clean(driver: StorageDriver, key: string, isDeleted: boolean, signal: AbortSignal): Promise<Finding> {
  try {
    for await (const { error } of driver.versions?.purge([key], { signal }) ?? []) if (error !== undefined) throw error;
    return ok("nothing of it is left");
  } catch (error) {
    if (!isTaskflowError(error) || error.code === "interrupted") throw error;
    // Without versions there is nothing left to purge.
    if (error.code === "not_found") return ok("nothing of it is left");
    if (error.code !== "access_denied") throw error;
    const stays = isDeleted ? "its deleted version stays, until the rules expire it" : `${key} stays`;
    return warn(`${stays}: ${error.message}`, isDeleted ? null : `delete it: taskflow attach delete ${key}`);
  }
}

function bodyOf(bytes: Uint8Array): Body {
  return {
    size: bytes.length,
    repeatable: true,
    // oxlint-disable-next-line typescript/require-await -- an iteration of what is there
    async *chunks() {
      yield bytes;
    },
    settle: () => Promise.resolve(),
    readAt(buffer, position, length) {
      const part = bytes.subarray(position, position + length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
  };
}
