/** What `doctor` looks at in a folder, in this order. */
import { runChecks } from "../../check.ts";
import type { Check, CheckOptions, CheckResult } from "../../check.ts";
import type { StorageDriver } from "../../driver.ts";
import type { LinkSettings } from "../../presigner.ts";
import { checkRules } from "../../lifecycle/sanity.ts";
import { probeChecks } from "../../probe.ts";
import { translated } from "../errors.ts";
import type { Folder } from "../folder.ts";
import { checkClock } from "./clock.ts";
import { checkFileSystem } from "./file-system.ts";
import { checkLayout } from "./layout.ts";
import { checkLeftovers } from "./leftovers.ts";
import { checkLinkKey } from "./link-key.ts";
import { checkModes } from "./modes.ts";
import { checkLinks, checkLongNames } from "./name-probes.ts";
import { checkOrphans } from "./orphans.ts";
import { checkQuarantine } from "./quarantine.ts";
import { checkSpace } from "./space.ts";
import { checkTwins } from "./twins.ts";

export interface Surroundings {
  /** `null`: not known here. */
  readonly uid: number | null;
  readonly links: (() => LinkSettings) | null;
}

/** Changes nothing without `write` or `fix`. */
export function checkFolder(
  folder: Folder,
  driver: StorageDriver,
  { uid, links }: Surroundings,
  options: CheckOptions,
): AsyncIterable<CheckResult> {
  const { signal } = options;
  const checks: Check[] = [
    { id: "layout", run: () => checkLayout(folder, signal) },
    { id: "modes", run: () => checkModes(folder, uid) },
    { id: "clock", run: () => checkClock(folder) },
    { id: "orphans", run: () => checkOrphans(folder, options) },
    { id: "twins", run: () => checkTwins(folder, options) },
    { id: "leftovers", run: () => checkLeftovers(folder, options) },
    { id: "quarantine", run: () => checkQuarantine(folder) },
    { id: "space", run: () => checkSpace(folder) },
    { id: "file-system", run: () => checkFileSystem(folder) },
    { id: "lifecycle", run: () => checkRules(driver, signal) },
    { id: "link-key", run: () => checkLinkKey(folder, links) },
  ];
  if (options.write) {
    checks.push(
      ...probeChecks(driver, signal),
      { id: "write-links", run: () => checkLinks(folder) },
      { id: "write-names", run: () => checkLongNames(folder) },
    );
  }
  const { root } = folder.layout;
  return runChecks(
    checks.map(({ id, run }) => ({ id, run: () => translated(`check ${id}`, root, run) })),
    signal,
  );
}
