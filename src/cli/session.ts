/** What every action does around its work: settings, the store, the report, and one place where failures end. */
import { TaskflowError, abortReason, toTaskflowError } from "../errors.ts";
import { resolveSettings } from "../config/resolve.ts";
import type { Settings } from "../config/resolve.ts";
import { s3SettingsOf } from "../config/s3-settings.ts";
import { noStoreError, storeNamed, whichStore } from "../config/which-store.ts";
import type { StoreChoice } from "../config/which-store.ts";
import { absentStore } from "../storage/absent.ts";
import type { StorageDriver } from "../storage/driver.ts";
import { formatLocation } from "../storage/location.ts";
import type { Location } from "../storage/location.ts";
import { openDriver } from "../storage/open.ts";
import { createPace } from "../storage/pace.ts";
import type { Context } from "./context.ts";
import { printable } from "./output/printable.ts";
import { createReport } from "./output/report.ts";
import type { Report, ReportEnding, View } from "./output/report.ts";
import { reachingStore } from "./store-options.ts";
import type { TransferOptions } from "./transfer-options.ts";

export interface Session<Row> {
  readonly ctx: Context;
  readonly report: Report<Row>;
  /** Read once, on first use. */
  settings(): Promise<Settings>;
  /** The store of the settings. Closed when the command ends. */
  openStore(whereAbsent?: WhereAbsent): Promise<StorageDriver>;
  /** As `openStore`, of the store that an option names. */
  openNamed(location: Location, flag: string, whereAbsent: WhereAbsent): Promise<StorageDriver>;
}

/** What to do where there is no folder store yet: `no_store`, make it, or go on as if it were there and empty. */
export type WhereAbsent = "fail" | "create" | "pretend";

/** Runs the body, reports what it throws, closes what it opened, and tells the exit status. */
export async function runSession<Row>(
  ctx: Context,
  command: string,
  options: TransferOptions,
  view: View<Row>,
  body: (session: Session<Row>) => Promise<ReportEnding | undefined>,
): Promise<number> {
  const report = createReport(ctx, view, {
    command,
    json: options.json === true,
    ndjson: options.ndjson === true,
    quiet: options.quiet === true,
    debug: options.debug === true,
    color: options.color !== false,
    typed: options,
  });
  let settings: Promise<Settings> | null = null;
  const opened: StorageDriver[] = [];
  const session: Session<Row> = {
    ctx,
    report,
    settings() {
      settings ??= readSettings(ctx, options, report);
      return settings;
    },
    async openStore(whereAbsent = "fail") {
      const settings = await session.settings();
      return await open(await whichStore(settings, ctx), whereAbsent);
    },
    openNamed: (location, flag, whereAbsent) =>
      open(storeNamed(location, flag), whereAbsent, { ...options, store: formatLocation(location) }),
  };
  const open = async (
    choice: StoreChoice,
    whereAbsent: WhereAbsent,
    typed: TransferOptions = options,
  ): Promise<StorageDriver> => {
    const driver = await openChosenStore(ctx, await session.settings(), choice, report, whereAbsent, typed);
    opened.push(driver);
    report.setStore(driver.location);
    return driver;
  };
  let ending: ReportEnding | undefined;
  try {
    if (options.json === true && options.ndjson === true) {
      throw new TaskflowError("usage", "--json and --ndjson are two forms of one thing", { hint: "leave one out" });
    }
    ending = await body(session);
    // A signal that comes too late changes nothing; but after a fault of ours nobody knows what was done.
    if (ctx.signal.aborted && abortReason(ctx.signal).code === "internal") throw abortReason(ctx.signal);
  } catch (error) {
    await report.fatal(ctx.signal.aborted ? abortReason(ctx.signal) : toTaskflowError(error));
  }
  for (const driver of opened) await driver.close();
  return await report.finish(ending);
}

async function readSettings<Row>(ctx: Context, options: TransferOptions, report: Report<Row>): Promise<Settings> {
  const { store, region, endpoint, profile, caFile, retryFor } = options;
  const flags = { store, region, endpoint, profile, "ca-file": caFile, "retry-for": retryFor };
  const settings = await resolveSettings({
    flags: Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)),
    env: ctx.env,
    cwd: ctx.cwd,
    home: ctx.home,
    uid: ctx.uid,
    platform: ctx.platform,
  });
  report.hide(settings.secrets());
  for (const text of settings.warnings) await report.warning(printable(text));
  if (options.debug === true) {
    for (const { name, value, origin } of settings.entries()) {
      if (origin.source !== "default") await report.note(printable(`debug: ${name}=${value ?? ""} (${origin.text})`));
    }
  }
  return settings;
}

async function openChosenStore<Row>(
  ctx: Context,
  settings: Settings,
  choice: StoreChoice,
  report: Report<Row>,
  whereAbsent: WhereAbsent,
  options: TransferOptions,
): Promise<StorageDriver> {
  if (choice.kind === "folder" && !choice.exists) {
    if (whereAbsent === "fail") throw noStoreError(choice);
    if (whereAbsent === "pretend") return absentStore(choice.path);
  }
  const told: Promise<void>[] = [];
  const warn = (text: string): void => void told.push(report.warning(printable(reachingStore(text, options))));
  const { limitRate } = options;
  const driver = await openDriver(
    choice.kind === "folder" ? { kind: "folder", path: choice.path } : { kind: "s3", bucket: choice.bucket },
    {
      create: whereAbsent === "create",
      ...(limitRate === undefined ? {} : { pace: createPace(limitRate) }),
      ...(ctx.uid === null ? {} : { uid: ctx.uid }),
      links: () => ({
        baseUrl: settings.get("url"),
        keyFile: settings.get("url-key-file"),
        uid: ctx.uid,
        now: () => ctx.now(),
      }),
      onCreated: (root) => told.push(report.note(`created store ${printable(root)}`)),
      onWarning: warn,
      ...(choice.kind === "folder" ? {} : { s3: () => s3SettingsOf(settings, choice.origin, ctx, warn) }),
    },
  );
  await Promise.all(told);
  return driver;
}
