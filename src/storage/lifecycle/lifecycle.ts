/** The part of a driver that knows of lifecycle rules. */
import type { TaskflowError } from "../../errors.ts";
import type { ObjectInfo } from "../driver.ts";
import type { LifecycleRule, MinimumSize } from "./rules.ts";

/** The rules by which a store moves and removes objects as they age. */
export interface Lifecycle {
  /** `null`: they may not be read. Errors: `bad_config` where what the folder store has are no rules. */
  rules(options: { signal: AbortSignal }): Promise<LifecycleRules | null>;
  /**
   * All that is kept under the prefix, in key order, of each key the newest first: what rules work on. Errors:
   * `access_denied`, `unsupported` where only live objects may be listed.
   */
  kept(prefix: string, options: { signal: AbortSignal }): AsyncIterable<KeptVersion>;
  /** The tags that rules can filter by; `null`: they may not be read, or the version is gone. */
  tags(version: CurrentVersion | NoncurrentVersion, options: { signal: AbortSignal }): Promise<Tags | null>;
  /** Multipart uploads under the prefix that were begun, and neither completed nor aborted. */
  unfinished(prefix: string, options: { signal: AbortSignal }): AsyncIterable<UnfinishedUpload>;
  /**
   * Does what is due; present where the store doesn't do it by itself. One result a step, in the order given, each only
   * once it is durable. A step whose version is no longer as it says is `changed`, and leaves it alone.
   */
  apply?(steps: Iterable<LifecycleStep>, options: { signal: AbortSignal }): AsyncIterable<StepResult>;
}

export interface LifecycleRules {
  /** None: nothing moves and nothing is removed. */
  readonly rules: readonly LifecycleRule[];
  /** `none`: this store has no such limit. `unknown`: it has one and doesn't say which. */
  readonly minimumSize: MinimumSize | "none" | "unknown";
}

/** A version or a delete marker, as far as rules look at it. */
export type KeptVersion = CurrentVersion | NoncurrentVersion | LoneMarker;

export type Tags = Readonly<Record<string, string>>;

/** What the key shows. */
export interface CurrentVersion extends ObjectInfo {
  readonly state: "current";
  /** The store's own name for it, where it has one. */
  readonly versionId?: string;
  /** Whether it can be brought back once a rule has expired it; `null`: not known. */
  readonly undoable: boolean | null;
}

/** What a newer version or a delete marker hides. */
export interface NoncurrentVersion extends ObjectInfo {
  readonly state: "noncurrent";
  readonly versionId?: string;
  /** When what came after it was written. */
  readonly noncurrentSince: Date;
  /** Noncurrent versions of the key that are newer; markers don't count. */
  readonly newer: number;
  /** Present: this is what undelete brings back, and it was deleted then. */
  readonly deletedAt?: Date;
}

/** A delete marker with no version behind it. */
export interface LoneMarker {
  readonly state: "marker";
  readonly key: string;
  readonly modifiedAt: Date;
}

export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly startedAt: Date;
  /** Bytes of the parts that are there; `null`: they may not be listed. */
  readonly size: number | null;
}

/** One thing that a rule asks for: a live one goes to the trash, a deleted one is destroyed, or either gets a class. */
export type LifecycleStep =
  | { readonly action: "expire"; readonly version: CurrentVersion }
  | { readonly action: "purge"; readonly version: NoncurrentVersion }
  | { readonly action: "transition"; readonly version: CurrentVersion | NoncurrentVersion; readonly to: string };

export interface StepResult {
  readonly step: LifecycleStep;
  readonly error?: TaskflowError;
}
