/** Until when what is deleted now can be brought back. */
import { isTaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { NoncurrentVersion } from "../../storage/lifecycle/lifecycle.ts";
import type { Attachment } from "../types.ts";
import { forecast } from "./forecast.ts";
import { needsTags, planOf } from "./plan.ts";

/** When a rule destroys it; `null`: none does; `undefined`: not known. */
export type UndoLimit = (attachment: Attachment, deletedAt: Date) => Date | null | undefined;

/**
 * Reads the store's rules, once. Where that fails no limit is known: what was deleted is deleted all the same. Errors:
 * `interrupted`.
 */
export async function readUndoLimit({ lifecycle }: StorageDriver, signal: AbortSignal): Promise<UndoLimit> {
  if (lifecycle === undefined) return () => null;
  try {
    const rules = await lifecycle.rules({ signal });
    if (rules === null) return () => undefined;
    const plan = planOf(rules);
    return (attachment, deletedAt) => {
      const version = deletedVersion(attachment, deletedAt);
      const { purge } = forecast(plan, version, needsTags(plan, version) ? null : {}, deletedAt);
      return purge === undefined ? undefined : (purge?.date ?? null);
    };
  } catch (error) {
    if (!isTaskflowError(error) || error.code === "interrupted") throw error;
    return () => undefined;
  }
}

function deletedVersion({ key, size, storageClass, createdAt }: Attachment, deletedAt: Date): NoncurrentVersion {
  return {
    state: "noncurrent",
    key,
    size,
    storageClass,
    modifiedAt: createdAt,
    noncurrentSince: deletedAt,
    newer: 0,
    deletedAt,
  };
}
