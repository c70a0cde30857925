/** Lifecycle rules in S3's own JSON: what `aws s3api get-bucket-lifecycle-configuration` prints. */

export interface LifecycleConfiguration {
  readonly Rules: readonly LifecycleRule[];
  /** Below which size nothing moves, unless its rule filters by size. */
  readonly TransitionDefaultMinimumObjectSize?: MinimumSize;
}

/** S3's names: 128 KiB for every class, or for all but GLACIER and DEEP_ARCHIVE. */
export type MinimumSize = "all_storage_classes_128K" | "varies_by_storage_class";

export interface LifecycleRule {
  readonly ID?: string;
  readonly Status: "Enabled" | "Disabled";
  readonly Filter?: RuleFilter;
  /** The older form of a filter. */
  readonly Prefix?: string;
  readonly Expiration?: RuleExpiration;
  readonly Transitions?: readonly RuleTransition[];
  readonly NoncurrentVersionTransitions?: readonly NoncurrentTransition[];
  readonly NoncurrentVersionExpiration?: NoncurrentExpiration;
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number };
}

/** One member at most; `And` holds several. None: everything. */
export interface RuleFilter {
  readonly Prefix?: string;
  readonly Tag?: RuleTag;
  /** Bytes; larger ones only. */
  readonly ObjectSizeGreaterThan?: number;
  /** Bytes; smaller ones only. */
  readonly ObjectSizeLessThan?: number;
  readonly And?: {
    readonly Prefix?: string;
    readonly Tags?: readonly RuleTag[];
    readonly ObjectSizeGreaterThan?: number;
    readonly ObjectSizeLessThan?: number;
  };
}

export interface RuleTag {
  readonly Key: string;
  readonly Value: string;
}

/** One of the three. */
export interface RuleExpiration {
  readonly Days?: number;
  /** ISO 8601, midnight UTC. */
  readonly Date?: string;
  /** Removes delete markers that hide nothing any more. */
  readonly ExpiredObjectDeleteMarker?: boolean;
}

export interface RuleTransition {
  readonly Days?: number;
  /** ISO 8601, midnight UTC. */
  readonly Date?: string;
  readonly StorageClass?: string;
}

export interface NoncurrentTransition {
  readonly NoncurrentDays?: number;
  readonly StorageClass?: string;
  /** So many of the newest noncurrent versions are left as they are. */
  readonly NewerNoncurrentVersions?: number;
}

export interface NoncurrentExpiration {
  readonly NoncurrentDays?: number;
  /** As of `NoncurrentTransition`. */
  readonly NewerNoncurrentVersions?: number;
}

/**
 * The rules of a folder store without a file of its own: those that terraform/ gives a bucket. Live ones never meet an
 * archive, so that a link to one always works.
 */
export const DEFAULT_LIFECYCLE = {
  Rules: [
    {
      ID: "live-attachments",
      Status: "Enabled",
      Filter: {},
      Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }],
    },
    {
      ID: "deleted-attachments",
      Status: "Enabled",
      Filter: {},
      NoncurrentVersionTransitions: [
        { NoncurrentDays: 30, StorageClass: "STANDARD_IA" },
        { NoncurrentDays: 90, StorageClass: "GLACIER" },
        { NoncurrentDays: 180, StorageClass: "DEEP_ARCHIVE" },
      ],
      NoncurrentVersionExpiration: { NoncurrentDays: 365 },
    },
    {
      ID: "leftovers",
      Status: "Enabled",
      Filter: {},
      Expiration: { ExpiredObjectDeleteMarker: true },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    },
  ],
  TransitionDefaultMinimumObjectSize: "all_storage_classes_128K",
} as const satisfies LifecycleConfiguration;
