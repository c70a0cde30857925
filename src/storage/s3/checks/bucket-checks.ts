/** What `doctor` looks at in a bucket, in this order. */
import type { TaskflowError } from "../../../errors.ts";
import { runChecks, warn } from "../../check.ts";
import type { Check, CheckOptions, CheckResult } from "../../check.ts";
import type { StorageDriver } from "../../driver.ts";
import { checkRules } from "../../lifecycle/sanity.ts";
import { probeChecks } from "../../probe.ts";
import type { S3Store } from "../store.ts";
import { checkCors } from "./cors.ts";
import { checkCredentials } from "./credentials.ts";
import { checkEncryption, checkOwnership, checkPolicy, checkPublicAccess } from "./protection.ts";
import { checkClock, checkReachable, reach } from "./reach.ts";
import type { Reach } from "./reach.ts";
import { checkUnfinished } from "./unfinished.ts";
import { checkVersioning } from "./versioning.ts";

/** Changes nothing without `write` or `fix`. */
export function checkBucket(store: S3Store, driver: StorageDriver, options: CheckOptions): AsyncIterable<CheckResult> {
  const { signal } = options;
  let reached: Promise<Reach> | null = null;
  /** One request tells of credentials, clock and bucket. */
  const reachOnce = (): Promise<Reach> => (reached ??= reach(store, signal));
  const checks: Check[] = [
    {
      id: "credentials",
      run: () => checkCredentials(store, reachOnce, signal),
      stops: whyUnsigned,
    },
    { id: "clock", run: async () => checkClock(await reachOnce()) },
    { id: "bucket", run: async () => checkReachable(store, await reachOnce()), stops: whyStopped },
    { id: "public-access", run: () => checkPublicAccess(store, signal) },
    { id: "encryption", run: () => checkEncryption(store, signal) },
    { id: "ownership", run: () => checkOwnership(store, signal) },
    { id: "policy", run: () => checkPolicy(store, signal) },
    { id: "versioning", run: () => checkVersioning(store, signal) },
    { id: "lifecycle", run: () => checkRules(driver, signal) },
    { id: "unfinished", run: () => checkUnfinished(store, driver, options) },
    { id: "cors", run: () => checkCors(store, options) },
  ];
  if (options.write) checks.push(...probeChecks(driver, signal).map((check) => orByLooking(store, check)));
  return runChecks(checks, signal);
}

/** A store that doesn't take `If-None-Match` is asked beforehand, which is not as good. */
function orByLooking(store: S3Store, check: Check): Check {
  if (check.id !== "write-once") return check;
  return {
    ...check,
    async run() {
      const finding = await check.run();
      if (finding.status !== "ok" || !store.learnt.ignoresConditions) return finding;
      return warn(
        "this store doesn't know If-None-Match: a look beforehand refuses a second put of a key",
        "of two uploads to one key at once both may succeed; keys of their own are not affected",
      );
    },
  };
}

function whyUnsigned({ code }: TaskflowError): string {
  if (code === "no_credentials") return "there are no credentials to ask with";
  if (code === "expired_credentials") return "the credentials have ended";
  return code === "access_denied" ? "the store doesn't take the credentials" : "the credentials can't be used";
}

/** Who may not list the bucket may still do other things with it. */
function whyStopped({ code }: TaskflowError): string | null {
  return code === "access_denied" ? null : "the bucket can't be reached";
}
