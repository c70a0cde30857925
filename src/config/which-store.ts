/** Which store a command works on, in the order that the command line promises; nothing is made or opened here. */
import { statSync } from "node:fs";
import path from "node:path";
import { TaskflowError } from "../errors.ts";
import type { Location } from "../storage/location.ts";
import { foldersUpward, statOrNull } from "./look-upward.ts";
import { printable } from "./parse-values.ts";
import type { Settings } from "./resolve.ts";
import type { Origin } from "./sources.ts";

export interface FolderChoice {
  readonly kind: "folder";
  /** Absolute. */
  readonly path: string;
  /** Whether a store is there already. */
  readonly exists: boolean;
  /** Named by someone, rather than found or the default. */
  readonly explicit: boolean;
  /** Who named it; `null` where nobody did. */
  readonly origin: Origin | null;
  /** The folders that were looked at for a store, nearest first. */
  readonly looked: readonly string[];
}

export interface BucketChoice {
  readonly kind: "s3";
  readonly bucket: string;
  /** Who named the bucket. */
  readonly origin: Origin;
}

export type StoreChoice = FolderChoice | BucketChoice;

/**
 * `--store`, else `TASKFLOW_STORE`, else `USE_S3=true` with `AWS_S3_BUCKET`, else a folder: the nearest existing store
 * upward, else `uploads/` beside the nearest `.env` or `.git`, else in `cwd`. A store in the user file comes after a
 * `USE_S3` of the environment or `.env`.
 *
 * `bad_config`: no bucket with `USE_S3=true`; a bucket without `USE_S3`, for a runner's disk must not swallow what was
 * meant for the bucket; a `.env` that was left out, with nothing else naming a store; a bad value (`usage` for a bad `--store`). `permission`: a folder that can't be looked into.
 */
export async function whichStore(
  settings: Settings,
  where: { readonly cwd: string; readonly home: string | null },
): Promise<StoreChoice> {
  return namedStore(settings) ?? storeByUseS3(settings) ?? folderChoice(where);
}

/** The store that an option of one command names; the path of a folder is absolute. */
export function storeNamed(location: Location, flag: string): StoreChoice {
  const origin: Origin = { source: "flag", name: flag, text: "the command line", folder: null };
  return location.kind === "s3"
    ? { kind: "s3", bucket: location.bucket, origin }
    : explicitFolder(location.path, origin);
}

/** The error of a command that needs a store where there is none: where it looked, and how to get one. */
export function noStoreError(choice: FolderChoice): TaskflowError {
  const named = choice.origin === null ? "" : ` (${choice.origin.name}${inFile(choice.origin)})`;
  const message = choice.explicit
    ? `no store at ${choice.path}${named}`
    : `no store: looked for ${choice.looked.join(", ")}`;
  // Of the options that name a store only --store can be given to the command that makes one.
  if (choice.origin?.source === "flag" && choice.origin.name !== "--store") {
    return new TaskflowError("no_store", message, { hint: "a store that is read must be there already" });
  }
  const makes = `taskflow attach upload TASK FILE makes one${choice.explicit ? " there" : ` at ${choice.path}`}`;
  return new TaskflowError("no_store", message, {
    hint: choice.explicit ? makes : `${makes}; --store DIR or --store s3://BUCKET names another`,
  });
}

function namedStore(settings: Settings): StoreChoice | null {
  const origin = settings.origin("store");
  // A default that the user keeps for all projects gives way to what this project or this run says.
  if (origin.source === "user file" && ranksAboveUserFile(settings.origin("use-s3"))) {
    if (settings.get("use-s3") === true) return null;
    const kept = settings.get("store");
    return kept?.kind === "folder" ? explicitFolder(kept.path, origin) : null;
  }
  const store = settings.get("store");
  if (store === null) return null;
  return store.kind === "s3" ? { kind: "s3", bucket: store.bucket, origin } : explicitFolder(store.path, origin);
}

function storeByUseS3(settings: Settings): BucketChoice | null {
  const useS3 = settings.get("use-s3");
  const by = settings.origin("use-s3");
  if (useS3 === false) return null;
  const origin = settings.origin("bucket");
  if (useS3 === null) {
    // The name is not parsed: it is enough that somebody meant a bucket.
    if (origin.source === "default") return refuseToGuess(settings);
    const where = `${origin.name} is set in ${origin.text}`;
    throw new TaskflowError("bad_config", `${where}, but USE_S3 is not set: the bucket or a folder?`, {
      hint: "set USE_S3=true to use the bucket, or USE_S3=false to use a folder",
    });
  }
  const bucket = settings.get("bucket");
  if (bucket !== null) return { kind: "s3", bucket, origin };
  throw new TaskflowError("bad_config", `${by.name} is true in ${by.text}, but AWS_S3_BUCKET is not set`, {
    hint: "set AWS_S3_BUCKET to the bucket's name, or name the store: --store s3://BUCKET",
  });
}

/** A `.env` that was left out may name a bucket: a folder in its place would keep what was meant for that. */
function refuseToGuess({ refusedDotenv }: Settings): null {
  if (refusedDotenv === null) return null;
  throw new TaskflowError("bad_config", `which store? ${refusedDotenv}`, {
    hint: "or name the store: --store, TASKFLOW_STORE, or USE_S3=true or false in the environment",
  });
}

function ranksAboveUserFile({ source }: Origin): boolean {
  return source !== "user file" && source !== "default";
}

function explicitFolder(folder: string, origin: Origin): FolderChoice {
  return { kind: "folder", path: folder, exists: isStore(folder), explicit: true, origin, looked: [folder] };
}

function folderChoice({ cwd, home }: { cwd: string; home: string | null }): FolderChoice {
  const folders = foldersUpward(cwd, home);
  const looked: string[] = [];
  for (const folder of folders) {
    const uploads = path.join(folder, "uploads");
    looked.push(uploads);
    if (isStore(uploads)) {
      return { kind: "folder", path: uploads, exists: true, explicit: false, origin: null, looked };
    }
  }
  const project = folders.find(isProject) ?? folders[0];
  return {
    kind: "folder",
    path: path.join(project, "uploads"),
    exists: false,
    explicit: false,
    origin: null,
    looked,
  };
}

function isProject(folder: string): boolean {
  if (statOrNull(path.join(folder, ".git")) !== null) return true;
  return statOrNull(path.join(folder, ".env"))?.isDirectory() === false;
}

/** A folder that taskflow made (`.taskflow`), or one that only an older program filled (`tasks`). */
function isStore(folder: string): boolean {
  if (statOrNull(folder)?.isDirectory() !== true) return false;
  try {
    return [".taskflow", "tasks"].some(
      (name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true,
    );
  } catch (error) {
    // To go on looking would end in another store than the one that is here.
    const { message } = error as NodeJS.ErrnoException;
    throw new TaskflowError("permission", `cannot look into ${printable(folder)}: ${message}`, { cause: error });
  }
}

function inFile({ source, text }: Origin): string {
  return source === "flag" ? "" : ` in ${text}`;
}
