/** A folder's lifecycle: rules in a file of S3's form, and what they work on. Nothing happens until `apply` is called. */
import { TaskflowError } from "../../errors.ts";
import { pacer } from "../abortable.ts";
import type {
  CurrentVersion,
  KeptVersion,
  Lifecycle,
  LifecycleRules,
  NoncurrentVersion,
  Tags,
} from "../lifecycle/lifecycle.ts";
import { checkLifecycle } from "../lifecycle/check.ts";
import { DEFAULT_LIFECYCLE } from "../lifecycle/rules.ts";
import type { LifecycleConfiguration } from "../lifecycle/rules.ts";
import { Wrong } from "../lifecycle/shape.ts";
import { applySteps } from "./apply.ts";
import { translated, translatedEach } from "./errors.ts";
import type { Folder } from "./folder.ts";
import { labelsOf } from "./labels.ts";
import { levelsExist, lookAtFile, taskLevels } from "./levels.ts";
import { namesIn, selectBases, selectDirectories, taskDirectories } from "./list.ts";
import { pathFor, placeOf } from "./paths.ts";
import type { Layout } from "./paths.ts";
import { readSidecar } from "./sidecar.ts";
import { readSmall } from "./small-file.ts";
import { readTrash, trashDirectories } from "./trash.ts";
import type { Version } from "./trash.ts";

export function folderLifecycle(folder: Folder): Lifecycle {
  const { layout } = folder;
  const { root } = layout;
  return {
    rules: () => translated("read the lifecycle rules", root, () => Promise.resolve(readRules(layout))),
    kept: (prefix, { signal }) => translatedEach(`list ${prefix}`, root, () => kept(layout, prefix, signal)),
    tags: ({ key }) => translated(`read ${key}`, root, () => Promise.resolve(tagsOf(layout, key))),
    unfinished: () => NONE,
    apply: (steps, { signal }) =>
      translatedEach("apply the lifecycle rules", root, () => applySteps(folder, steps, signal)),
  };
}

/** An upload to a folder is one file: killed, it leaves no parts that anyone could complete. */
const NONE: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

function readRules(layout: Layout): LifecycleRules {
  const text = levelsExist(layout.own) ? readSmall(layout.lifecycle) : null;
  if (text === null) return rulesOf(DEFAULT_LIFECYCLE);
  if (typeof text !== "string") throw badRules(layout, text.unreadable);
  const configuration = checkLifecycle(parse(layout, text));
  if (configuration instanceof Wrong)
    throw badRules(layout, `holds no rules that S3 would take: ${configuration.message}`);
  return rulesOf(configuration);
}

/** S3's own default, where nothing is said of small objects. */
function rulesOf({ Rules, TransitionDefaultMinimumObjectSize: minimumSize }: LifecycleConfiguration): LifecycleRules {
  return { rules: Rules, minimumSize: minimumSize ?? "all_storage_classes_128K" };
}

function parse(layout: Layout, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the file.
    throw badRules(layout, "is not JSON");
  }
}

function badRules({ lifecycle }: Layout, why: string): TaskflowError {
  return new TaskflowError("bad_config", `${lifecycle} ${why}`, {
    hint: "its form is what `aws s3api get-bucket-lifecycle-configuration` prints; without the file the defaults hold",
    context: { path: lifecycle },
  });
}

/** Looks between two turns of the event loop. */
const SLICE = 256;

async function* kept(layout: Layout, prefix: string, signal: AbortSignal): AsyncGenerator<KeptVersion> {
  const pace = pacer(SLICE);
  const all = (): string[] => [...new Set([...taskDirectories(layout), ...trashDirectories(layout)])];
  for (const directory of selectDirectories(prefix, undefined, all)) {
    const isLive = levelsExist(...taskLevels(layout, directory));
    const live = isLive ? namesIn(pathFor(layout.tasks, directory)) : [];
    const trash = await readTrash(layout, directory, signal);
    const classOf = labelsOf(layout, directory);
    const names = [...new Set([...live, ...trash.keys()])];
    for (const base of selectBases(`tasks/${directory}/`, prefix, undefined, names)) {
      await pace(signal);
      const info = { key: `tasks/${directory}/${base}`, storageClass: classOf(base) };
      const current = isLive ? lookAtFile(pathFor(layout.tasks, directory, base)) : null;
      if (current !== null) {
        const { size, mtime } = current;
        yield { ...info, size, modifiedAt: mtime, state: "current", undoable: true };
      }
      yield* deletedOf(info, trash.get(base) ?? [], current === null);
    }
  }
}

/** `versions`: the one deleted last first. */
function* deletedOf(
  info: { readonly key: string; readonly storageClass: string },
  versions: readonly Version[],
  isDeleted: boolean,
): Generator<NoncurrentVersion> {
  let newer = 0;
  for (const { path, entry } of versions) {
    const status = lookAtFile(path);
    if (status === null) continue;
    const { deletedAt } = entry;
    const { size, mtime: modifiedAt } = status;
    const version = { ...info, size, modifiedAt, state: "noncurrent", noncurrentSince: deletedAt, newer } as const;
    yield isDeleted && newer === 0 ? { ...version, deletedAt } : version;
    newer += 1;
  }
}

function tagsOf(layout: Layout, key: CurrentVersion["key"]): Tags | null {
  const place = placeOf(layout, key);
  if (place === null) return {};
  const { tags, damaged } = readSidecar(layout, place);
  return damaged === undefined ? tags : null;
}
