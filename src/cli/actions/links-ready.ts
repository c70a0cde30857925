/** Before the first link of a command: what would be wrong with all of them, and whether anybody answers them. */
import { presignerOf } from "../../attachments/presign.ts";
import type { StorageDriver } from "../../storage/driver.ts";
import type { CommonOptions } from "../command.ts";
import { probeServe } from "../serve-probe.ts";
import type { Session } from "../session.ts";
import { typedStore } from "../store-options.ts";

/** Errors: as a signature's. That nobody answers now is only a note: the link may be for later. */
export async function getLinksReady<Row>(
  { ctx, report, settings }: Session<Row>,
  driver: StorageDriver,
  options: CommonOptions,
): Promise<void> {
  const presigner = presignerOf(driver);
  const { signal } = ctx;
  // Asked first, because serve looks at its key file then: a key that was just changed is known to it when we sign.
  const problem = presigner.gate === undefined ? null : await probeServe((await settings()).get("url"), signal);
  await presigner.ready({ signal });
  if (problem === null) return;
  await report.note(`${problem}; links work while this runs: taskflow attach serve${typedStore(options)}`);
}
