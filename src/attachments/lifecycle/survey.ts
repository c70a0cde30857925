/** Everything that is kept, each with its forecast, a page at a time. */
import { pMapIterable } from "p-map";
import { TaskflowError, isTaskflowError } from "../../errors.ts";
import type { ArchiveState, StorageDriver } from "../../storage/driver.ts";
import type {
  CurrentVersion,
  Lifecycle,
  LifecycleRules,
  NoncurrentVersion,
  Tags,
  UnfinishedUpload,
} from "../../storage/lifecycle/lifecycle.ts";
import { parseKey } from "../key.ts";
import { attachmentOf } from "../types.ts";
import type { Attachment } from "../types.ts";
import { abortOf, forecast, markerEnd } from "./forecast.ts";
import { needsTags, planOf } from "./plan.ts";
import type { Plan } from "./plan.ts";
import type { Dated, Forecast } from "./types.ts";

/** A live or deleted attachment, or what an attachment of its key once was (`older`). */
export interface Watched {
  readonly state: "live" | "deleted" | "older";
  readonly attachment: Attachment;
  readonly version: CurrentVersion | NoncurrentVersion;
  readonly forecast: Forecast;
  /** Absent where it was not read. `null`: it can be read as it is. */
  readonly archive?: ArchiveState | null;
}

export interface SurveyOptions {
  readonly now: Date;
  /** A request for each attachment where its tags matter, and for each in an archive: what they tell is known then. */
  readonly details: boolean;
  /** Told of each delete marker that hides nothing any more, and of its end where that is known. */
  readonly onMarker?: (end: Dated | null) => void;
  readonly signal: AbortSignal;
}

export interface Survey {
  /** `null`: they may not be read. */
  readonly rules: LifecycleRules | null;
  /** Everything whose key begins so, in key order. Other things than attachments are left out. */
  versions(prefix: string): AsyncIterable<Watched>;
  /** The live or deleted attachment under just this key; `null`: it has gone. */
  attachment(key: string): Promise<Watched | null>;
  /** Errors: `access_denied`, `unsupported` where they may not be listed. */
  unfinished(prefix: string): AsyncIterable<Unfinished>;
  /** Whether only live ones could be listed; known once a listing has begun. */
  onlyLive(): boolean;
}

export interface Unfinished extends UnfinishedUpload {
  /** `null`: no rule aborts it. Absent: not known. */
  readonly abort?: Dated | null;
}

const DETAILS_AT_ONCE = 16;

/** Errors: `unsupported` where a store has no lifecycle; `bad_config` for a folder's file that holds no rules. */
export async function openSurvey(driver: StorageDriver, options: SurveyOptions): Promise<Survey> {
  const lifecycle = lifecycleOf(driver);
  const { signal } = options;
  const rules = await lifecycle.rules({ signal });
  const plan = rules === null ? null : planOf(rules);
  let onlyLive = false;
  const watch = (version: CurrentVersion | NoncurrentVersion): Promise<Watched | null> =>
    watched(driver, plan, version, options);

  async function* kept(prefix: string): AsyncGenerator<CurrentVersion | NoncurrentVersion, void, undefined> {
    const all = onlyLive ? liveOnly(driver, prefix, signal) : lifecycle.kept(prefix, { signal });
    let any = false;
    try {
      for await (const version of all) {
        any = true;
        if (parseKey(version.key) === null) continue;
        if (version.state !== "marker") yield version;
        else options.onMarker?.(plan === null ? null : markerEnd(plan, version));
      }
    } catch (error) {
      if (any || onlyLive || !isTaskflowError(error) || !REFUSALS.has(error.code)) throw error;
      onlyLive = true;
      yield* kept(prefix);
    }
  }

  return {
    rules,
    onlyLive: () => onlyLive,
    async *versions(prefix) {
      const all = options.details
        ? pMapIterable(kept(prefix), watch, { concurrency: DETAILS_AT_ONCE, backpressure: 4 * DETAILS_AT_ONCE })
        : atOnce(kept(prefix), plan, options.now);
      for await (const one of all) if (one !== null) yield one;
    },
    async attachment(key) {
      for await (const version of kept(key)) {
        if (version.key !== key) return null;
        if (stateOf(version) !== "older") return await watch(version);
      }
      return null;
    },
    async *unfinished(prefix) {
      for await (const upload of lifecycle.unfinished(prefix, { signal })) {
        yield plan === null ? upload : { ...upload, abort: abortOf(plan, upload) };
      }
    },
  };
}

export function lifecycleOf({ lifecycle, location }: StorageDriver): Lifecycle {
  if (lifecycle !== undefined) return lifecycle;
  throw new TaskflowError("unsupported", `${location} has no lifecycle rules`);
}

/** The listing of versions takes a permission of its own, and some servers have none. */
const REFUSALS: ReadonlySet<string> = new Set(["access_denied", "unsupported"]);

async function* liveOnly(
  driver: StorageDriver,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<CurrentVersion, void, undefined> {
  for await (const info of driver.list(prefix, { signal })) yield { ...info, state: "current", undoable: null };
}

async function* atOnce(
  versions: AsyncIterable<CurrentVersion | NoncurrentVersion>,
  plan: Plan | null,
  now: Date,
): AsyncGenerator<Watched | null, void, undefined> {
  for await (const version of versions)
    yield watchedAs(version, forecast(plan, version, knownTags(plan, version), now));
}

async function watched(
  driver: StorageDriver,
  plan: Plan | null,
  version: CurrentVersion | NoncurrentVersion,
  { now, signal }: SurveyOptions,
): Promise<Watched | null> {
  const known = knownTags(plan, version);
  const tags = known ?? (await lifecycleOf(driver).tags(version, { signal }));
  const one = watchedAs(version, forecast(plan, version, tags, now));
  if (one === null || one.state === "older") return one;
  if (!MAY_BE_ARCHIVED.has(version.storageClass)) return { ...one, archive: null };
  try {
    const { archive = null } = await headOf(driver, version, signal);
    return { ...one, archive };
  } catch (error) {
    if (!isTaskflowError(error) || error.code === "interrupted") throw error;
    // Gone since it was listed; or HEAD is refused, and then its state is not known.
    return error.code === "not_found" ? null : one;
  }
}

/** Their bytes can't be read as they are, or only of some. */
const MAY_BE_ARCHIVED: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING"]);

async function headOf(
  driver: StorageDriver,
  { key, state }: CurrentVersion | NoncurrentVersion,
  signal: AbortSignal,
): Promise<{ readonly archive?: ArchiveState }> {
  if (state === "current" || driver.versions === undefined) return await driver.head(key, { signal });
  return await driver.versions.headDeleted(key, { signal });
}

/** None need be read where no rule looks at them. */
function knownTags(plan: Plan | null, version: CurrentVersion | NoncurrentVersion): Tags | null {
  return plan !== null && needsTags(plan, version) ? null : {};
}

function watchedAs(version: CurrentVersion | NoncurrentVersion, what: Forecast): Watched | null {
  const attachment = attachmentOf(version);
  return attachment === null ? null : { state: stateOf(version), attachment, version, forecast: what };
}

function stateOf(version: CurrentVersion | NoncurrentVersion): Watched["state"] {
  if (version.state === "current") return "live";
  return version.deletedAt === undefined ? "older" : "deleted";
}
