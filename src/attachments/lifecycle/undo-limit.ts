/** Until when what is deleted now can be brought back. */
import { isTaskflowError } from "../../errors.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { NoncurrentVersion } from "../../storage/lifecycle/lifecycle.ts";
import type { Attachment } from "../types.ts";
import { forecast } from "./forecast.ts";
import { needsTags, planOf } from "./plan.ts";

/** When a rule destroys it; `null`: none does; else why that is not known. */
export type Until = Date | null | { readonly unknown: string };

export type UndoLimit = (attachment: Attachment, deletedAt: Date) => Until;

export const RULES_UNREAD: UndoLimit = () => ({ unknown: "the lifecycle rules were not read" });

/** Reads the store's rules. Never rejects: what was deleted is deleted all the same, and then no limit is known. */
export async function readUndoLimit({ lifecycle }: StorageDriver, signal: AbortSignal): Promise<UndoLimit> {
  if (lifecycle === undefined) return () => null;
  try {
    const rules = await lifecycle.rules({ signal });
    if (rules === null) {
      return () => ({ unknown: "the lifecycle rules may not be read" });
    }
    const plan = planOf(rules);
    return (attachment, deletedAt) => {
      const version = deletedVersion(attachment, deletedAt);
      const { purge } = forecast(plan, version, needsTags(plan, version) ? null : {}, deletedAt);
      if (purge === undefined) return { unknown: "a lifecycle rule looks at tags, see lifecycle status" };
      return purge?.date ?? null;
    };
  } catch (error) {
    if (isTaskflowError(error) && error.code === "bad_config") return () => ({ unknown: error.message });
    return RULES_UNREAD;
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
