/** Whether a store's lifecycle rules are such as attachments need. */
import { ok, several, skip, warn } from "../check.ts";
import type { Finding } from "../check.ts";
import type { StorageDriver } from "../driver.ts";
import type { LifecycleRule } from "./rules.ts";

/** Errors: `bad_config` where what a folder store has are no rules. */
export async function checkRules({ lifecycle, versions }: StorageDriver, signal: AbortSignal): Promise<Finding> {
  if (lifecycle === undefined) return skip("this store has no rules");
  const known = await lifecycle.rules({ signal });
  if (known === null) return skip("the lifecycle rules may not be read", "it takes s3:GetLifecycleConfiguration");
  const enabled = known.rules.filter(({ Status }) => Status === "Enabled");
  if (enabled.length === 0) {
    return warn(
      "no rule: what is deleted, and what was never completed, is kept for ever",
      "apply terraform/, or put rules of your own",
    );
  }
  const keeps = lifecycle.apply === undefined && (await versions?.keepsDeleted?.({ signal })) === true;
  const wrong = [
    ...enabled.flatMap(dangersOf),
    ...(keeps && !enabled.some(purges) ? ["deleted versions are kept for ever"] : []),
    // A folder's own leftovers are doctor's.
    ...(lifecycle.apply === undefined && !enabled.some(aborts) ? ["unfinished uploads are kept for ever"] : []),
  ];
  const rules = several(enabled.length, "rule");
  if (wrong.length === 0) return ok(rules);
  return warn(`${rules}: ${wrong.join("; ")}`, "taskflow attach lifecycle status tells what they will do");
}

const ARCHIVES: ReadonlySet<string | undefined> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

function dangersOf({ ID = "a rule", Expiration, Transitions = [] }: LifecycleRule): string[] {
  const archive = Transitions.find(({ StorageClass }) => ARCHIVES.has(StorageClass));
  const deletes = Expiration?.Days !== undefined || Expiration?.Date !== undefined;
  return [
    ...(deletes ? [`${ID} deletes live attachments ${whenOf(Expiration)}`] : []),
    ...(archive === undefined ? [] : [`${ID} archives live attachments ${whenOf(archive)}, and links to them fail`]),
  ];
}

function whenOf({ Days, Date: date }: { readonly Days?: number; readonly Date?: string }): string {
  return Days === undefined ? `on ${date?.slice(0, 10) ?? "a day"}` : `after ${Days} days`;
}

function purges({ NoncurrentVersionExpiration }: LifecycleRule): boolean {
  return NoncurrentVersionExpiration !== undefined;
}

function aborts({ AbortIncompleteMultipartUpload }: LifecycleRule): boolean {
  return AbortIncompleteMultipartUpload !== undefined;
}
